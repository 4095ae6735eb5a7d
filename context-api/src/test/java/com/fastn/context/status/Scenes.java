package com.fastn.context.status;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The displays of the seed as records, and a cluster. */
final class Scenes {
    static final Instant NOON = Instant.parse("2026-03-04T12:00:00.123Z");

    private Scenes() {}

    static StatusSnapshot of(Row root) {
        return new StatusSnapshot(
                new NodeIdentity("alice", "1772625600000-5f"),
                NOON,
                7,
                null,
                root.status(),
                List.of(),
                List.of(),
                List.of());
    }

    /** Contexts that ended, in each of the ways to end. */
    static StatusSnapshot recent() {
        return of(new Row(1, "global", ContextKind.ROOT).age("1m"))
                .withRecent(List.of(
                        ended(9, "http.req", "2.3s", new FinishedContext.Completed()),
                        calledBy(
                                new CallerLink("bob", "1-b", 88, "global.front"),
                                "4bf92f3577b34da6a3ce929d0e0e4736",
                                ended(
                                        8,
                                        "job",
                                        "1m 2s",
                                        new FinishedContext.Failed("IllegalStateException: out of stock"))),
                        ended(
                                7,
                                "alice-session",
                                "15.2s",
                                new FinishedContext.Cancelled(new CancelReason(
                                        CancelReason.Kind.TIMEOUT, "its time of PT15S ran out", "global.job")))));
    }

    static FinishedContext calledBy(CallerLink caller, @Nullable String traceId, FinishedContext ended) {
        return new FinishedContext(
                ended.id(),
                ended.path(),
                ended.label(),
                ended.kind(),
                ended.startedAt(),
                ended.endedAt(),
                ended.duration(),
                ended.outcome(),
                ended.pathTotals(),
                caller,
                traceId);
    }

    static FinishedContext ended(long id, String name, String duration, FinishedContext.Outcome outcome) {
        return new FinishedContext(
                id,
                ContextPath.of("global", name),
                name,
                ContextKind.TASK,
                NOON.minusSeconds(100),
                NOON.minusSeconds(1),
                Row.time(duration),
                outcome,
                Map.of("pages", 3L));
    }

    /** The seed's first display. */
    static StatusSnapshot briefTree() {
        Row root = new Row(1, "global", ContextKind.ROOT)
                .label("Global Context")
                .age("2h 15m 32s")
                .active("0.1s");
        root.with(
                new Row(2, "remote-access", ContextKind.SERVICE)
                        .label("Remote Access Listener")
                        .age("1h 45m")
                        .with(
                                new Row(3, "alice@bv478gen", ContextKind.SESSION)
                                        .age("23m 12s")
                                        .note("bash shell")
                                        .with(
                                                new Row(4, "stdout-handler", ContextKind.TASK)
                                                        .age("23m 12s")
                                                        .metric("processed", MetricValue.bytes(15_200_000)),
                                                new Row(5, "stderr-stream", ContextKind.TASK)
                                                        .age("18m 45s")
                                                        .metric("processed", MetricValue.bytes(2_100))),
                                new Row(6, "bob@p2nd7avq", ContextKind.SESSION)
                                        .age("8m 33s")
                                        .note("ls command")
                                        .with(new Row(7, "command-executor", ContextKind.TASK)
                                                .age("8m 33s")
                                                .note("exit pending"))),
                new Row(8, "http-proxy", ContextKind.SERVICE)
                        .label("HTTP Proxy")
                        .age("2h 15m")
                        .with(
                                new Row(9, "connection-pool", ContextKind.OTHER)
                                        .age("2h 15m")
                                        .metric("active", MetricValue.counter(45))
                                        .metric("requests", MetricValue.counter(1_234)),
                                new Row(10, "request-handler-pool", ContextKind.OTHER)
                                        .age("2h 15m")
                                        .metric("workers_active", MetricValue.counter(12))),
                new Row(11, "chat-service", ContextKind.SERVICE)
                        .label("Chat Service")
                        .age("35m")
                        .with(
                                new Row(12, "presence-monitor", ContextKind.TASK)
                                        .age("35m")
                                        .metric("users_tracked", MetricValue.counter(15)),
                                new Row(13, "message-relay", ContextKind.TASK)
                                        .age("35m")
                                        .metric("messages", MetricValue.counter(4_567))));
        return of(root);
    }

