package com.fastn.context;

import com.fastn.context.status.ContextKind;
import com.fastn.context.status.MetricValue;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.SystemMetrics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The application of the seed's sample displays, lived through the public API from its start to the moment of the display.
 * What happened is said with how long ago it was, in any order; {@link #snapshot} lets it happen in the order of time.
 */
final class SeedScene {
    static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");
    static final SystemMetrics MACHINE = new SystemMetrics(
            12.3,
            2_100_000_000L,
            16_000_000_000L,
            45_000_000_000L,
            500_000_000_000L,
            125_000L,
            67_000L,
            List.of(0.8, 1.2, 1.5),
            Duration.ofDays(5).plusHours(12).plusMinutes(45),
            SystemMetrics.Ages.UNKNOWN,
            null,
            null);

    private static final Duration UPTIME = time(2, 15, 32);

    private final ManualTicker ticker = new ManualTicker(NOON.minus(UPTIME));
    private final ContextRuntime runtime =
            ContextRuntime.builder().alias("alice").ticker(ticker).build();
    private final List<Step> steps = new ArrayList<>();

    // What the steps make, in the order in which they happen.
    private FastnContext listener = runtime.root();
    private FastnContext alice = runtime.root();
    private FastnContext stdout = runtime.root();
    private FastnContext stderr = runtime.root();
    private FastnContext bob = runtime.root();
    private FastnContext executor = runtime.root();
    private FastnContext proxy = runtime.root();
    private FastnContext pool = runtime.root();
    private FastnContext workers = runtime.root();
    private FastnContext chat = runtime.root();
    private FastnContext monitor = runtime.root();
    private FastnContext relay = runtime.root();

    private record Step(Duration ago, Runnable what) {}

    private SeedScene() {}

    static Duration time(int hours, int minutes, int seconds) {
        return Duration.ofHours(hours).plusMinutes(minutes).plusSeconds(seconds);
    }

    private static Duration seconds(double seconds) {
        return Duration.ofMillis(Math.round(seconds * 1_000));
    }

    private void ago(Duration ago, Runnable what) {
        steps.add(new Step(ago, what));
    }

    private void ago(double seconds, Runnable what) {
        ago(seconds(seconds), what);
    }

    /** The first display: what is there, and for how long. */
    static StatusSnapshot brief() {
        SeedScene scene = new SeedScene();
        scene.services(ContextKind.OTHER);
        scene.ago(60, () -> {
            scene.alice.setData("note", "bash shell");
            scene.bob.setData("note", "ls command");
            scene.executor.setData("note", "exit pending");
            scene.stdout.addMetric("processed", MetricValue.bytes(15_200_000));
            scene.stderr.addMetric("processed", MetricValue.bytes(2_100));
            scene.pool.addMetric("active", 45);
            scene.pool.addMetric("requests", 1_234);
            scene.workers = scene.proxy
                    .child("request-handler-pool")
                    .withKind(ContextKind.OTHER)
                    .open();
            scene.workers.addMetric("workers_active", 12);
            scene.monitor.addMetric("users_tracked", 15);
            scene.relay.addMetric("messages", 4_567);
        });
        return scene.snapshot();
    }

    /** The second display: signs of life, and locks. */
    static StatusSnapshot locks() {
        SeedScene scene = new SeedScene();
        scene.services(ContextKind.TASK);
        scene.signsOfLife();
        return scene.snapshot();
    }

    /** The third display: the same, counted, on a machine. */
    static StatusSnapshot counters() {
        SeedScene scene = new SeedScene();
        scene.services(ContextKind.TASK);
        scene.counts();
        scene.signsOfLife();
        scene.runtime.setSystemMetrics(() -> MACHINE);
        return scene.snapshot();
    }

    /** The fourth display: the second one, on a machine. */
    static StatusSnapshot system() {
        SeedScene scene = new SeedScene();
        scene.services(ContextKind.TASK);
        scene.signsOfLife();
        scene.runtime.setSystemMetrics(() -> MACHINE);
        return scene.snapshot();
    }

    private void services(ContextKind poolKind) {
        FastnContext root = runtime.root();
        ago(time(2, 15, 0), () -> {
            proxy = root.child("http-proxy")
                    .withKind(ContextKind.SERVICE)
                    .withLabel("HTTP Proxy")
                    .open();
            pool = proxy.child("connection-pool").withKind(poolKind).open();
        });
        ago(
                time(1, 45, 0),
                () -> listener = root.child("remote-access")
                        .withKind(ContextKind.SERVICE)
                        .withLabel("Remote Access Listener")
                        .open());
        ago(time(0, 35, 0), () -> {
            chat = root.child("chat-service")
                    .withKind(ContextKind.SERVICE)
                    .withLabel("Chat Service")
                    .open();
            monitor = chat.child("presence-monitor").open();
            relay = chat.child("message-relay").open();
        });
        ago(time(0, 23, 12), () -> {
            alice = listener.child("alice@bv478gen")
                    .withKind(ContextKind.SESSION)
                    .open();
            stdout = alice.child("stdout-handler").open();
        });
        ago(time(0, 18, 45), () -> stderr = alice.child("stderr-stream").open());
        ago(time(0, 8, 33), () -> {
            bob = listener.child("bob@p2nd7avq").withKind(ContextKind.SESSION).open();
            executor = bob.child("command-executor").open();
        });
    }

    private void signsOfLife() {
        ago(40, () -> {
            executor.setData("note", "exit pending");
            relay.setData("note", "processing queue");
            pool.addMetric("connections", 45);
            pool.addMetric("oldest", time(0, 34, 12));
        });
        ago(30, () -> monitor.touch("heartbeat"));
        ago(12.3, () -> lock(stdout, "session-output-lock"));
        ago(8.1, () -> lock(stderr, "session-output-lock"));
        ago(3, () -> executor.touch());
        ago(2.3, () -> listener.touch());
        ago(2, () -> relay.touch());
        ago(1.2, () -> chat.touch("message"));
        ago(0.8, () -> proxy.touch("request"));
        ago(0.5, () -> alice.touch());
        ago(0.2, () -> lock(pool, "pool-resize-lock"));
        ago(0.1, () -> {
            // It keeps the lock when it has ended, and so is seen where locks are, and in no tree.
            FastnContext service = runtime.root()
                    .child("user-service")
                    .withKind(ContextKind.SERVICE)
                    .open();
            FastnContext writer = service.child("db-writer").open();
            try (ContextScope ignored = writer.makeCurrent()) {
                // Work that outlives the context that began it, and gives the lock back itself.
                runtime.root().mutex("user-table-write-lock").withLock(nothing -> new CompletableFuture<Void>());
            }
            writer.close();
            service.close();
            bob.touch();
        });
    }

    private void lock(FastnContext asker, String name) {
        try (ContextScope ignored = asker.makeCurrent()) {
            CompletableFuture<?> held = runtime.root().mutex(name).lock().toCompletableFuture();
            if (held.isCompletedExceptionally()) {
                throw new AssertionError(name + " was refused");
            }
        }
    }

    private void counts() {
        ago(50, () -> {
            FastnContext root = runtime.root();
            count(root, "connections", 1_247, 47);
            count(root, "requests", 15_432, 0);
            count(root, "active_requests", 0, 12);
            count(listener, "connections", 234, 2);
            count(listener, "commands", 2_156, 3);
            count(alice, "commands", 45, 1);
            count(alice, "successful_commands", 42, 0);
            count(alice, "failed_commands", 3, 0);
            count(bob, "commands", 12, 1);
            count(bob, "successful_commands", 12, 0);
            count(proxy, "requests", 1_013, 8);
            count(proxy, "successful_requests", 987, 0);
            count(proxy, "failed_requests", 26, 0);
            count(proxy, "connections", 0, 45);
            count(chat, "messages", 4_567, 0);
            count(chat, "users_joined", 89, 0);
            count(chat, "users", 0, 15);
            count(chat, "conversations", 0, 3);
        });
    }

    private static void count(FastnContext context, String counter, long total, int live) {
        if (total > 0) {
            context.addTotal(counter, total);
        }
        for (int i = 0; i < live; i++) {
            context.incrementLive(counter);
        }
    }

    private StatusSnapshot snapshot() {
        steps.sort(Comparator.comparing(Step::ago).reversed());
        Duration left = UPTIME;
        for (Step step : steps) {
            ticker.advance(left.minus(step.ago()));
            left = step.ago();
            step.what().run();
        }
        ticker.advance(left);
        try (runtime;
                ContextScope ignored = stdout.makeCurrent()) {
            return runtime.status();
        }
    }
}
