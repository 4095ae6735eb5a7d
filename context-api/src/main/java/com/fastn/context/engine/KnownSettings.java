package com.fastn.context.engine;

import com.fastn.context.Thresholds;
import com.fastn.context.WarningIds;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The settings that the library reads itself. What is wrong with one is said where it is set, not where it is read. */
final class KnownSettings {
    private static final Set<String> DURATIONS = Set.of(
            Thresholds.LOCK_LONG_HELD,
            Thresholds.WAITER_STUCK,
            Thresholds.OPERATION_SLOW,
            Thresholds.CONTEXT_IDLE,
            Thresholds.CHILDREN_UNCLOSED);
    private static final Set<String> NUMBERS = Set.of(
            Thresholds.TREE_DEEP,
            Thresholds.USAGE_HIGH_PERCENT,
            Thresholds.CPU_HIGH_PERCENT,
            Thresholds.MEMORY_HIGH_PERCENT,
            Thresholds.DISK_HIGH_PERCENT);
    // No rule tells these, and so no setting reaches them: who reads a status has to know them.
    private static final Set<String> ALWAYS_TOLD = Set.of(
            WarningIds.WARNINGS_SILENCED,
            WarningIds.HTTP_CLEARTEXT,
            WarningIds.CLUSTER_NOT_AUTHENTICATED,
            WarningIds.NOT_REACHABLE_THROUGH_CLUSTER,
            WarningIds.NODES_NOT_LISTED,
            WarningIds.PEERS_DROPPED,
            WarningIds.DEADLOCKS_NOT_LISTED,
            WarningIds.DEADLOCKS_NOT_SEARCHED,
            WarningIds.ADDRESSES_FORGOTTEN,
            WarningIds.EVENT_LOOP_LATE,
            WarningIds.STATUS_SHORTENED);
    private static final Set<String> IDS = Set.of(
            WarningIds.LOCK_LEAKED,
            WarningIds.LOCK_LONG_HELD,
            WarningIds.WAITER_STUCK,
            WarningIds.OPERATION_SLOW,
            WarningIds.CHILDREN_UNCLOSED,
            WarningIds.TREE_DEEP,
            WarningIds.CONTEXT_IDLE,
            WarningIds.CPU_HIGH,
            WarningIds.MEMORY_HIGH,
            WarningIds.DISK_HIGH,
            WarningIds.USAGE_NORMAL,
            WarningIds.COUNTERS_FOLDED,
            WarningIds.COUNTER_OVERFLOW,
            WarningIds.COUNTER_UNDERFLOW,
            WarningIds.NAMES_LOOK_ALIKE,
            WarningIds.CLOCK_ANOMALY,
            WarningIds.DEADLOCK,
            WarningIds.DEADLOCK_SUSPECTED,
            WarningIds.PLACE_BLOCKED);

    private KnownSettings() {}

    /** {@return the value as it is kept: a collection is copied} */
    static Object checked(EngineRuntime runtime, String key, Object value) {
        if (DURATIONS.contains(key)) {
            boolean usable = value instanceof Duration d && !d.isNegative();
            require(usable, key, value, "a java.time.Duration, 0 or more", "Duration.ofSeconds(30)");
            if (key.equals(Thresholds.OPERATION_SLOW)) {
                runtime.isSlowFrom(WarningSettings.nanos((Duration) value));
            }
        } else if (NUMBERS.contains(key)) {
            boolean usable = value instanceof Number n && n.doubleValue() >= 0;
            require(usable, key, value, "a Number, 0 or more", "80");
        } else if (key.equals(Thresholds.WARNINGS_OFF)) {
            boolean usable = value instanceof String
                    || (value instanceof Collection<?> all && all.stream().allMatch(String.class::isInstance));
            require(usable, key, value, "a text with ids, or a collection of them", "\"context-idle,tree-deep\"");
            ids(value).forEach(id -> known(runtime, id));
            return value instanceof Collection<?> all ? List.copyOf(all) : value;
        } else if (key.startsWith(Thresholds.SEVERITY_PREFIX)) {
            require(
                    severity(value) != null,
                    key,
                    value,
                    "a WarningSeverity or the name of one: info, warning or critical",
                    "WarningSeverity.WARNING");
            known(runtime, key.substring(Thresholds.SEVERITY_PREFIX.length()));
        }
        return value;
    }

    private static void require(boolean usable, String key, Object value, String wanted, String example) {
        if (!usable) {
            throw new IllegalArgumentException("setting " + key + " is " + Sanitizer.clean(String.valueOf(value)) + " ("
                    + value.getClass().getName() + "), and it has to be " + wanted + "; set it to " + example
                    + ", for example");
        }
    }

    /** An id of a later version is no error, but it has no effect here, and that is said. */
    private static void known(EngineRuntime runtime, String id) {
        if (ALWAYS_TOLD.contains(id)) {
            runtime.misuse("a setting names the warning \"" + id
                    + "\", which is told whatever the settings say; it has no effect (see WarningIds)");
        } else if (!IDS.contains(id)) {
            runtime.misuse("a setting names the warning \"" + Names.clean(id)
                    + "\", which this version does not know; it has no effect (see WarningIds)");
        }
    }

    static Set<String> ids(Object value) {
        Set<String> ids = new LinkedHashSet<>();
        if (value instanceof Collection<?> all) {
            all.forEach(id -> ids.add(String.valueOf(id).strip()));
        } else {
            Arrays.stream(String.valueOf(value).split(",", -1))
                    .map(String::strip)
                    .forEach(ids::add);
        }
        ids.remove("");
        return ids;
    }

    static @Nullable WarningSeverity severity(Object value) {
        if (value instanceof WarningSeverity severity) {
            return severity;
        }
        for (WarningSeverity severity : WarningSeverity.values()) {
            if (value instanceof String name && severity.name().equalsIgnoreCase(name.strip())) {
                return severity;
            }
        }
        return null;
    }
}
