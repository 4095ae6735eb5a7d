package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.status.http.StreamItem;
import com.fastn.status.http.StreamReader;
import com.fastn.status.stream.Silence;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The status that several readers watch, as it changes: the first change at once, later ones at most once per second.
 *
 * <p>A change wakes it. Once a second it looks whether passing time alone made a warning, and less often where looking is
 * expensive, so that it takes at most a twentieth of a processor. What changes in the cluster, this node included, the bus tells a
 * {@link FollowedCluster}.
 */
final class StatusFeed {
    private static final int SHARE = 20;
    private static final Logger LOG = LoggerFactory.getLogger(StatusFeed.class);

    private final StatusRequest request;
    private final PortThreads threads;
    private final LocalStatus local;
    private final @Nullable FollowedCluster cluster;
    private final Ticker ticker;
    private final long paceNanos;
    private final List<Reader> readers = new CopyOnWriteArrayList<>();

    /** Whether something changed after the look that is under way began. */
    private volatile boolean dirty;

    @GuardedBy("this")
    private boolean closed;

    @GuardedBy("this")
    private boolean looking;

    @GuardedBy("this")
    private @Nullable Long wakeNanos;

    @GuardedBy("this")
    private long lookNanos;

    @GuardedBy("this")
    private long lookPaceNanos;

    @GuardedBy("this")
    private long toldNanos;

    @GuardedBy("this")
    private @Nullable Told latest;

    StatusFeed(
            StatusRequest request,
            PortThreads threads,
            LocalStatus local,
            ClusterAnswers cluster,
            BusDoor bus,
            Ticker ticker,
            Duration pace) {
        this.request = request;
        this.threads = threads;
        this.local = local;
        this.ticker = ticker;
        this.paceNanos = pace.toNanos();
        this.cluster = request.cluster() ? new FollowedCluster(request.query(), cluster, bus, this::changed) : null;
    }

    /** Takes note of a change. Called by the thread that made it, so it does next to nothing. */
    void changed() {
        if (!dirty) {
            dirty = true;
            threads.after(Duration.ZERO, this::proceed);
        }
    }

    /** Looks, if that is due, and otherwise sees to it that this is called again when it is. */
    void proceed() {
        long began;
        boolean eventful;
        synchronized (this) {
            if (closed || looking) {
                return;
            }
            long now = ticker.nanos();
            long wait = 0;
            if (latest != null) {
                wait = lookNanos + lookPaceNanos - now;
                if (dirty) {
                    wait = Math.min(wait, toldNanos + Math.max(paceNanos, lookPaceNanos) - now);
                }
            }
            if (wait > 0) {
                wakeAt(now + wait, wait);
                return;
            }
            looking = true;
            eventful = dirty;
            dirty = false;
            began = now;
        }
        if (cluster == null) {
            // From here on the next change is told of again, also where no look comes of what follows.
            var unused = local.version();
        }
        var unusedToo = look().whenComplete((told, failure) -> looked(told, failure, began, eventful));
    }

    @GuardedBy("this")
    private void wakeAt(long nanos, long wait) {
        if (wakeNanos != null && wakeNanos - nanos <= 0) {
            return;
        }
        wakeNanos = nanos;
        threads.after(Duration.ofNanos(wait), () -> {
            synchronized (this) {
                if (wakeNanos != null && wakeNanos == nanos) {
                    wakeNanos = null;
                }
            }
            proceed();
        });
    }

    private CompletableFuture<Told> look() {
        StatusQuery query = request.query();
        try {
            if (cluster != null) {
                return cluster.look()
                        .thenCompose(status -> threads.work(() -> Told.of(status)))
                        .exceptionally(StatusFeed::gone);
            }
            return threads.work(() -> {
                        StatusSnapshot snapshot = local.take(query, Duration.ZERO);
                        return Told.of(Answers.fitting(
                                request.recent()
                                        ? snapshot.withRecent(local.recent(query, StatusRoutes.MOST_RECENT))
                                        : snapshot));
                    })
                    .exceptionally(StatusFeed::gone);
        } catch (BadQueryException e) {
            return CompletableFuture.completedFuture(gone(e));
        }
    }

