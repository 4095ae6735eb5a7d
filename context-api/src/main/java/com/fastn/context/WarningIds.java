package com.fastn.context;

/**
 * The stable ids of the warnings of a status. A subtree silences some of them with {@link Thresholds#WARNINGS_OFF}, and
 * judges them otherwise with {@link Thresholds#SEVERITY_PREFIX}, down to {@link #USAGE_NORMAL}.
 */
public final class WarningIds {
    /** The context that holds a lock has ended, or its guard was collected unclosed; critical. */
    public static final String LOCK_LEAKED = "lock-leaked";
    /** Contexts wait for each other and can never go on; critical. */
    public static final String DEADLOCK = "deadlock";
    /** Contexts wait for each other, unless a branch of one of them releases a guard; see {@link DeadlockPolicy}. */
    public static final String DEADLOCK_SUSPECTED = "deadlock-suspected";
    /** An event loop or a worker pool stands still. */
    public static final String PLACE_BLOCKED = "place-blocked";
    /** A lock is held for longer than {@link Thresholds#LOCK_LONG_HELD}. */
    public static final String LOCK_LONG_HELD = "lock-long-held";
    /** A wait for a lock is longer than {@link Thresholds#WAITER_STUCK}. */
    public static final String WAITER_STUCK = "waiter-stuck";
    /** An operation takes longer than {@link Thresholds#OPERATION_SLOW}. */
    public static final String OPERATION_SLOW = "operation-slow";
    /** A context was closed longer than {@link Thresholds#CHILDREN_UNCLOSED} ago, and children of it are still open. */
    public static final String CHILDREN_UNCLOSED = "children-unclosed";
    /** The tree is deeper than {@link Thresholds#TREE_DEEP}. */
    public static final String TREE_DEEP = "tree-deep";
    /** There were so many paths with counters that some are counted together, see {@link Counters#folded}. */
    public static final String COUNTERS_FOLDED = "counters-folded";
    /** A total, or the sum of some, reached {@link Long#MAX_VALUE} and stays there, see {@link Counters#overflowed}. */
    public static final String COUNTER_OVERFLOW = "counter-overflow";
    /** More was taken from a live count than its contexts had added, so it may be wrong; information. */
    public static final String COUNTER_UNDERFLOW = "counter-underflow";
    /** Two names are of other characters and look the same; information. */
    public static final String NAMES_LOOK_ALIKE = "names-look-alike";
    /** The clock went back, so that durations may be told too short. */
    public static final String CLOCK_ANOMALY = "clock-anomaly";
    /** Contexts show no sign of life for longer than {@link Thresholds#CONTEXT_IDLE}; information. */
    public static final String CONTEXT_IDLE = "context-idle";
    /** The processors are busier than {@link Thresholds#CPU_HIGH_PERCENT}. */
    public static final String CPU_HIGH = "cpu-high";
    /** More memory is used than {@link Thresholds#MEMORY_HIGH_PERCENT}. */
    public static final String MEMORY_HIGH = "memory-high";
    /** More of the disk is used than {@link Thresholds#DISK_HIGH_PERCENT}. */
    public static final String DISK_HIGH = "disk-high";
    /** Good news of the system; information. */
    public static final String USAGE_NORMAL = "usage-normal";

    // --- told whatever the settings say

    /** How many warnings the settings silence; information. Always told, as are all below. */
    public static final String WARNINGS_SILENCED = "warnings-silenced";
    /** A status port that others can reach has no TLS, by the option {@code allowCleartext} of the status verticle. */
    public static final String HTTP_CLEARTEXT = "http-cleartext";
    /** The nodes of the cluster do not prove who they are, so other nodes are told no data values. */
    public static final String CLUSTER_NOT_AUTHENTICATED = "cluster-not-authenticated";
    /** There are more nodes in the cluster than a node lists; the status of the cluster is not complete. */
    public static final String NODES_NOT_LISTED = "nodes-not-listed";
    /** Other nodes told more at once than this one keeps, and some of it was left out. */
    public static final String PEERS_DROPPED = "peers-dropped";
    /** There are more deadlocks over several nodes than are told; critical. */
    public static final String DEADLOCKS_NOT_LISTED = "deadlocks-not-listed";
    /** A circle of waits may be a deadlock, and is not told because a node did not tell which locks it holds. */
    public static final String DEADLOCKS_NOT_SEARCHED = "deadlocks-not-searched";
    /** The cluster manager has forgotten this node; critical. */
    public static final String NOT_REACHABLE_THROUGH_CLUSTER = "not-reachable-through-cluster";
    /** The cluster manager has forgotten what the application consumes on this node; critical. */
    public static final String ADDRESSES_FORGOTTEN = "addresses-forgotten";
    /** An event loop that verticles run on is late, while somebody watches. */
    public static final String EVENT_LOOP_LATE = "event-loop-late";
    /** A status was too large, and its lists are cut. */
    public static final String STATUS_SHORTENED = "status-shortened";

    private WarningIds() {}
}
