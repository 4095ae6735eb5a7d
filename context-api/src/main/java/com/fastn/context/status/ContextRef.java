package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

/**
 * A context as an explanation speaks of it: enough to show it, and to ask for it again.
 *
 * @param node the node that it is on
 * @param contextId its id on that node
 * @param path its path in dotted form
 * @param label its name for people
 * @param shortName its shortest unambiguous name, such as {@code alice/stdout-handler}, with the node behind an {@code @}
 *     where an explanation spans nodes
 */
public record ContextRef(NodeIdentity node, long contextId, String path, String label, String shortName) {
    /** Checks that all parts are there. */
    public ContextRef {
        requireNonNull(node, "node");
        requireNonNull(path, "path");
        requireNonNull(label, "label");
        requireNonNull(shortName, "shortName");
    }
}
