package com.fastn.context.engine;

import com.fastn.context.Thresholds;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is worth a look in a snapshot. Ages are opinions here; none of these is ever called a deadlock (rule L15). */
final class WarningRules {
    private static final int MAX_PER_RULE = 20;

    private final EngineRuntime runtime;
    private final long now;
    private final ShortNames names;
    private final List<LockStatus> locks;
    private final List<LockWaiter> waiters;
    private final @Nullable SystemMetrics system;
    private final List<StatusWarning> found = new ArrayList<>();

    WarningRules(
            EngineRuntime runtime,
            long now,
            ShortNames names,
            List<LockStatus> locks,
            List<LockWaiter> waiters,
            @Nullable SystemMetrics system) {
        this.runtime = runtime;
        this.now = now;
        this.names = names;
        this.locks = locks;
        this.waiters = waiters;
        this.system = system;
    }

    List<StatusWarning> judge(List<SnapshotTaker.Visit> nodes, boolean whole) {
        longHeldLocks();
        stuckWaiters();
        slowOperations(nodes);
        idleContexts(nodes);
        if (whole) {
            usage();
        }
        found.sort(Comparator.comparing(StatusWarning::severity).reversed());
        return found;
    }

    private void add(String id, WarningSeverity severity, String message, String path, @Nullable String next) {
        found.add(new StatusWarning(id, severity, message, path, next));
    }

    private void longHeldLocks() {
        int said = 0;
        int more = 0;
        for (LockStatus lock : locks) {
            if (!lock.longHeld()) {
                continue;
            }
            if (said == MAX_PER_RULE) {
                more++;
            } else {
                said++;
                add(
                        "lock-long-held",
                        WarningSeverity.WARNING,
                        "Long-held lock \"" + lock.name() + "\" (" + time(lock.heldDuration()) + ") held by "
                                + lock.heldByContext()
                                + (lock.waiters() == 0 ? "" : ", " + lock.waiters() + " waiting"),
                        lock.holderPath().toString(),
                        "what " + lock.heldByContext() + " is doing while it holds the lock");
            }
        }
        andMore("lock-long-held", WarningSeverity.WARNING, more, "locks long held");
    }

    private void stuckWaiters() {
        int said = 0;
        int more = 0;
        for (LockWaiter waiter : waiters) {
            if (!waiter.stuck()) {
                continue;
            }
            if (said == MAX_PER_RULE) {
                more++;
                continue;
            }
            said++;
            String holder = locks.stream()
                    .filter(l -> l.lockId() == waiter.lockId())
                    .map(l -> ", held by " + l.heldByContext())
                    .findFirst()
                    .orElse("");
            add(
                    "waiter-stuck",
                    WarningSeverity.WARNING,
                    waiter.contextName() + " stuck waiting (" + time(waiter.waitingDuration()) + ") for \""
                            + waiter.lockName() + "\"" + holder,
                    waiter.contextPath().toString(),
                    null);
        }
        andMore("waiter-stuck", WarningSeverity.WARNING, more, "waiters stuck");
    }

    private void slowOperations(List<SnapshotTaker.Visit> nodes) {
        Map<SnapshotTaker.Visit, RunningOperation> slow = new LinkedHashMap<>();
        ShortNames slowNames = new ShortNames();
        int more = 0;
        for (SnapshotTaker.Visit visit : nodes) {
            RunningOperation operation = slowOperation(visit.node());
            if (operation == null) {
                continue;
            }
            if (slow.size() == MAX_PER_RULE) {
                more++;
                continue;
            }
            slow.put(visit, operation);
            slowNames.add(visit.node().id(), visit.path());
        }
        slowNames.decide();
        slow.forEach((visit, operation) -> {
            long id = visit.node().id();
            add(
                    "operation-slow",
                    WarningSeverity.WARNING,
                    (names.knows(id) ? names : slowNames).of(id) + " stuck on \"" + operation.name() + "\" ("
                            + time(Duration.ofNanos(operation.elapsedNanos(now)))
                            + ")",
                    visit.path().toString(),
                    null);
        });
        andMore("operation-slow", WarningSeverity.WARNING, more, "operations slow");
    }

