package com.fastn.context.engine;

import com.fastn.context.DeadlockPolicy;
import com.fastn.context.Registration;
import com.fastn.context.WarningIds;
import com.fastn.context.status.BlockedPlace;
import com.fastn.context.status.Causes;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.WaitEpisode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Why the contexts of a runtime are stuck, asked of its own snapshots and of the threads of this process. */
final class CauseFinder {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int MOST_FRAMES = 64;

    private final EngineRuntime runtime;
    private final DeadlockDetector deadlocks;
    private final EpisodeLog episodes = new EpisodeLog();
    private final EpisodeWatch watch;
    private volatile @Nullable Supplier<List<BlockedPlace>> places;

    CauseFinder(EngineRuntime runtime, DeadlockPolicy policy) {
        this.runtime = runtime;
        this.deadlocks = new DeadlockDetector(runtime, policy);
        this.watch = new EpisodeWatch(runtime, this);
    }

    DeadlockDetector deadlocks() {
        return deadlocks;
    }

    /** For tests. */
    EpisodeWatch watch() {
        return watch;
    }

    /** Called for each wait, outside of monitors, by the thread that asked. */
    void queued(Waiter<?> waiter) {
        try {
            deadlocks.queued(waiter);
        } finally {
            watch.queued(waiter);
        }
    }

    void stalled() {
        watch.stalled();
    }

    /**
     * Called for each deadlock once it is found, so that one that is over when somebody looks is known as well. A suspicion that is
     * over by then was none.
     */
    void found(DeadlockReport deadlock, long nanos) {
        try {
            // Who explains does not know the contexts of other runtimes, and would name another root.
            if (deadlock.proven()
                    && deadlock.parties().stream()
                            .allMatch(party -> party.context().node().equals(runtime.node()))) {
                episodes.found(deadlock, nanos, runtime.ticker().wallTime());
            }
            watch.stalled();
        } catch (Throwable t) {
            LOG.warn("a deadlock is not kept among the episodes", LoggedFailure.of(t));
        }
    }

    Registration setPlaces(Supplier<List<BlockedPlace>> source) {
        places = source;
        return () -> {
            if (places == source) {
                places = null;
            }
        };
    }

    /**
     * What is known at the moment of a snapshot.
     *
     * @param causes what is told
     * @param deadlocks the deadlocks among that, and how many are left out
     */
    record Known(Causes causes, DeadlockDetector.Told deadlocks) {}

    /** What is known at the moment of a snapshot; of a part of the tree, only what concerns the locks of that part. */
    Known of(List<LockView> views, boolean whole) {
        Supplier<List<BlockedPlace>> source = places;
        List<BlockedPlace> blocked = List.of();
        if (whole && source != null) {
            try {
                blocked = List.copyOf(source.get());
            } catch (Throwable t) {
                LOG.warn("the source of blocked places failed; the snapshot goes on without them", LoggedFailure.of(t));
            }
        }
        var found = deadlocks.among(views);
        Causes told = found.reports().isEmpty() && blocked.isEmpty()
                ? Causes.NONE
                : new Causes(found.reports(), blocked, List.of());
        return new Known(told, found);
    }

    @Nullable
    Explanation explain(long contextId) {
        return explainer(runtime.status()).explain(contextId);
    }

    @Nullable
    Explanation explain(String path) {
        return explainer(runtime.status()).explain(path);
    }

    List<Explanation> explainAll() {
        // Read first: what is told as of a moment was at most that old.
        long at = runtime.nanos();
        StatusSnapshot snapshot = runtime.status();
        List<Explanation> all = explainer(snapshot).explainAll();
        episodes.fold(all, at, snapshot.timestamp());
        return all;
    }

    List<WaitEpisode> episodes() {
        var unused = explainAll();
        return knownEpisodes();
    }

    /** Those that are known by now; a snapshot may be of a part, and is not what they are found in. */
    List<WaitEpisode> knownEpisodes() {
        return episodes.list(runtime.nanos());
    }

    /** Called for each operation that took longer than the shortest time that is slow for any, so that it can be told of. */
    void endedLate(ContextNode inside, String operation, long startNanos, long endNanos) {
        try {
            long slowNanos = WarningSettings.operationSlowNanos(inside);
            if (endNanos - startNanos > slowNanos
                    && !WarningSettings.of(inside).isOff(WarningIds.OPERATION_SLOW)
                    && inside.isSlowByItself(operation, startNanos, endNanos, slowNanos)) {
                Instant wall = runtime.ticker().wallTime();
                episodes.ended(new SlowOperations.Ended(inside, operation, startNanos, endNanos, wall, slowNanos));
            }
        } catch (Throwable t) {
            // The clock is the application's; who ends an operation, or a context with several, goes on without it.
            LOG.warn("a slow operation is not kept among the episodes", LoggedFailure.of(t));
        }
    }

    /** {@return whether somebody is stuck} */
    boolean lookForEpisodes() {
        var unused = explainAll();
        return episodes.isAnyOpen();
    }

    boolean isEpisodeOpen() {
        return episodes.isAnyOpen();
    }

    private Explainer explainer(StatusSnapshot snapshot) {
        Running running = new Running(runtime);
        return Explainer.of(snapshot, context -> {
            ContextNode node = running.of(context.contextId());
            return node == null ? List.of() : stackOf(node);
        });
    }

    /** The contexts that run on threads, by their ids: found by one walk, however many of them are asked for. */
    private static final class Running {
        private final EngineRuntime runtime;
        private @Nullable Map<Long, ContextNode> byId;

        Running(EngineRuntime runtime) {
            this.runtime = runtime;
        }

        @Nullable
        ContextNode of(long contextId) {
            Map<Long, ContextNode> known = byId;
            if (known == null) {
                known = new HashMap<>();
                SnapshotWalk all = SnapshotWalk.from(runtime.root());
                for (int i = 0; i < all.size(); i++) {
                    ContextNode node = all.node(i);
                    if (node.isOnThread()) {
                        known.put(node.id(), node);
                    }
                }
                byId = known;
            }
            return known.get(contextId);
        }
    }

    /** The frames of the thread that a context runs on now; none where it is the one that asks. */
    private static List<String> stackOf(ContextNode node) {
        for (Thread thread : node.threads()) {
            if (thread == Thread.currentThread()) {
                continue;
            }
            List<String> frames = new ArrayList<>();
            for (StackTraceElement frame : thread.getStackTrace()) {
                if (frames.size() == MOST_FRAMES) {
                    break;
                }
                frames.add(frame.toString());
            }
            // It may have left meanwhile, and then these frames are of something else.
            if (!frames.isEmpty() && node.threads().contains(thread)) {
                return frames;
            }
        }
        return List.of();
    }
}