    /** The seed's second display: timing and locks. */
    static StatusSnapshot locks() {
        return new StatusSnapshot(
                new NodeIdentity("alice", "1772625600000-5f"),
                NOON,
                7,
                null,
                tree(false).status(),
                heldLocks(),
                waiters(),
                List.of(longHeld(), stuckWaiter()));
    }

    /** The seed's third display: counters. */
    static StatusSnapshot counters() {
        return new StatusSnapshot(
                new NodeIdentity("alice", "1772625600000-5f"),
                NOON,
                7,
                machine(null, null),
                tree(true).status(),
                heldLocks(),
                waiters(),
                List.of());
    }

    /** The seed's fourth display: the machine and good news, and what was added to it. */
    static StatusSnapshot system() {
        SystemMetrics metrics = machine(
                new SystemMetrics.Jvm(
                        84_000_000,
                        512_000_000L,
                        34,
                        Duration.ofMillis(1_200),
                        23,
                        Row.time("2h 15m 33s"),
                        4_711,
                        "17.0.15"),
                new SystemMetrics.Container(2.0, 1_000_000_000L, 500_000_000L));
        return new StatusSnapshot(
                new NodeIdentity("alice", "1772625600000-5f"),
                NOON,
                7,
                metrics,
                tree(false).status(),
                heldLocks(),
                waiters(),
                List.of(
                        longHeld(),
                        stuckWaiter(),
                        new StatusWarning(
                                "usage-normal",
                                WarningSeverity.INFO,
                                "CPU usage normal (12.3%), memory usage low (13%)",
                                "global",
                                null)));
    }

    /** Three nodes, one of them silent. */
    static ClusterStatus cluster() {
        Row bob = new Row(1, "global", ContextKind.ROOT)
                .label("Global Context")
                .age("4m 2s")
                .active("1.4s")
                .with(new Row(2, "bank.pay", ContextKind.SERVICE)
                        .age("4m 1s")
                        .active("message", "11.9s")
                        .with(
                                new Row(3, "message", ContextKind.MESSAGE)
                                        .age("11.9s")
                                        .active("11.9s")
                                        .inside("ledger-write", "11.9s", true)
                                        .calledBy("global.http.req", 88, "alice"),
                                new Row(4, "message", ContextKind.MESSAGE)
                                        .age("0.3s")
                                        .active("0.3s")
                                        .inside("db-query", "0.2s", false))
                        .folded(12_345, 37_035, "34m", 3));
        StatusSnapshot second = new StatusSnapshot(
                new NodeIdentity("bob", "1772625601000-7a"),
                NOON,
                3,
                new SystemMetrics(
                        null,
                        2_100_000_000L,
                        null,
                        null,
                        null,
                        0L,
                        null,
                        null,
                        null,
                        SystemMetrics.Ages.UNKNOWN,
                        null,
                        null),
                bob.status(),
                List.of(),
                List.of(),
                List.of(new StatusWarning(
                        "event-loop-blocked",
                        WarningSeverity.CRITICAL,
                        "event loop blocked 11.9s in bank.pay",
                        "global.bank\\.pay",
                        "fastn explain 3@bob")));
        return new ClusterStatus(
                NOON,
                "alice",
                List.of(
                        new NodeStatus(
                                new NodeIdentity("alice", "1772625600000-5f"),
                                NodeState.UP,
                                Duration.ZERO,
                                null,
                                null,
                                system()),
                        new NodeStatus(
                                new NodeIdentity("bob", "1772625601000-7a"),
                                NodeState.UP,
                                Duration.ofMillis(3),
                                null,
                                null,
                                second),
                        new NodeStatus(
                                new NodeIdentity("carol", "1772625602000-11"),
                                NodeState.DOWN,
                                Duration.ofSeconds(34),
                                "no answer within 1s",
                                new NodeSummary(34, 2, 1, 0),
                                null)));
    }

