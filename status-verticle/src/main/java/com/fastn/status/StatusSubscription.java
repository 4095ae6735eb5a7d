package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.status.stream.Inbox;
import com.fastn.status.stream.Outbox;
import com.fastn.status.stream.StreamFrame;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reader's end of a stream: opens it, reads its frames off the event loop, renews its lease, asks for a new beginning when
 * something is missing, and opens another stream when this one is gone. It belongs to the Vert.x context that opens it.
 *
 * <pre>
 *  CLOSED --open()--&gt; OPENING --reply--&gt; OPEN --gone, or silent for the lease--&gt; OPENING ..
 *                        \--failure--&gt; a second later OPENING again
 * </pre>
 */
final class StatusSubscription {
    private static final long TICK_MILLIS = 1_000;
    private static final long TIMEOUT_MILLIS = 1_000;
    /** A reader takes its time to ask again, because the new beginning may be on its way. */
    private static final int TICKS_BETWEEN_RESTARTS = 2;

    /** When so many new beginnings brought nothing at all, the cluster manager has forgotten where this reader is. */
    private static final int MOST_DEAF_RESTARTS = 2;

    /** Whoever begins anew so often and is never whole has a fault that does not go by itself. */
    private static final int MOST_RESTARTS_IN_VAIN = 2;

    /** A cluster manager that merges may not know for a moment who is there; whom it does not know again has left. */
    private static final int MOST_TIMES_UNFOUND = 2;

    /** How long a reader that had no room for what it was told leaves room to others. */
    static final int TICKS_LEFT_OUT = 30;

    /** What the writer may send ahead; whoever sends more is cut off (rule S16). */
    private static final int MOST_WAITING = Outbox.CREDIT_FRAMES + 16;

    /** Longer than a registration takes, and than a request may. */
    private static final int MOST_TICKS_OF_OPENING = 5;

    private static final String NO_STREAM = "what it answers opens no stream, which has a name and an address";

    /** Who is down is tried again after so many: after a partition it is to be up again in 10 s (rule D7). */
    private static final int TICKS_DOWN = 5;

    /** A lease is what its writer says, within reason. */
    private static final Duration SHORTEST_LEASE = ClusterFeed.UP_FOR;

    private static final Duration LONGEST_LEASE = Duration.ofHours(1);

    private static final int ACKNOWLEDGE_BYTES = Outbox.CREDIT_BYTES / 4;
    private static final int ACKNOWLEDGE_FRAMES = Outbox.CREDIT_FRAMES / 4;
    private static final Logger LOG = LoggerFactory.getLogger(StatusSubscription.class);

    private final Vertx vertx;
    private final @Nullable WorkerExecutor worker;
    private final String openAt;
    private final JsonObject question;
    private final Consumer<ClusterStatus> onView;
    private final Consumer<Throwable> onTrouble;
    private final PeerBytes bytes;
    private final Ticker ticker;
    private final StreamView known;

    // Mutable state
    private String address = "";
    private final Deque<StreamFrame> waiting = new ArrayDeque<>();
    private @Nullable OwnPlaceConsumer consumer;
    private @Nullable String stream;
    private @Nullable String control;
    private @Nullable String trouble;
    private long leaseNanos;
    private long timer = -1;
    private int ticksToRestart;
    private int deafRestarts;
    private int restartsInVain;
    /** Why it did not come whole when it had begun anew in vain so often, or {@code null}. */
    private @Nullable String inVain;

    private int timesUnfound;
    private int unacknowledgedBytes;
    private int unacknowledgedFrames;
    private boolean takenUp = true;
    private boolean manual;
    /** Which try to be reachable, or to open a stream, is under way; what comes of a former one is of no use. */
    private int attempt;

    private boolean seldomWhenDown;
    private int ticksToTry;
    private boolean opening;
    private int ticksOfOpening;
    private boolean reading;
    private boolean closed;

    StatusSubscription(
            Vertx vertx,
            @Nullable WorkerExecutor worker,
            String openAt,
            JsonObject question,
            Consumer<ClusterStatus> onView,
            Consumer<Throwable> onTrouble,
            int mostNodes,
            PeerBytes bytes,
            Ticker ticker) {
        this.vertx = vertx;
        this.worker = worker;
        this.openAt = openAt;
        this.question = question;
        this.onView = onView;
        this.onTrouble = onTrouble;
        this.bytes = bytes;
        this.ticker = ticker;
        this.known = new StreamView(mostNodes, bytes, ticker);
    }

    /** Has the writer wait, once it has told all, until {@link #takeUp} says that the reader has taken it up. */
    void acknowledgeByHand() {
        manual = true;
    }

    /** Has it try seldom, and hold nothing, while nothing was heard for long; {@link #hurry} has it try at once. */
    void trySeldomWhenDown() {
        seldomWhenDown = true;
    }

