package com.fastn.context;

import java.time.Duration;

/**
 * From when on a status calls something slow, stuck or high. Each is a setting, so a subtree may have its own:
 * {@code child("batch").withSetting(Thresholds.LOCK_LONG_HELD, Duration.ofMinutes(1))}.
 *
 * <p>A threshold is an opinion. What exceeds it is called stuck or long held, never a deadlock, which is a proof.
 */
public final class Thresholds {
    /** A lock is long held after this {@link Duration}; of the holder's context. */
    public static final String LOCK_LONG_HELD = "fastn.lock-long-held";
    /** A waiter is stuck after this {@link Duration}; of the waiter's context. */
    public static final String WAITER_STUCK = "fastn.waiter-stuck";
    /** An operation is slow after this {@link Duration}; of the context inside of it. */
    public static final String OPERATION_SLOW = "fastn.operation-slow";
    /** A context other than a root or a service is idle after this {@link Duration}. */
    public static final String CONTEXT_IDLE = "fastn.context-idle";
    /** Processor, memory and disk usage are high from this percentage, a {@link Number}; of the root. */
    public static final String USAGE_HIGH_PERCENT = "fastn.usage-high-percent";

    /** The default of {@link #LOCK_LONG_HELD}: 10 s. */
    public static final Duration DEFAULT_LOCK_LONG_HELD = Duration.ofSeconds(10);
    /** The default of {@link #WAITER_STUCK}: 5 s. */
    public static final Duration DEFAULT_WAITER_STUCK = Duration.ofSeconds(5);
    /** The default of {@link #OPERATION_SLOW}: 10 s. */
    public static final Duration DEFAULT_OPERATION_SLOW = Duration.ofSeconds(10);
    /** The default of {@link #CONTEXT_IDLE}: 60 s. */
    public static final Duration DEFAULT_CONTEXT_IDLE = Duration.ofSeconds(60);
    /** The default of {@link #USAGE_HIGH_PERCENT}: 90. */
    public static final double DEFAULT_USAGE_HIGH_PERCENT = 90;

    private Thresholds() {}
}
