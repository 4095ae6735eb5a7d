package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

/**
 * The known caller of a context on another branch of the tree or on another node. The tree shows it; counters never follow it.
 *
 * @param node the alias of the caller's node
 * @param incarnation the incarnation of the caller's node
 * @param contextId the caller's id on that node
 * @param path the caller's path in dotted form
 */
public record CallerLink(String node, String incarnation, long contextId, String path) {
    /** Checks that all parts are there. */
    public CallerLink {
        requireNonNull(node, "node");
        requireNonNull(incarnation, "incarnation");
        requireNonNull(path, "path");
    }

    /** {@return the link as the tree shows it, such as {@code checkout#88@alice}} */
    public String shortName() {
        return ContextPath.parse(path).leaf() + "#" + contextId + "@" + node;
    }
}