    private static Row tree(boolean counted) {
        Row root = new Row(1, "global", ContextKind.ROOT)
                .label("Global Context")
                .age("2h 15m 32s")
                .active("0.1s");
        Row listener = new Row(2, "remote-access", ContextKind.SERVICE)
                .label("Remote Access Listener")
                .age("1h 45m")
                .active("2.3s");
        Row alice =
                new Row(3, "alice@bv478gen", ContextKind.SESSION).age("23m 12s").active("0.5s");
        Row bob = new Row(6, "bob@p2nd7avq", ContextKind.SESSION).age("8m 33s").active("0.1s");
        Row proxy = new Row(8, "http-proxy", ContextKind.SERVICE)
                .label("HTTP Proxy")
                .age("2h 15m")
                .active("request", "0.8s");
        Row chat = new Row(11, "chat-service", ContextKind.SERVICE)
                .label("Chat Service")
                .age("35m")
                .active("message", "1.2s");
        if (counted) {
            root.total("connections", 1_247)
                    .below("requests", 15_432, 0)
                    .live("connections", 47)
                    .live("active_requests", 12);
            listener.total("connections", 234)
                    .total("commands", 2_156)
                    .live("connections", 2)
                    .live("commands", 3);
            alice.total("commands", 45)
                    .total("successful_commands", 42)
                    .total("failed_commands", 3)
                    .live("commands", 1);
            bob.total("commands", 12).total("successful_commands", 12).live("commands", 1);
            proxy.total("requests", 1_013)
                    .total("successful_requests", 987)
                    .total("failed_requests", 26)
                    .live("connections", 45)
                    .live("requests", 8);
            chat.total("messages", 4_567)
                    .total("users_joined", 89)
                    .live("users", 15)
                    .live("conversations", 3);
        }
        return root.with(
                listener.with(
                        alice.with(
                                new Row(4, "stdout-handler", ContextKind.TASK)
                                        .age("23m 12s")
                                        .onThread(),
                                new Row(5, "stderr-stream", ContextKind.TASK)
                                        .age("18m 45s")
                                        .active("8.1s")),
                        bob.with(new Row(7, "command-executor", ContextKind.TASK)
                                .age("8m 33s")
                                .active("3s")
                                .note("exit pending"))),
                proxy.with(new Row(9, "connection-pool", ContextKind.TASK)
                        .age("2h 15m")
                        .active("9s")
                        .metric("connections", MetricValue.counter(45))
                        .metric("oldest", MetricValue.duration(Row.time("34m 12s")))),
                chat.with(
                        new Row(12, "presence-monitor", ContextKind.TASK)
                                .age("35m")
                                .active("heartbeat", "30s"),
                        new Row(13, "message-relay", ContextKind.TASK)
                                .age("35m")
                                .active("2s")
                                .note("processing queue")));
    }

    private static List<LockStatus> heldLocks() {
        return List.of(
                lock("session-output-lock", 1, "alice/stdout-handler", 4, "12.3s", 1, true),
                lock("user-table-write-lock", 2, "user-service/db-writer", 99, "0.1s", 0, false),
                lock("pool-resize-lock", 3, "http-proxy/connection-pool", 9, "0.2s", 0, false));
    }

    static LockStatus lock(
            String name, long lockId, String holder, long holderId, String held, int waiters, boolean longHeld) {
        return new LockStatus(
                name,
                lockId,
                LockType.MUTEX,
                holder,
                holderId,
                ContextPath.of("global", holder),
                Row.time(held),
                lockId,
                waiters,
                longHeld);
    }

    static List<LockWaiter> waiters() {
        return List.of(new LockWaiter(
                "alice/stderr-stream",
                5,
                ContextPath.of("global", "remote-access", "alice@bv478gen", "stderr-stream"),
                "session-output-lock",
                1,
                Row.time("8.1s"),
                true));
    }

    private static StatusWarning longHeld() {
        return new StatusWarning(
                "lock-long-held",
                WarningSeverity.WARNING,
                "Long-held lock \"session-output-lock\" (12.3s), 1 waiting",
                "global.remote-access.alice@bv478gen.stdout-handler",
                null);
    }

    private static StatusWarning stuckWaiter() {
        return new StatusWarning(
                "waiter-stuck",
                WarningSeverity.WARNING,
                "stderr-stream stuck waiting (8.1s)",
                "global.remote-access.alice@bv478gen.stderr-stream",
                "look at what alice/stdout-handler does");
    }

    private static SystemMetrics machine(SystemMetrics.@Nullable Jvm jvm, SystemMetrics.@Nullable Container container) {
        return new SystemMetrics(
                12.3,
                2_100_000_000L,
                16_000_000_000L,
                45_000_000_000L,
                500_000_000_000L,
                125_000L,
                67_000L,
                List.of(0.8, 1.2, 1.5),
                Row.time("5d 12h 45m"),
                SystemMetrics.Ages.UNKNOWN,
                jvm,
                container);
    }
}
