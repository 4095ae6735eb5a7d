package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.status.stream.Outbox;
import com.fastn.status.stream.StreamFrame;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves streams of status to those who subscribed: of this node, or of the whole cluster as this node knows it.
 *
 * <p>A stream lives as long as its reader renews the lease; while nothing changes that is all that is sent. It belongs to the
 * verticle's context.
 */
final class StreamService {
    static final Duration LEASE = Duration.ofSeconds(10);
    /** A stream begins anew at most this often: whoever begins anew is told the whole, and has all its credits again. */
    static final Duration RESTART_PACE = Duration.ofSeconds(2);

    /** Of the whole cluster, for those who watch it. */
    private static final int MOST_STREAMS = 64;
    /** Of this node alone: as many as there may be other nodes, each of which may have somebody who watches there. */
    private static final int MOST_NODE_STREAMS = 1_000;
    /** Different parts of the tree of this node that those streams tell: each is looked at by itself, and held. */
    private static final int MOST_PARTS = 64;

    private static final int LONGEST_ADDRESS = 256;
    private static final long CHECK_MILLIS = 1_000;
    private static final Set<String> CONTROL_KEYS =
            Set.of(StreamWire.STREAM, StreamWire.EPOCH, StreamWire.ACKNOWLEDGED, StreamWire.RESTART, StreamWire.CLOSE);
    private static final Logger LOG = LoggerFactory.getLogger(StreamService.class);

    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final NodeIdentity self;
    private final LocalStatus local;
    private final Watches watches;
    private final ClusterTrust trust;
    private final Ticker ticker;

    // Mutable state
    private final Map<String, Session> sessions = new HashMap<>();
    /** The same, by the address that their frames go to. */
    private final Map<String, Session> readers = new HashMap<>();

    private long timer = -1;

    StreamService(
            Vertx vertx,
            WorkerExecutor worker,
            NodeIdentity self,
            LocalStatus local,
            Watches watches,
            ClusterTrust trust,
            Ticker ticker) {
        this.vertx = vertx;
        this.worker = worker;
        this.self = self;
        this.local = local;
        this.watches = watches;
        this.trust = trust;
        this.ticker = ticker;
    }

    /**
     * Opens a stream, in place of the one that goes to the same address: its reader gave that up, as its answer came too late.
     *
     * @param body the question
     * @param wholeCluster whether it is about the cluster, or about this node alone
     * @param here whether it is for somebody in this process, who may see all that this node knows of itself
     * @return what the reader has to know
     * @throws BadQueryException if it is not understood
     */
    JsonObject open(Map<String, ?> body, boolean wholeCluster, boolean here) {
        Map<String, Object> rest = new HashMap<>(body);
        Object address = rest.remove(StreamWire.ADDRESS);
        if (!(address instanceof String reader)
                || !reader.startsWith(StreamWire.READER_PREFIX)
                || reader.length() > LONGEST_ADDRESS) {
            throw new BadQueryException(
                    BadQueryException.MALFORMED,
                    "\"address\" wants the address that frames go to, which begins with \"" + StreamWire.READER_PREFIX
                            + '"');
        }
        StatusQuery query = StatusQuery.of(rest);
        if (query.format() != StatusQuery.Format.JSON) {
            throw new BadQueryException(
                    BadQueryException.MALFORMED,
                    "a stream takes \"nodes\", \"path\" and \"depth\"; other formats than json are for questions");
        }
        int most = wholeCluster ? MOST_STREAMS : MOST_NODE_STREAMS;
        Session former = readers.get(reader);
        if (sessions.values().stream()
                        .filter(each -> each != former && each.wholeCluster == wholeCluster)
                        .count()
                >= most) {
            throw new BadQueryException(
                    BadQueryException.TOO_MANY,
                    most + (wholeCluster ? " streams of the cluster are open here" : " streams of this node are open")
                            + " already; close one, or ask another node");
        }
        StatusQuery part = query.part();
        if (!wholeCluster && !part.isWhole() && isOnePartTooMany(part, former)) {
            throw new BadQueryException(
                    BadQueryException.TOO_MANY,
                    MOST_PARTS
                            + " parts of this node's tree are told by streams already; take one of those, or the whole");
        }
        Session session = new Session(UUID.randomUUID().toString(), reader, wholeCluster, part, here);
        // Before it is kept: a node that nobody knows is refused here.
        session.watching = wholeCluster
                ? watches.cluster(query, session::offer)
                : watches.node(query, row -> session.offer(local.alone(row, ticker.wallTime())));
        if (former != null) {
            end(former);
        }
        sessions.put(session.id, session);
        readers.put(reader, session);
        if (sessions.size() == 1) {
            timer = vertx.setPeriodic(CHECK_MILLIS, id -> tick());
        }
        return StreamWire.reply()
                .put(StreamWire.STREAM, session.id)
                .put(StreamWire.CONTROL, Addresses.subscribe(self.incarnation()))
                .put(StreamWire.LEASE_MILLIS, LEASE.toMillis());
    }

