package com.fastn.status;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A node's counters, locks, warnings and machine in the text format of Prometheus, or of OpenMetrics.
 *
 * <p>The number of series is bounded: paths are those of the tree, and of more counters than {@value #MOST_COUNTERS} the ones
 * nearest to the root are told; how many were left out is a metric of its own. What is not known is left out.
 */
final class MetricsText {
    static final String PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
    static final String OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    static final int MOST_COUNTERS = 1_000;

    private static final String LIVE = "live_";

    private final StringBuilder out = new StringBuilder();
    private final boolean openMetrics;

    private MetricsText(boolean openMetrics) {
        this.openMetrics = openMetrics;
    }

    /**
     * Writes the metrics.
     *
     * @param snapshot what the node is doing
     * @param flat its counters, as {@code Counters.flat} tells them
     * @param openMetrics whether in the format of OpenMetrics
     * @return the text
     */
    static String of(StatusSnapshot snapshot, Map<String, Long> flat, boolean openMetrics) {
        MetricsText text = new MetricsText(openMetrics);
        text.node(snapshot);
        text.counters(flat);
        if (snapshot.systemMetrics() != null) {
            text.system(snapshot.systemMetrics());
        }
        if (openMetrics) {
            text.out.append("# EOF\n");
        }
        return text.out.toString();
    }

    private void node(StatusSnapshot snapshot) {
        gauge("fastn_node", "Who answers.");
        sample(
                "fastn_node",
                "alias",
                snapshot.node().alias(),
                "incarnation",
                snapshot.node().incarnation(),
                1);
        NodeSummary summary = NodeSummary.of(snapshot);
        single("fastn_contexts", "Open contexts.", summary.contexts());
        single("fastn_locks_held", "Locks that are held.", summary.locksHeld());
        single("fastn_lock_waiters", "Waits for locks.", summary.lockWaiters());
        single(
                "fastn_lock_waiters_stuck",
                "Waits for locks that take longer than they may.",
                snapshot.lockWaiters().stream().filter(LockWaiter::stuck).count());
        longest(
                "fastn_lock_held_longest_seconds",
                "For how long the lock is held that is held for the longest.",
                snapshot.activeLocks().stream()
                        .map(lock -> lock.heldDuration())
                        .max(Comparator.naturalOrder())
                        .orElse(Duration.ZERO));
        longest(
                "fastn_lock_waiting_longest_seconds",
                "For how long the longest wait for a lock lasts.",
                snapshot.lockWaiters().stream()
                        .map(LockWaiter::waitingDuration)
                        .max(Comparator.naturalOrder())
                        .orElse(Duration.ZERO));
        gauge("fastn_warnings", "Warnings, by the rule that says so.");
        Map<String, Long> byRule = new TreeMap<>();
        Map<String, WarningSeverity> severities = new TreeMap<>();
        for (StatusWarning warning : snapshot.warnings()) {
            byRule.merge(warning.id(), 1L, Long::sum);
            severities.merge(warning.id(), warning.severity(), (a, b) -> a.compareTo(b) > 0 ? a : b);
        }
        byRule.forEach((id, number) -> sample(
                "fastn_warnings",
                "id",
                id,
                "severity",
                String.valueOf(severities.get(id)).toLowerCase(Locale.ROOT),
                number));
    }

    private void longest(String name, String help, Duration longest) {
        single(name, help, longest.toMillis() / 1_000.0);
    }

    private record Counter(ContextPath path, String name, boolean live, long value) {}

    private void counters(Map<String, Long> flat) {
        List<Counter> all = new ArrayList<>();
        flat.forEach((key, value) -> {
            List<String> names = ContextPath.parse(key).names();
            if (names.size() < 2) {
                return;
            }
            String leaf = names.get(names.size() - 1);
            boolean live = key.startsWith(LIVE, lastDot(key) + 1);
            all.add(new Counter(
                    ContextPath.of(names.subList(0, names.size() - 1)),
                    live ? leaf.substring(LIVE.length()) : leaf,
                    live,
                    value));
        });
        all.sort(Comparator.comparingInt((Counter counter) -> counter.path().depth())
                .thenComparing(counter -> counter.path().toString())
                .thenComparing(Counter::name));
        List<Counter> told = all.subList(0, Math.min(all.size(), MOST_COUNTERS));
        family("fastn_counter", "counter", "What was counted, by the path of the context that counted.");
        told.stream().filter(counter -> !counter.live()).forEach(counter -> counter("fastn_counter_total", counter));
        gauge("fastn_live", "What is under way, by the path of the context that counts.");
        told.stream().filter(Counter::live).forEach(counter -> counter("fastn_live", counter));
        single(
                "fastn_counters_left_out",
                "Counters that are not told, because there are too many.",
                (long) all.size() - told.size());
    }

    private void counter(String name, Counter counter) {
        sample(name, "path", counter.path().toString(), "counter", counter.name(), counter.value());
    }

    /** {@return where the last dot is that separates names, or -1} */
    private static int lastDot(String key) {
        int last = -1;
        for (int i = 0; i < key.length(); i++) {
            if (key.charAt(i) == '\\') {
                i++;
            } else if (key.charAt(i) == '.') {
                last = i;
            }
        }
        return last;
    }

    private void system(SystemMetrics system) {
        if (system.cpuUsagePercent() != null) {
            single("fastn_cpu_usage_ratio", "How busy the processors are.", system.cpuUsagePercent() / 100);
        }
        single("fastn_memory_used_bytes", "Memory in use.", system.memoryUsedBytes());
        single("fastn_memory_total_bytes", "Memory that there is.", system.memoryTotalBytes());
        single("fastn_disk_used_bytes", "Disk in use.", system.diskUsedBytes());
        single("fastn_disk_total_bytes", "Disk that there is.", system.diskTotalBytes());
        single("fastn_network_receive_bytes_per_second", "What comes in.", system.networkRxBytesPerSec());
        single("fastn_network_transmit_bytes_per_second", "What goes out.", system.networkTxBytesPerSec());
        SystemMetrics.Jvm jvm = system.jvm();
        if (jvm != null) {
            single("fastn_heap_used_bytes", "Heap in use.", jvm.heapUsedBytes());
            single("fastn_heap_max_bytes", "Heap that there may be.", jvm.heapMaxBytes());
            single("fastn_jvm_threads", "Platform threads.", jvm.threads());
        }
    }

    private void single(String name, String help, @Nullable Number value) {
        if (value != null) {
            gauge(name, help);
            out.append(name).append(' ').append(value).append('\n');
        }
    }

    private void gauge(String name, String help) {
        family(name, "gauge", help);
    }

    /** OpenMetrics names a family of counters without the ending of its samples, Prometheus with it. */
    private void family(String name, String type, String help) {
        String shown = type.equals("counter") && !openMetrics ? name + "_total" : name;
        out.append("# HELP ").append(shown).append(' ').append(help).append('\n');
        out.append("# TYPE ").append(shown).append(' ').append(type).append('\n');
    }

    private void sample(
            String name, String firstLabel, String firstValue, String secondLabel, String secondValue, long value) {
        out.append(name).append('{');
        label(firstLabel, firstValue);
        out.append(',');
        label(secondLabel, secondValue);
        out.append("} ").append(value).append('\n');
    }

    /** Names are of the application, so they may hold anything (rules S6, S7). */
    private void label(String name, String value) {
        out.append(name).append("=\"");
        String line = Printable.line(value);
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '\\' || c == '"') {
                out.append('\\');
            }
            out.append(c);
        }
        out.append('"');
    }
}
