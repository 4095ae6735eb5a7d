package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

/** The event bus addresses of this library. */
public final class Addresses {
    /** Asked, it answers for the whole cluster; consumed, it tells what this node is doing as it changes. */
    public static final String STATUS = "fastn.status";

    /** Asked, it answers for the whole cluster; nothing is ever published here. */
    public static final String STATUS_QUERY = "fastn.status.query";

    /** Consumed, it tells the same as {@link #STATUS}, also on nodes without this library; nobody answers there. */
    public static final String STATUS_CHANGES = "fastn.status.changes";

    /** Asked with the address of a reader, it opens a stream of the status of the cluster. */
    public static final String STATUS_SUBSCRIBE = "fastn.status.subscribe";

    /** {@link EventFrame}s about locks; of other nodes as JSON, where their options say so. */
    public static final String EVENTS_LOCKS = "fastn.events.locks";

    /** {@link EventFrame}s about counters; of other nodes as JSON, where their options say so. */
    public static final String EVENTS_COUNTERS = "fastn.events.counters";

    /** {@link EventFrame}s about contexts; of other nodes as JSON, where their options say so. */
    public static final String EVENTS_CONTEXTS = "fastn.events.contexts";

    /** Tells the other nodes which callers were cancelled; see {@link CalleeCancellation}. */
    static final String CANCEL = "fastn.cancel";

    private static final String STATUS_PREFIX = "fastn.status.";
    private static final String EVENTS_PREFIX = "fastn.events.";

    private Addresses() {}

    /**
     * {@return the address at which one node answers for itself}
     *
     * @param name the node's alias or incarnation
     */
    public static String node(String name) {
        return "fastn.status.node." + requireNonNull(name, "name");
    }

    /**
     * {@return the address at which one node opens streams of itself, and hears from the readers of all its streams}
     *
     * @param incarnation the node's incarnation
     */
    public static String subscribe(String incarnation) {
        return STATUS_SUBSCRIBE + "." + requireNonNull(incarnation, "incarnation");
    }

    /**
     * {@return the address at which one node cancels contexts for others, where its operator has allowed that}
     *
     * @param name the node's alias or incarnation
     */
    public static String cancel(String name) {
        return "fastn.status.cancel." + requireNonNull(name, "name");
    }

    /** Whether any status verticle may answer a question at an address, the one of the asking node among them. */
    static boolean isForAnyNode(String address) {
        return address.equals(STATUS) || address.equals(STATUS_QUERY) || address.equals(STATUS_SUBSCRIBE);
    }

    /** Whether an address is one of ours: what travels there is not observed, or watching would itself be a change. */
    static boolean isOurs(String address) {
        return address.startsWith("fastn.")
                && (address.equals(STATUS)
                        || address.equals(CANCEL)
                        || address.startsWith(STATUS_PREFIX)
                        || address.startsWith(EVENTS_PREFIX));
    }

    /** Whether Vert.x made an address up, for a reply or for its own use; such an address never becomes a name. */
    static boolean isInternal(String address) {
        return address.startsWith("__vertx.");
    }
}
