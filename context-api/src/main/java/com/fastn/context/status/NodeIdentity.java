package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

/**
 * Who a node is: its alias, and the life of it that is meant.
 *
 * @param alias the name that the operator gave to the node
 * @param incarnation boot time and a random number as text; two starts of one alias never share it
 */
public record NodeIdentity(String alias, String incarnation) {
    /** Checks that both parts are there. */
    public NodeIdentity {
        requireNonNull(alias, "alias");
        requireNonNull(incarnation, "incarnation");
    }
}
