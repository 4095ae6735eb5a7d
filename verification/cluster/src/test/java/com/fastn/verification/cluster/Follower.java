package com.fastn.verification.cluster;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.core.streams.ReadStream;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What a node was last told by its streams of the cluster, and what is so, whatever the library says. */
final class Follower {
    private static final long TICK_MILLIS = 100;
    /** Each says each second that it lives, and is called silent after three: of two one was late by so much at least. */
    private static final long STILL_MILLIS = 1_000;

    private final Map<String, Progress> progress = new ConcurrentHashMap<>();
    private final List<Followed> followed = new CopyOnWriteArrayList<>();
    private final List<JsonObject> standstills = new CopyOnWriteArrayList<>();

    /**
     * Follows.
     *
     * @param how what the stream is called
     * @param alias of whom alone it tells, or {@code null} for all
     * @param stream what tells
     */
    void follow(String how, @Nullable String alias, ReadStream<ClusterStatus> stream) {
        Followed each = new Followed(how, alias, stream);
        followed.add(each);
        stream.handler(each::told);
    }

    /** Reads nothing any more. */
    void pause() {
        followed.forEach(each -> each.stream.pause());
    }

    void resume() {
        followed.forEach(each -> each.stream.resume());
    }

    /** Notes from now on when the Vert.x context that calls stands still: so does a process that the machine does not let run. */
    void watchForStandstills(Vertx vertx) {
        AtomicLong lastMillis = new AtomicLong(nowMillis());
        vertx.setPeriodic(TICK_MILLIS, tick -> {
            long now = nowMillis();
            long before = lastMillis.getAndSet(now);
            if (now - before >= STILL_MILLIS) {
                standstills.add(new JsonObject().put("from_ms", before).put("to_ms", now));
            }
        });
    }

    /** By a clock that all processes of a machine have in common. */
    private static long nowMillis() {
        return System.nanoTime() / 1_000_000;
    }

    /** One stream. */
    static final class Followed {
        private final String how;
        private final @Nullable String alias;
        private final ReadStream<ClusterStatus> stream;
        /** Whom it ever called stale or down, however shortly, and when that began. */
        private final List<JsonObject> everSilent = new CopyOnWriteArrayList<>();

        private final Set<String> silent = ConcurrentHashMap.newKeySet();
        /** Of whom it had something to tell. */
        private final Set<String> everTold = ConcurrentHashMap.newKeySet();

        private volatile JsonObject view = new JsonObject();

        Followed(String how, @Nullable String alias, ReadStream<ClusterStatus> stream) {
            this.how = how;
            this.alias = alias;
            this.stream = stream;
        }

        /** Takes note of what the stream tells. */
        void told(ClusterStatus cluster) {
            JsonArray rows = new JsonArray();
            for (NodeStatus row : cluster.nodes()) {
                JsonObject seenRow = new JsonObject()
                        .put("alias", row.node().alias())
                        .put("incarnation", row.node().incarnation())
                        .put("state", row.state().name())
                        .put("reason", row.reason())
                        .put("deadlock", row.snapshot() != null && warnsOfADeadlock(row.snapshot()));
                String incarnation = row.node().incarnation();
                if (row.state() != NodeState.STALE && row.state() != NodeState.DOWN) {
                    silent.remove(incarnation);
                } else if (silent.add(incarnation)) {
                    everSilent.add(
                            new JsonObject().put("incarnation", incarnation).put("at_ms", nowMillis()));
                }
                if (row.snapshot() != null) {
                    everTold.add(row.node().incarnation());
                    seenRow.put(
                            "served",
                            row.snapshot()
                                    .globalContext()
                                    .subtreeTotalCounters()
                                    .getOrDefault("served", 0L));
                }
                rows.add(seenRow);
            }
            view = new JsonObject()
                    .put("rows", rows)
                    .put("total", cluster.totalCounters().getOrDefault("served", 0L))
                    .put("ever_silent", new JsonArray(List.copyOf(everSilent)))
                    .put("ever_told", new JsonArray(List.copyOf(everTold)));
        }