    /** Something else was heard of whom this reads. */
    void hurry() {
        ticksToTry = 0;
    }

    void open() {
        known.begin();
        timer = vertx.setPeriodic(TICK_MILLIS, id -> tick());
        listen();
    }

    /** Has frames come to an address that nobody had before. */
    private void listen() {
        OwnPlaceConsumer former = consumer;
        if (former != null) {
            var unused = former.unregister();
        }
        deafRestarts = 0;
        address = StreamWire.READER_PREFIX + UUID.randomUUID();
        OwnPlaceConsumer frames = OwnPlaceConsumer.of(vertx, address, this::onFrame);
        consumer = frames;
        int mine = begin();
        frames.completion().onComplete(listening -> {
            if (mine == attempt && !closed) {
                opening = false;
                // Not before: as long as it is renewed it is known to live. And not later: it would be written to
                // for its lease, at an address where nobody listens any more.
                sayClosed(stream, control);
                openStream();
            }
        });
    }

    private int begin() {
        opening = true;
        ticksOfOpening = 0;
        return ++attempt;
    }

    private void openStream() {
        if (closed || opening) {
            return;
        }
        int mine = begin();
        long askedNanos = ticker.nanos();
        stream = null;
        request(openAt, question.copy().put(StreamWire.ADDRESS, address)).onComplete(done -> {
            if (mine != attempt || closed) {
                if (done.succeeded()) {
                    sayClosed(done.result());
                }
                return;
            }
            opening = false;
            if (done.failed()) {
                onFailure(done.cause());
                if (isRefusal(done.cause())) {
                    // It lives, and tells nothing: what it told before is not so any more.
                    known.forget();
                }
                return;
            }
            JsonObject opened = done.result();
            String name = text(opened, StreamWire.STREAM);
            String at = text(opened, StreamWire.CONTROL);
            boolean tooNew = StreamWire.isTooNew(opened);
            hear();
            known.answered(askedNanos);
            if (tooNew || name == null || at == null) {
                // Otherwise it would be written to for its lease, and another one with each try.
                sayClosed(name, at);
                onFailure(new IllegalStateException(tooNew ? Inbox.OUTDATED : NO_STREAM));
                known.forget();
                return;
            }
            stream = name;
            control = at;
            leaseNanos = lease(opened).toNanos();
            trouble = null;
            ticksToRestart = 0;
            known.beginAnew(askedNanos);
            leaveOutWaiting();
            settled();
        });
    }

    private static @Nullable String text(JsonObject opened, String key) {
        return opened.getValue(key) instanceof String text && !text.isEmpty() ? text : null;
    }

    private static Duration lease(JsonObject opened) {
        if (!(opened.getValue(StreamWire.LEASE_MILLIS) instanceof Number millis)) {
            return StreamService.LEASE;
        }
        long most = Math.min(millis.longValue(), LONGEST_LEASE.toMillis());
        return Duration.ofMillis(Math.max(most, SHORTEST_LEASE.toMillis()));
    }

    private Future<JsonObject> request(String to, JsonObject body) {
        Future<Message<Object>> reply;
        try {
            reply = vertx.eventBus().request(to, body, new DeliveryOptions().setSendTimeout(TIMEOUT_MILLIS));
        } catch (RuntimeException e) {
            reply = Future.failedFuture(e);
        }
        return reply.map(message -> message.body() instanceof JsonObject json ? json : new JsonObject());
    }

    private void tick() {
        String to = control;
        dropWhatIsBehind();
        boolean down = seldomWhenDown && silence().compareTo(NodeDirectory.STALE_FOR) > 0;
        if (down) {
            // What it told has to leave the room to those who live.
            known.forget();
            if (stream != null) {
                // What follows in that stream is of no use any more, however long its lease is.
                stream = null;
                hurry();
            }
        }
        if (opening && ++ticksOfOpening >= MOST_TICKS_OF_OPENING) {
            onFailure(new IllegalStateException("the cluster manager did not say within "
                    + MOST_TICKS_OF_OPENING * TICK_MILLIS / 1_000 + " s that frames find their way here"));
            ticksOfOpening = 0;
            if (consumer == null || consumer.wouldFareBetterAnew()) {
                // A cluster manager that merges may never say whether an address is known.
                opening = false;
                listen();
            }
            return;
        }
        if (stream == null || to == null) {
            if (--ticksToTry <= 0 || !down) {
                ticksToTry = TICKS_DOWN;
                openStream();
            }
            return;
        }
        if (!opening && deafRestarts >= MOST_DEAF_RESTARTS) {
            listen();
            return;
        }
        if (!opening && silence().toNanos() > leaseNanos) {
            // Whatever was leased there is over.
            openStream();
            return;
        }
        ticksToRestart--;
        long askedNanos = ticker.nanos();
        String renewed = stream;
        request(to, say(restartDue())).onComplete(done -> {
            if (closed || !renewed.equals(stream)) {
                return;
            }
            if (done.succeeded()) {
                hear();
                known.answered(askedNanos);
                trouble = null;
                onRenewed(StreamProgress.Sent.of(done.result()), askedNanos);
                return;
            }
            onFailure(done.cause());
            if (isRefusal(done.cause())) {
                openStream();
            } else if (hasNoHandlers(done.cause()) && ++timesUnfound >= MOST_TIMES_UNFOUND && !to.equals(openAt)) {
                // Another one may tell the same.
                openStream();
            }
        });
    }