    /** What is watched may end and come back, so that is told like any other change. */
    private static Told gone(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof BadQueryException bad) {
            return Told.of(bad);
        }
        throw failure instanceof RuntimeException e ? e : new CompletionException(failure);
    }

    private void looked(@Nullable Told told, @Nullable Throwable failure, long began, boolean eventful) {
        boolean news;
        synchronized (this) {
            looking = false;
            if (closed) {
                return;
            }
            long now = ticker.nanos();
            lookNanos = now;
            lookPaceNanos = request.cluster() ? paceNanos : Math.max(paceNanos, (now - began) * SHARE);
            news = told != null && (latest == null || !told.sign.equals(latest.sign));
            if (told != null && news) {
                latest = told;
            }
            if (news || eventful || failure != null) {
                // Also a change that told nothing, or could not be looked at: the next would be another look at once.
                toldNanos = now;
            }
        }
        if (failure != null) {
            LOG.warn("what is watched could not be looked at, and is looked at again in a second", failure);
            threads.after(Duration.ofNanos(paceNanos), this::proceed);
            return;
        }
        if (news) {
            readers.forEach(reader -> reader.news.run());
        }
        proceed();
    }

    Reader newReader(boolean deltas, Runnable news, Runnable onClose) {
        Reader reader = new Reader(deltas, news, onClose);
        readers.add(reader);
        return reader;
    }

    boolean isWatched() {
        return !readers.isEmpty();
    }

    void close() {
        synchronized (this) {
            closed = true;
        }
        if (cluster != null) {
            cluster.close();
        }
    }

    private synchronized @Nullable Told latest() {
        return latest;
    }

    /** One reader's place. */
    final class Reader implements StreamReader {
        private final boolean deltas;
        private final Runnable news;
        private final Runnable onClose;
        private volatile @Nullable Told read;

        Reader(boolean deltas, Runnable news, Runnable onClose) {
            this.deltas = deltas;
            this.news = news;
            this.onClose = onClose;
        }

        @Override
        public CompletionStage<@Nullable StreamItem> next() {
            Told now = latest();
            Told before = read;
            if (now == null || now == before) {
                return CompletableFuture.completedFuture(null);
            }
            read = now;
            return threads.work(() -> deltas && before != null ? now.since(before) : now.whole());
        }

        @Override
        public void close() {
            if (readers.remove(this)) {
                onClose.run();
            }
        }
    }

    /** Something that is told to all readers. Its sign differs from that of anything else. */
    private static final class Told {
        private final Object sign;
        private final String event;
        private final @Nullable StatusSnapshot snapshot;

        @GuardedBy("this")
        private @Nullable ClusterStatus cluster;

        @GuardedBy("this")
        private byte @Nullable [] line;

        private Told(
                Object sign,
                String event,
                @Nullable StatusSnapshot snapshot,
                @Nullable ClusterStatus cluster,
                byte @Nullable [] line) {
            this.sign = sign;
            this.event = event;
            this.snapshot = snapshot;
            this.cluster = cluster;
            this.line = line;
        }

        static Told of(StatusSnapshot snapshot) {
            return new Told(sign(snapshot), "status", snapshot, null, null);
        }

        static Told of(ClusterStatus cluster) {
            List<Object> sign = new ArrayList<>();
            for (NodeStatus node : cluster.nodes()) {
                StatusSnapshot part = node.snapshot();
                sign.add(List.of(
                        node.node(),
                        node.state(),
                        node.reason() == null ? "" : node.reason(),
                        // Of a part they may change though that does not.
                        node.summary() == null || Silence.countsItself(part) ? "" : node.summary(),
                        part == null ? "" : sign(part)));
            }
            return new Told(sign, "status", null, cluster, null);
        }

        static Told of(BadQueryException bad) {
            StreamItem error = StreamItem.error(bad.code(), bad.sentence());
            return new Told(List.of(bad.code(), bad.sentence()), error.event(), null, null, error.line());
        }

        /** Passing time changes a version as little as it changes what is warned of, until it does. */
        private static Object sign(StatusSnapshot snapshot) {
            List<Object> sign = new ArrayList<>();
            sign.add(snapshot.node());
            sign.add(snapshot.version());
            for (StatusWarning warning : snapshot.warnings()) {
                sign.add(List.of(
                        warning.id(),
                        warning.severity(),
                        warning.contextPath(),
                        warning.contextId(),
                        NodeWatch.more(warning)));
            }
            return sign;
        }

        StreamItem whole() {
            return new StreamItem(event, id(), line());
        }

        /** {@return what changed, or everything where that is not shorter or cannot be compared} */
        StreamItem since(Told before) {
            if (snapshot == null || before.snapshot == null) {
                return whole();
            }
            byte[] delta;
            try {
                delta = Answers.delta(SnapshotDelta.between(before.snapshot, snapshot));
            } catch (IllegalArgumentException e) {
                return whole();
            }
            return delta.length < line().length ? new StreamItem("delta", id(), delta) : whole();
        }

        private @Nullable String id() {
            return snapshot == null ? null : String.valueOf(snapshot.version());
        }

        private synchronized byte[] line() {
            byte[] written = line;
            if (written == null) {
                written = snapshot != null ? Answers.whole(snapshot) : Answers.json(requireNonNull(cluster));
                line = written;
                // A reader that is slow keeps the line, and not the trees of all nodes beside it.
                cluster = null;
            }
            return written;
        }
    }
}