        JsonObject view() {
            return view.copy().put("how", how).put("alias", alias);
        }
    }

    private static boolean warnsOfADeadlock(StatusSnapshot snapshot) {
        return snapshot.warnings().stream().anyMatch(warning -> warning.id().startsWith("deadlock"));
    }

    /**
     * Counts the streams whose frames come to this node, those of its status verticle included, how often they begin anew, and where
     * frames are missing.
     */
    void count(Vertx vertx) {
        vertx.eventBus().addInboundInterceptor(delivery -> {
            MultiMap headers = delivery.message().headers();
            String stream = headers.get("fastn-stream");
            String epoch = headers.get("fastn-epoch");
            String sequence = headers.get("fastn-sequence");
            if (stream == null
                    || epoch == null
                    || sequence == null
                    || progress.computeIfAbsent(stream, unseen -> new Progress(Long.parseLong(sequence) - 1))
                            .passes(Long.parseLong(epoch), Long.parseLong(sequence))) {
                delivery.next();
            }
        });
    }

    /** Keeps the next frames of each stream from who reads it. */
    void loseFrames() {
        progress.values().forEach(Progress::lose);
    }

    JsonObject view() {
        List<Progress> all = List.copyOf(progress.values());
        JsonArray views = new JsonArray();
        followed.forEach(each -> views.add(each.view()));
        return new JsonObject()
                .put("views", views)
                .put("standstills", new JsonArray(List.copyOf(standstills)))
                .put("streams", all.size())
                .put("restarts", all.stream().mapToLong(Progress::restarts).sum())
                .put("gaps", all.stream().mapToLong(Progress::gaps).sum())
                .put(
                        "gap_millis",
                        all.stream().mapToLong(Progress::gapMillis).max().orElse(0));
    }

    /** How far a stream is, by its protocol: frames of an epoch have the numbers from 1, and a later epoch repairs what is missing. */
    private static final class Progress {
        private static final int LOST = 2;

        // Guarded by this
        private long sequence;
        private long epoch = 1;
        private int toLose;
        private long gaps;
        private boolean broken;
        private long brokenNanos;
        private long goesOnNanos;

        Progress(long sequence) {
            this.sequence = sequence;
        }

        /** Whether the frame is to be told to who reads the stream. */
        synchronized boolean passes(long ofEpoch, long number) {
            if (ofEpoch < epoch) {
                return true;
            }
            if (ofEpoch > epoch || number == 1) {
                sequence = ofEpoch > epoch ? 0 : sequence;
                epoch = ofEpoch;
                broken = false;
            }
            if (toLose > 0) {
                toLose--;
                miss();
                return false;
            }
            if (number > sequence + 1) {
                miss();
            }
            sequence = Math.max(sequence, number);
            goesOnNanos = System.nanoTime();
            return true;
        }

        private void miss() {
            if (!broken) {
                broken = true;
                brokenNanos = System.nanoTime();
                goesOnNanos = brokenNanos;
                gaps++;
            }
        }

        synchronized void lose() {
            toLose = LOST;
        }

        synchronized long restarts() {
            return epoch - 1;
        }

        synchronized long gaps() {
            return gaps;
        }

        /** For how long it has gone on although frames are missing; a stream that is given up does not go on. */
        synchronized long gapMillis() {
            return broken ? (goesOnNanos - brokenNanos) / 1_000_000 : 0;
        }
    }

    /**
     * How much the node served, whom the cluster manager takes for its members there, and for how long that has not said where an
     * address is registered: without it nobody is found who was not known before.
     */
    JsonObject truth(Vertx vertx, long served) {
        ClusterManager manager = ((VertxInternal) vertx).clusterManager();
        long silentMillis = ManagerWatch.silentMillis(vertx);
        if (silentMillis == 0) {
            Promise<List<RegistrationInfo>> known = Promise.promise();
            manager.getRegistrations("anybody", known);
        }
        return new JsonObject()
                .put("manager_silent_millis", silentMillis)
                .put("served", served)
                .put("member", manager.getNodeId())
                .put("members", new JsonArray(manager.getNodes()));
    }
}