    private void onRenewed(StreamProgress.Sent now, long askedNanos) {
        ClusterStatus shownAgain = known.renewed(now, askedNanos);
        if (known.hasOverdue()) {
            read();
        }
        if (shownAgain != null) {
            show(shownAgain);
        }
    }

    private void show(ClusterStatus newest) {
        takenUp = !manual;
        onView.accept(newest);
    }

    private void dropWhatIsBehind() {
        // What was told may be here, and only not read yet.
        if (known.isBehind() && !reading && waiting.isEmpty()) {
            known.dropWhatIsBehind();
            onTrouble.accept(new IllegalStateException(StreamView.BEHIND));
        }
    }

    private void hear() {
        known.hear();
        timesUnfound = 0;
    }

    private static boolean isRefusal(Throwable failure) {
        return failure instanceof ReplyException e && e.failureType() == ReplyFailure.RECIPIENT_FAILURE;
    }

    private static boolean hasNoHandlers(Throwable failure) {
        return failure instanceof ReplyException e && e.failureType() == ReplyFailure.NO_HANDLERS;
    }

    private void onFailure(Throwable failure) {
        if (isRefusal(failure)) {
            // Whoever refuses has spoken.
            hear();
        }
        trouble = sentence(failure);
        onTrouble.accept(failure);
    }

    /** The bus names an address of its own in its words, which would make each failure look like another one. */
    private static String sentence(Throwable failure) {
        if (failure instanceof ReplyException e && e.failureType() == ReplyFailure.TIMEOUT) {
            return "its stream was not answered for within " + TIMEOUT_MILLIS
                    + " ms; it may be stopped, blocked or cut off";
        }
        if (hasNoHandlers(failure)) {
            return "nobody answers at its address on the event bus; it may have left the cluster";
        }
        String message = failure.getMessage();
        return Printable.line(message == null ? failure.toString() : message);
    }

    private boolean restartDue() {
        // While another address is registered the new beginning would go to the former one.
        if (opening || !known.progress().broken() || ticksToRestart > 0) {
            return false;
        }
        ticksToRestart = TICKS_BETWEEN_RESTARTS;
        deafRestarts++;
        LOG.debug("a stream begins anew: {}", known.progress().reason());
        if (!known.isLeftOut() && ++restartsInVain == MOST_RESTARTS_IN_VAIN) {
            // Each time something else is missing, which is no news.
            inVain = "its stream begins anew again and again, and does not come whole: "
                    + Printable.line(known.progress().reason());
            onTrouble.accept(new IllegalStateException(inVain));
        }
        return true;
    }

    private JsonObject say(boolean restart) {
        StreamProgress progress = known.progress();
        JsonObject said = new JsonObject()
                .put(StreamWire.STREAM, stream)
                .put(StreamWire.EPOCH, progress.epoch())
                .put(StreamWire.ACKNOWLEDGED, takenUp ? progress.sequence() : 0);
        if (restart) {
            said.put(StreamWire.RESTART, true);
        }
        return said;
    }

    private void onFrame(Message<Object> message) {
        String mine = stream;
        if (closed || mine == null || !StreamWire.isOf(mine, message)) {
            return;
        }
        hear();
        deafRestarts = 0;
        StreamFrame frame;
        try {
            frame = StreamWire.frame(message);
        } catch (IllegalArgumentException e) {
            LOG.debug("a frame is left out: {}", Printable.line(e.toString()));
            return;
        }
        if (waiting.size() >= MOST_WAITING
                || frame.body().length > Outbox.MOST_FRAME_BYTES
                || !bytes.take(frame.body().length)) {
            // Left out; the hole is seen, and the stream begins anew.
            return;
        }
        waiting.addLast(frame);
        read();
    }

