package com.fastn.status.cli;

import java.util.List;

/** Whom somebody means, and who can be asked about them. */
sealed interface Meant {

    /**
     * A node that is asked about itself.
     *
     * @param endpoint the node
     */
    record Node(Endpoint endpoint) implements Meant {}

    /**
     * Nodes that another one knows.
     *
     * @param names what they go by
     * @param ways whom to ask, the best first; one that does not answer is passed over
     */
    record Through(List<String> names, List<Endpoint> ways) implements Meant {}

    /**
     * Every node of the clusters that these nodes are of.
     *
     * @param ways the nodes
     */
    record Clusters(List<Endpoint> ways) implements Meant {}
}