    private boolean isOnePartTooMany(StatusQuery part, @Nullable Session former) {
        Set<StatusQuery> parts = new HashSet<>();
        for (Session each : sessions.values()) {
            if (each != former && !each.wholeCluster && !each.part.isWhole()) {
                parts.add(each.part);
            }
        }
        return parts.size() >= MOST_PARTS && !parts.contains(part);
    }

    /**
     * Hears from a reader.
     *
     * @param body what it says
     * @return what it has to know
     * @throws BadQueryException if the stream is not, or not any more; it may open another
     */
    JsonObject control(Map<String, ?> body) {
        for (String key : body.keySet()) {
            if (!CONTROL_KEYS.contains(key)) {
                throw new BadQueryException(
                        BadQueryException.MALFORMED, NearestNames.unknown("key", key, CONTROL_KEYS));
            }
        }
        Session session = sessions.get(String.valueOf(body.get(StreamWire.STREAM)));
        if (session == null) {
            throw new BadQueryException(BadQueryException.GONE, "there is no such stream here any more; open another");
        }
        session.heardNanos = ticker.nanos();
        if (Boolean.TRUE.equals(body.get(StreamWire.CLOSE))) {
            end(session);
            return StreamWire.reply();
        }
        if (body.get(StreamWire.EPOCH) instanceof Number epoch
                && body.get(StreamWire.ACKNOWLEDGED) instanceof Number upTo) {
            session.acknowledged(epoch.longValue(), upTo.longValue());
        }
        if (Boolean.TRUE.equals(body.get(StreamWire.RESTART))) {
            session.restartDue = true;
        }
        session.proceed();
        return StreamWire.reply()
                .put(StreamWire.STREAM, session.id)
                .put(StreamWire.LEASE_MILLIS, LEASE.toMillis())
                .put(StreamWire.EPOCH, session.sentEpoch)
                .put(StreamWire.SENT, session.sentSequence);
    }

    /** {@return how many streams are open} */
    int count() {
        return sessions.size();
    }

    void stop() {
        List.copyOf(sessions.values()).forEach(this::end);
    }

    private void tick() {
        endSilent();
        List.copyOf(sessions.values()).forEach(Session::proceed);
    }

    private void endSilent() {
        long now = ticker.nanos();
        for (Session session : new ArrayList<>(sessions.values())) {
            if (now - session.heardNanos > LEASE.toNanos()) {
                end(session);
            }
        }
    }

    private void end(Session session) {
        if (sessions.remove(session.id) == null) {
            return;
        }
        readers.remove(session.address, session);
        session.close();
        if (sessions.isEmpty()) {
            vertx.cancelTimer(timer);
        }
    }

    /** One reader. What is new is told on a worker, one turn after the other. */
    private final class Session {
        private final String id;
        private final String address;
        private final boolean wholeCluster;
        private final StatusQuery part;
        private final boolean here;
        private final Outbox outbox = new Outbox(ticker);

