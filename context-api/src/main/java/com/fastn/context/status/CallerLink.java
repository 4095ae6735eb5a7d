package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

/**
 * The known caller of a context on another branch of the tree or on another node. The tree shows it; counters never follow it.
 *
 * @param node the alias of the caller's node
 * @param incarnation the incarnation of the caller's node
 * @param contextId the caller's id on that node
 * @param path the caller's path in dotted form
 * @param owesReply whether the caller asked for a reply, so that it may wait for this context; false of what was sent or
 *     published to whomever it concerns
 */
public record CallerLink(String node, String incarnation, long contextId, String path, boolean owesReply) {
    /** Checks that all parts are there. */
    public CallerLink {
        requireNonNull(node, "node");
        requireNonNull(incarnation, "incarnation");
        requireNonNull(path, "path");
    }

    /**
     * Makes the link of one who asked for a reply.
     *
     * @param node the alias of the caller's node
     * @param incarnation the incarnation of the caller's node
     * @param contextId the caller's id on that node
     * @param path the caller's path in dotted form
     */
    public CallerLink(String node, String incarnation, long contextId, String path) {
        this(node, incarnation, contextId, path, true);
    }

    /** {@return the link as the tree shows it, such as {@code checkout#88@alice}} */
    public String shortName() {
        return ContextPath.parse(path).leaf() + "#" + contextId + "@" + node;
    }
}
