package com.fastn.context;

import java.time.Duration;

/**
 * From when on a status calls something slow, stuck or high. Each is a setting, so a subtree may have its own:
 * {@code child("batch").withSetting(Thresholds.LOCK_LONG_HELD, Duration.ofMinutes(1))}. A value of another type, or one
 * below 0, is refused with an {@link IllegalArgumentException} when it is set. {@link WarningIds} lists what the status warns of.
 *
 * <p>A threshold is an opinion. What exceeds it is called stuck or long held, never a deadlock, which is a proof.
 */
public final class Thresholds {
    /** A lock is long held after this {@link Duration}; of the holder's context. */
    public static final String LOCK_LONG_HELD = "fastn.lock-long-held";
    /** A waiter is stuck after this {@link Duration}; of the waiter's context. */
    public static final String WAITER_STUCK = "fastn.waiter-stuck";
    /**
     * An operation is slow after this {@link Duration}; of the context inside of it. Each that took longer than the least that any
     * context of the runtime was ever given costs one walk up from its context when it ends, whatever that context is given.
     */
    public static final String OPERATION_SLOW = "fastn.operation-slow";
    /** A context other than a root or a service is idle after this {@link Duration}. */
    public static final String CONTEXT_IDLE = "fastn.context-idle";
    /** Children are left unclosed this {@link Duration} after their parent was closed; of the parent. */
    public static final String CHILDREN_UNCLOSED = "fastn.children-unclosed";
    /** A tree is deep beyond this many contexts, a {@link Number}; of the deepest context. */
    public static final String TREE_DEEP = "fastn.tree-deep";
    /** Processor, memory and disk usage are high from this percentage, a {@link Number}; of the root. */
    public static final String USAGE_HIGH_PERCENT = "fastn.usage-high-percent";
    /** As {@link #USAGE_HIGH_PERCENT}, which it overrides, for the processors. */
    public static final String CPU_HIGH_PERCENT = "fastn.cpu-high-percent";
    /** As {@link #USAGE_HIGH_PERCENT}, which it overrides, for the memory. */
    public static final String MEMORY_HIGH_PERCENT = "fastn.memory-high-percent";
    /** As {@link #USAGE_HIGH_PERCENT}, which it overrides, for the disk. */
    public static final String DISK_HIGH_PERCENT = "fastn.disk-high-percent";

    /**
     * The {@link WarningIds} that are not told of a context and what is below it: a text with commas between them, or a
     * collection. The nearest context that says something decides, so an empty text tells all of them again. How many are
     * silenced is told.
     */
    public static final String WARNINGS_OFF = "fastn.warnings.off";
    /**
     * With an id of {@link WarningIds} behind it, how bad that is: a {@link com.fastn.context.status.WarningSeverity} or its
     * name in any case, such as {@code "fastn.severity.context-idle"} with {@code "warning"}.
     */
    public static final String SEVERITY_PREFIX = "fastn.severity.";

    /** The default of {@link #LOCK_LONG_HELD}: 10 s. */
    public static final Duration DEFAULT_LOCK_LONG_HELD = Duration.ofSeconds(10);
    /** The default of {@link #WAITER_STUCK}: 5 s. */
    public static final Duration DEFAULT_WAITER_STUCK = Duration.ofSeconds(5);
    /** The default of {@link #OPERATION_SLOW}: 10 s. */
    public static final Duration DEFAULT_OPERATION_SLOW = Duration.ofSeconds(10);
    /** The default of {@link #CONTEXT_IDLE}: 60 s. */
    public static final Duration DEFAULT_CONTEXT_IDLE = Duration.ofSeconds(60);
    /** The default of {@link #CHILDREN_UNCLOSED}: 60 s. */
    public static final Duration DEFAULT_CHILDREN_UNCLOSED = Duration.ofSeconds(60);
    /** The default of {@link #TREE_DEEP}: 1,000. */
    public static final int DEFAULT_TREE_DEEP = 1_000;
    /** The default of {@link #USAGE_HIGH_PERCENT}: 90. */
    public static final double DEFAULT_USAGE_HIGH_PERCENT = 90;

    private Thresholds() {}
}
