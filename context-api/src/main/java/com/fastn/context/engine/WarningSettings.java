package com.fastn.context.engine;

import com.fastn.context.Thresholds;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** What the settings of a context, and those that it inherits, say of warnings. Shared by all that inherit them. */
final class WarningSettings {
    private static final String PREFIX = "fastn.";
    static final WarningSettings DEFAULTS = new WarningSettings(Map.of());

    final long lockLongHeldNanos;
    final long waiterStuckNanos;
    final long operationSlowNanos;
    final long contextIdleNanos;
    final long childrenUnclosedNanos;
    final double treeDeep;

    private final Map<String, Object> values;
    private final Set<String> off;

    private WarningSettings(Map<String, Object> values) {
        this.values = values;
        this.lockLongHeldNanos = nanos(Thresholds.LOCK_LONG_HELD, Thresholds.DEFAULT_LOCK_LONG_HELD);
        this.waiterStuckNanos = nanos(Thresholds.WAITER_STUCK, Thresholds.DEFAULT_WAITER_STUCK);
        this.operationSlowNanos = nanos(Thresholds.OPERATION_SLOW, Thresholds.DEFAULT_OPERATION_SLOW);
        this.contextIdleNanos = nanos(Thresholds.CONTEXT_IDLE, Thresholds.DEFAULT_CONTEXT_IDLE);
        this.childrenUnclosedNanos = nanos(Thresholds.CHILDREN_UNCLOSED, Thresholds.DEFAULT_CHILDREN_UNCLOSED);
        this.treeDeep = number(Thresholds.TREE_DEEP, Thresholds.DEFAULT_TREE_DEEP);
        Object silenced = values.get(Thresholds.WARNINGS_OFF);
        this.off = silenced == null ? Set.of() : KnownSettings.ids(silenced);
    }

    /** Those of any context, found by a walk up. */
    static WarningSettings of(ContextNode from) {
        ArrayDeque<Map<String, Object>> told = new ArrayDeque<>();
        for (ContextNode node = from; node != null; node = node.parent()) {
            Map<String, Object> own = node.ownSettings(PREFIX);
            if (!own.isEmpty()) {
                told.push(own);
            }
        }
        WarningSettings settings = DEFAULTS;
        for (Map<String, Object> own : told) {
            settings = settings.with(own);
        }
        return settings;
    }

    /** From when on an operation of a context is slow: the same as of {@link #of}, for whoever wants nothing else. */
    static long operationSlowNanos(ContextNode inside) {
        return inside.setting(Thresholds.OPERATION_SLOW) instanceof Duration set
                ? nanos(set)
                : DEFAULTS.operationSlowNanos;
    }

    /** From when on a wait of a context is stuck: the same as of {@link #of}, for whoever wants nothing else. */
    static long waiterStuckNanos(ContextNode by) {
        return by.setting(Thresholds.WAITER_STUCK) instanceof Duration set ? nanos(set) : DEFAULTS.waiterStuckNanos;
    }

    /** Those of a child; itself when the child says nothing. */
    WarningSettings below(ContextNode child) {
        Map<String, Object> own = child.ownSettings(PREFIX);
        return own.isEmpty() ? this : with(own);
    }

    private WarningSettings with(Map<String, Object> own) {
        Map<String, Object> merged = new HashMap<>(values);
        merged.putAll(own);
        return new WarningSettings(merged);
    }

    boolean isOff(String id) {
        return off.contains(id);
    }

    WarningSeverity severity(String id, WarningSeverity otherwise) {
        Object set = values.isEmpty() ? null : values.get(Thresholds.SEVERITY_PREFIX + id);
        WarningSeverity severity = set == null ? null : KnownSettings.severity(set);
        return severity == null ? otherwise : severity;
    }

    double number(String key, double otherwise) {
        return values.get(key) instanceof Number n ? n.doubleValue() : otherwise;
    }

    private long nanos(String key, Duration otherwise) {
        return nanos(values.get(key) instanceof Duration d ? d : otherwise);
    }

    /** Up to 292 years; a threshold beyond, which somebody sets to say "never", is as good as that. */
    static long nanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }
}