        // Mutable state
        private @Nullable Registration watching;
        private @Nullable ClusterStatus latest;
        private long latestNanos;
        private long heardNanos = ticker.nanos();
        private long restartedNanos = ticker.nanos() - RESTART_PACE.toNanos();
        private long sentEpoch;
        private long sentSequence;
        private int framesUnderWay;
        private long acknowledgedEpoch;
        private long acknowledgedUpTo;
        private @Nullable StatusSnapshot full;
        private @Nullable StatusSnapshot bare;
        private boolean acknowledgeDue;
        private boolean restartDue;
        private boolean offered;
        private boolean heldUp;
        private boolean busy;
        private boolean closed;

        Session(String id, String address, boolean wholeCluster, StatusQuery part, boolean here) {
            this.id = id;
            this.wholeCluster = wholeCluster;
            this.part = part;
            this.here = here;
            this.address = address;
        }

        void offer(ClusterStatus status) {
            latest = status;
            latestNanos = ticker.nanos();
            offered = true;
            proceed();
        }

        void acknowledged(long epoch, long upTo) {
            acknowledgedEpoch = epoch;
            acknowledgedUpTo = upTo;
            acknowledgeDue = true;
        }

        void proceed() {
            ClusterStatus status = latest;
            long asOf = latestNanos;
            if (busy || closed || status == null) {
                return;
            }
            boolean due =
                    restartDue ? mayRestart() : offered || (heldUp && acknowledgeDue) || outbox.hasNumbersToTell();
            if (!due) {
                return;
            }
            busy = true;
            boolean restart = restartDue;
            boolean acknowledge = acknowledgeDue;
            long epoch = acknowledgedEpoch;
            long upTo = acknowledgedUpTo;
            if (restart) {
                restartedNanos = ticker.nanos();
            }
            restartDue = false;
            acknowledgeDue = false;
            offered = false;
            worker.executeBlocking(
                            () -> {
                                if (acknowledge) {
                                    outbox.acknowledge(epoch, upTo);
                                }
                                if (restart) {
                                    outbox.restart();
                                }
                                return outbox.tell(
                                        here || trust.isTrusted()
                                                ? status
                                                : ClusterTrust.withOwn(status, self, this::forOthers),
                                        asOf);
                            },
                            false)
                    .onComplete(done -> {
                        busy = false;
                        if (done.failed()) {
                            LOG.error("a frame for {} could not be made", Printable.line(address), done.cause());
                            end(this);
                            return;
                        }
                        heldUp = outbox.isHeldUp();
                        send(done.result());
                        proceed();
                    });
        }

        /** Not before the connection has taken what was sent: a reader that takes nothing gets no second whole. */
        private boolean mayRestart() {
            return framesUnderWay == 0 && ticker.nanos() - restartedNanos >= RESTART_PACE.toNanos();
        }

        /** The same for the same, by which the outbox knows that nothing is new. On a worker. */
        @SuppressWarnings("ReferenceEquality")
        private StatusSnapshot forOthers(StatusSnapshot snapshot) {
            StatusSnapshot known = bare;
            if (known == null || snapshot != full) {
                full = snapshot;
                known = trust.forOthers(snapshot);
                bare = known;
            }
            return known;
        }

        private void send(List<StreamFrame> frames) {
            for (StreamFrame frame : frames) {
                if (closed) {
                    return;
                }
                Future<Void> sent;
                framesUnderWay++;
                sentEpoch = frame.epoch();
                sentSequence = frame.sequence();
                try {
                    sent = vertx.eventBus()
                            .sender(address, StreamWire.headers(id, frame))
                            .write(Buffer.buffer(frame.body()));
                } catch (RuntimeException e) {
                    sent = Future.failedFuture(e);
                }
                // The reader is gone, or was not found this time; it asks for the whole if it is still there.
                sent.onComplete(done -> framesUnderWay--)
                        .onFailure(failure -> LOG.debug("a frame did not reach {}", Printable.line(address), failure));
            }
        }

        void close() {
            closed = true;
            if (watching != null) {
                watching.close();
            }
        }
    }
}