    /** Off the event loop, one turn after the other. */
    private void read() {
        if (reading || (waiting.isEmpty() && !known.hasOverdue())) {
            return;
        }
        reading = true;
        StreamProgress.Sent missed = known.takeOverdue();
        List<StreamFrame> frames = new ArrayList<>(waiting);
        waiting.clear();
        Inbox into = known.inbox();
        onWorker(() -> StreamProgress.of(into, frames, missed)).onComplete(done -> {
            reading = false;
            frames.forEach(frame -> bytes.give(frame.body().length));
            if (closed) {
                return;
            }
            if (done.failed()) {
                LOG.error("frames could not be read", done.cause());
                openStream();
            } else if (into == known.inbox()) {
                frames.forEach(frame -> unacknowledgedBytes += frame.body().length);
                unacknowledgedFrames += frames.size();
                onProgress(done.result());
            }
            read();
        });
    }

    private void leaveOutWaiting() {
        waiting.forEach(frame -> bytes.give(frame.body().length));
        waiting.clear();
    }

    private void onProgress(StreamProgress now) {
        boolean wasLeftOut = known.isLeftOut();
        boolean wasOutdated = known.progress().outdated();
        StreamView.Outcome outcome = known.take(now);
        if (outcome == StreamView.Outcome.NO_ROOM) {
            // The lease is renewed, so that it is known to live.
            ticksToRestart = TICKS_LEFT_OUT;
            if (!wasLeftOut) {
                onTrouble.accept(new IllegalStateException(bytes.whyNotHeld()));
            }
            return;
        }
        if (now.outdated() && !wasOutdated) {
            onTrouble.accept(new IllegalStateException(Inbox.OUTDATED));
        }
        if (outcome == StreamView.Outcome.COMPLETE) {
            onComplete(now);
        } else if (outcome == StreamView.Outcome.BROKEN) {
            if (restartDue()) {
                acknowledge(true);
            }
        } else if (unacknowledgedBytes >= ACKNOWLEDGE_BYTES || unacknowledgedFrames >= ACKNOWLEDGE_FRAMES) {
            acknowledge(false);
        }
    }

    private void onComplete(StreamProgress now) {
        // What is not shown nobody takes up, and a writer that waited for that could not tell what is awaited.
        takenUp = true;
        restartsInVain = 0;
        inVain = null;
        boolean isShown = !known.isAwaited();
        if (isShown) {
            show(requireNonNull(now.complete(), "what is complete"));
        }
        if (!manual || !isShown) {
            acknowledge(false);
        }
    }

    private <T> Future<T> onWorker(Callable<T> work) {
        return worker != null ? worker.executeBlocking(work, false) : vertx.executeBlocking(work, false);
    }

    /** The reader has taken up what it was shown last. */
    void takeUp() {
        if (!takenUp) {
            takenUp = true;
            acknowledge(false);
        }
    }

    private void acknowledge(boolean restart) {
        String to = control;
        if (stream == null || to == null) {
            return;
        }
        settled();
        try {
            vertx.eventBus().send(to, say(restart));
        } catch (RuntimeException e) {
            LOG.debug("a stream could not be acknowledged; the next renewal does it", e);
        }
    }

    private void settled() {
        unacknowledgedBytes = 0;
        unacknowledgedFrames = 0;
    }

    /** {@return whether there is a stream now, as far as is known} */
    boolean isOpen() {
        return stream != null;
    }

    /** {@return whether anything was ever heard} */
    boolean wasHeard() {
        return known.wasHeard();
    }

    /** {@return how long nothing was heard; at first since it was opened} */
    Duration silence() {
        return known.silence();
    }

    /** {@return what is known, or {@code null} before the first whole, and where that is of before a silence, also one that lasts} */
    @Nullable
    ClusterStatus view() {
        return known.view();
    }

    /** {@return what went wrong last, or {@code null} when nothing does} */
    @Nullable
    String trouble() {
        if (trouble != null) {
            return trouble;
        }
        String unseen = known.trouble();
        return unseen != null ? unseen : inVain;
    }

    /** {@return how often something was missing in the present stream} */
    long gaps() {
        return known.progress().gaps();
    }

    void close() {
        if (closed) {
            return;
        }
        closed = true;
        vertx.cancelTimer(timer);
        leaveOutWaiting();
        known.forget();
        if (consumer != null) {
            var unused = consumer.unregister();
        }
        sayClosed(stream, control);
    }

    private void sayClosed(JsonObject opened) {
        sayClosed(text(opened, StreamWire.STREAM), text(opened, StreamWire.CONTROL));
    }

    private void sayClosed(@Nullable String ended, @Nullable String to) {
        if (ended == null || to == null) {
            return;
        }
        try {
            vertx.eventBus()
                    .send(to, new JsonObject().put(StreamWire.STREAM, ended).put(StreamWire.CLOSE, true));
        } catch (RuntimeException e) {
            LOG.debug("the end of a stream could not be said; its lease will end", e);
        }
    }
}