    private @Nullable RunningOperation slowOperation(ContextNode node) {
        NodeExtras x = node.extrasOrNull();
        if (x == null) {
            return null;
        }
        List<RunningOperation> running;
        synchronized (x) {
            running = x.operationList();
        }
        return running.isEmpty()
                ? null
                : innermostSlow(
                        running,
                        SnapshotTaker.threshold(node, Thresholds.OPERATION_SLOW, Thresholds.DEFAULT_OPERATION_SLOW));
    }

    /** The youngest that is slow. A fresh one beside it says nothing about the others: they may run side by side. */
    private @Nullable RunningOperation innermostSlow(List<RunningOperation> running, long limitNanos) {
        for (int i = running.size() - 1; i >= 0; i--) {
            if (running.get(i).elapsedNanos(now) > limitNanos) {
                return running.get(i);
            }
        }
        return null;
    }

    private void idleContexts(List<SnapshotTaker.Visit> nodes) {
        int idle = 0;
        SnapshotTaker.Visit longest = null;
        for (SnapshotTaker.Visit visit : nodes) {
            ContextNode node = visit.node();
            if (node.kind() == ContextKind.ROOT || node.kind() == ContextKind.SERVICE) {
                continue;
            }
            if (node.idleNanos(now) > visit.idleLimitNanos()) {
                idle++;
                if (longest == null || node.idleNanos(now) > longest.node().idleNanos(now)) {
                    longest = visit;
                }
            }
        }
        if (longest == null) {
            return;
        }
        String age = time(Duration.ofNanos(longest.node().idleNanos(now)));
        String message = idle == 1
                ? shortName(longest) + " idle for " + age
                : idle + " contexts idle, the longest " + shortName(longest) + " for " + age;
        add("context-idle", WarningSeverity.INFO, message, longest.path().toString(), null);
    }

    private void usage() {
        SystemMetrics s = system;
        if (s == null) {
            return;
        }
        double high = runtime.root().setting(Thresholds.USAGE_HIGH_PERCENT) instanceof Number n
                ? n.doubleValue()
                : Thresholds.DEFAULT_USAGE_HIGH_PERCENT;
        List<String> normal = new ArrayList<>();
        judgeUsage("cpu-high", "CPU usage", s.cpuUsagePercent(), high, "%.1f%%", normal);
        judgeUsage(
                "memory-high",
                "memory usage",
                percent(s.memoryUsedBytes(), s.memoryTotalBytes()),
                high,
                "%.0f%%",
                normal);
        judgeUsage("disk-high", "disk usage", percent(s.diskUsedBytes(), s.diskTotalBytes()), high, "%.0f%%", normal);
        if (!normal.isEmpty()) {
            add("usage-normal", WarningSeverity.INFO, String.join(", ", normal), rootPath(), null);
        }
    }

    private void judgeUsage(
            String id, String what, @Nullable Double percent, double high, String format, List<String> normal) {
        if (percent == null) {
            return;
        }
        String figure = "(" + String.format(Locale.ROOT, format, percent) + ")";
        if (percent >= high) {
            String subject = Character.toUpperCase(what.charAt(0)) + what.substring(1);
            add(id, WarningSeverity.WARNING, subject + " high " + figure, rootPath(), null);
        } else {
            // The processor is never praised as low: 12 % is normal for it, 13 % of the memory is little.
            String word = !id.equals("cpu-high") && percent < 50 ? "low" : "normal";
            normal.add(what + " " + word + " " + figure);
        }
    }

    private static @Nullable Double percent(@Nullable Long used, @Nullable Long total) {
        return used == null || total == null || total <= 0 ? null : 100.0 * used / total;
    }

    private void andMore(String id, WarningSeverity severity, int more, String what) {
        if (more > 0) {
            add(id, severity, "+" + more + " more " + what, rootPath(), null);
        }
    }

    private String rootPath() {
        return runtime.root().path().toString();
    }

    private String shortName(SnapshotTaker.Visit visit) {
        long id = visit.node().id();
        if (names.knows(id)) {
            return names.of(id);
        }
        ShortNames single = new ShortNames();
        single.add(id, visit.path());
        single.decide();
        return single.of(id);
    }

    private static String time(Duration duration) {
        return HumanText.duration(duration);
    }
}
