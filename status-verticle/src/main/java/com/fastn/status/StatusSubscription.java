package com.fastn.status;

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

    /** What was told is shown for so long after it is known that something newer did not come. */
    private static final Duration BEHIND_FOR = ClusterFeed.UP_FOR;

    /** Frames alone do not say how old they are; for so long the last answer does. Some may be lost on the way. */
    private static final Duration UNANSWERED_FOR = BEHIND_FOR.multipliedBy(2);

    private static final String BEHIND = "it answers, and what it tells by its stream has not come for more than "
            + BEHIND_FOR.toSeconds() + " s; its cluster manager may not find this node";

    private static final String NO_STREAM = "what it answers opens no stream, which has a name and an address";
    private static final String NOT_YET = "it was silent, and its status of now has not arrived yet";

    /** Who is down is tried again after so many: after a partition it is to be up again in 10 s (rule D7). */
    private static final int TICKS_DOWN = 5;

    /** A lease is what its writer says, within reason. */
    private static final Duration SHORTEST_LEASE = ClusterFeed.UP_FOR;

    private static final Duration LONGEST_LEASE = Duration.ofHours(1);

    private static final long NO_EPOCH = -1;
    private static final long NOT_BEHIND = Long.MIN_VALUE;
    private static final int ACKNOWLEDGE_BYTES = Outbox.CREDIT_BYTES / 4;
    private static final int ACKNOWLEDGE_FRAMES = Outbox.CREDIT_FRAMES / 4;
    private static final Logger LOG = LoggerFactory.getLogger(StatusSubscription.class);

    private final Vertx vertx;
    private final @Nullable WorkerExecutor worker;
    private final String openAt;
    private final JsonObject question;
    private final Consumer<ClusterStatus> onView;
    private final Consumer<Throwable> onTrouble;
    private final Ticker ticker;

    // Mutable state
    private String address = "";
    private final Deque<StreamFrame> waiting = new ArrayDeque<>();
    private final PeerBytes bytes;
    private final int mostNodes;
    private @Nullable OwnPlaceConsumer consumer;
    private Inbox inbox;
    private Progress progress = Progress.NONE;
    /** How far the writer was at the last renewal: by the next one that much has come, or is lost. */
    private Sent sent = Sent.NOTHING;

    private @Nullable Sent overdue;
    private @Nullable String stream;
    private @Nullable String control;
    private @Nullable ClusterStatus view;
    /** What the view has, written down, and what it has together with the inbox. */
    private long viewBytes;

    /** Which epoch of the present stream the view is of; what follows in that one is added to the view itself. */
    private long viewEpoch = NO_EPOCH;

    /** Since when the view is known not to be what was told last. */
    private long behindNanos = NOT_BEHIND;

    /** Whether the view was dropped for that. */
    private boolean behind;

    /** After a silence the view, which is as old as that, is not shown before so much has come; {@code null} after none. */
    private @Nullable Sent awaited;

    private long heldBytes;
    private boolean leftOut;
    private @Nullable String trouble;
    private long heardNanos;
    private boolean heard;
    /** When that was asked which was answered last. */
    private long answeredNanos;

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
        this.mostNodes = mostNodes;
        this.inbox = new Inbox(mostNodes, ticker);
        this.bytes = bytes;
        this.ticker = ticker;
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
        heardNanos = ticker.nanos();
        answeredNanos = heardNanos;
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
                    forget();
                }
                return;
            }
            JsonObject opened = done.result();
            String name = text(opened, StreamWire.STREAM);
            String at = text(opened, StreamWire.CONTROL);
            boolean tooNew = StreamWire.isTooNew(opened);
            hear();
            answered(askedNanos);
            if (tooNew || name == null || at == null) {
                // Otherwise it would be written to for its lease, and another one with each try.
                sayClosed(name, at);
                onFailure(new IllegalStateException(tooNew ? Inbox.OUTDATED : NO_STREAM));
                forget();
                return;
            }
            stream = name;
            control = at;
            leaseNanos = lease(opened).toNanos();
            trouble = null;
            ticksToRestart = 0;
            inbox = new Inbox(mostNodes, ticker);
            viewEpoch = NO_EPOCH;
            if (awaited != null) {
                // Its first whole is of now.
                awaited = isLately(askedNanos) ? Sent.NOTHING : Sent.UNKNOWN;
            }
            fallBehind();
            holdNoMoreThan(viewBytes);
            progress = Progress.NONE;
            sent = Sent.NOTHING;
            overdue = null;
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
            forget();
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
        if (!opening && ticker.nanos() - heardNanos > leaseNanos) {
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
                answered(askedNanos);
                trouble = null;
                onRenewed(Sent.of(done.result()), askedNanos);
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

    private void onRenewed(Sent now, long askedNanos) {
        // Where this process stood still, the answer may have lain there for as long.
        boolean isKnown = Sent.UNKNOWN.equals(awaited) && isLately(askedNanos);
        if (isKnown) {
            awaited = progress.hasAll(now) ? null : now;
        }
        if (!progress.broken() && sent.isBeyond(progress)) {
            overdue = sent;
            read();
        }
        sent = now;
        if (now.isBeyond(progress)) {
            fallBehind();
        }
        if (isKnown && awaited == null && view != null) {
            show(view);
        }
    }

    private void show(ClusterStatus newest) {
        takenUp = !manual;
        onView.accept(newest);
    }

    private void fallBehind() {
        if (behindNanos == NOT_BEHIND) {
            behindNanos = ticker.nanos();
        }
    }

    /** Renewals that are answered say that it lives, and not that this is what it is doing. */
    private void dropWhatIsBehind() {
        if (view == null || behindNanos == NOT_BEHIND || isLately(behindNanos)) {
            return;
        }
        if (reading || !waiting.isEmpty()) {
            // What was told is here, and only not read yet.
            return;
        }
        behind = true;
        view = null;
        viewBytes = 0;
        viewEpoch = NO_EPOCH;
        if (progress.broken()) {
            inbox = new Inbox(mostNodes, ticker);
        }
        holdNoMoreThan(progress.broken() ? 0 : progress.heldBytes());
        onTrouble.accept(new IllegalStateException(BEHIND));
    }

    /**
     * Whatever ends a silence says that it lives, and not that it does what it did before. Frames do not either: they may have lain
     * on the way for as long, and where all come late there is no silence, and nothing that was asked is answered in time.
     */
    private void hear() {
        if (!isLately(heardNanos) || !isWithin(UNANSWERED_FOR, answeredNanos)) {
            awaited = Sent.UNKNOWN;
        }
        heardNanos = ticker.nanos();
        heard = true;
        timesUnfound = 0;
    }

    private void answered(long askedNanos) {
        if (askedNanos - answeredNanos > 0) {
            answeredNanos = askedNanos;
        }
    }

    /** {@return whether that was not longer ago than what was told is shown for} */
    private boolean isLately(long nanos) {
        return isWithin(BEHIND_FOR, nanos);
    }

    private boolean isWithin(Duration time, long nanos) {
        return ticker.nanos() - nanos <= time.toNanos();
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
        if (opening || !progress.broken() || ticksToRestart > 0) {
            return false;
        }
        ticksToRestart = TICKS_BETWEEN_RESTARTS;
        deafRestarts++;
        LOG.debug("a stream begins anew: {}", progress.reason());
        if (!leftOut && ++restartsInVain == MOST_RESTARTS_IN_VAIN) {
            // Each time something else is missing, which is no news.
            inVain = "its stream begins anew again and again, and does not come whole: "
                    + Printable.line(progress.reason());
            onTrouble.accept(new IllegalStateException(inVain));
        }
        return true;
    }

    private JsonObject say(boolean restart) {
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
        Sent missed = overdue;
        if (reading || (waiting.isEmpty() && missed == null)) {
            return;
        }
        reading = true;
        overdue = null;
        List<StreamFrame> frames = new ArrayList<>(waiting);
        waiting.clear();
        Inbox into = inbox;
        onWorker(() -> Progress.of(into, frames, missed)).onComplete(done -> {
            reading = false;
            frames.forEach(frame -> bytes.give(frame.body().length));
            if (closed) {
                return;
            }
            if (done.failed()) {
                LOG.error("frames could not be read", done.cause());
                openStream();
            } else if (into == inbox) {
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

    private void onProgress(Progress now) {
        if (!hold(now)) {
            leaveOut(now);
            return;
        }
        boolean news = now.outdated() && !progress.outdated();
        progress = now;
        if (news) {
            onTrouble.accept(new IllegalStateException(Inbox.OUTDATED));
        }
        ClusterStatus complete = now.complete();
        if (complete != null) {
            // What is not shown nobody takes up, and a writer that waited for that could not tell what is awaited.
            takenUp = true;
            leftOut = false;
            restartsInVain = 0;
            inVain = null;
            behind = false;
            behindNanos = NOT_BEHIND;
            if (awaited != null && now.hasAll(awaited)) {
                awaited = null;
            }
            view = complete;
            if (awaited == null) {
                show(complete);
            }
            if (!manual || awaited != null) {
                acknowledge(false);
            }
        } else if (now.broken()) {
            fallBehind();
            if (restartDue()) {
                acknowledge(true);
            }
        } else if (unacknowledgedBytes >= ACKNOWLEDGE_BYTES || unacknowledgedFrames >= ACKNOWLEDGE_FRAMES) {
            acknowledge(false);
        }
    }

    /** {@return whether there is room for what was read} While a stream begins anew what it told before is held too. */
    private boolean hold(Progress now) {
        boolean complete = now.complete() != null;
        boolean together = now.broken() || now.epoch() == viewEpoch;
        long wanted = complete
                ? now.heldBytes()
                : together ? Math.max(viewBytes, now.heldBytes()) : viewBytes + now.heldBytes();
        if (!bytes.hold(wanted, heldBytes)) {
            heldBytes = 0;
            return false;
        }
        heldBytes = wanted;
        if (complete) {
            viewBytes = wanted;
            viewEpoch = now.epoch();
        }
        return true;
    }

    private void holdNoMoreThan(long most) {
        long rest = Math.min(most, heldBytes);
        var unused = bytes.hold(rest, heldBytes);
        heldBytes = rest;
    }

    private void forget() {
        view = null;
        viewBytes = 0;
        viewEpoch = NO_EPOCH;
        inbox = new Inbox(mostNodes, ticker);
        holdNoMoreThan(0);
    }

    /** All of it, for a part would look like the whole. The lease is renewed, so that it is known to live. */
    private void leaveOut(Progress now) {
        forget();
        progress = now.broken(bytes.whyNotHeld());
        ticksToRestart = TICKS_LEFT_OUT;
        if (!leftOut) {
            leftOut = true;
            onTrouble.accept(new IllegalStateException(bytes.whyNotHeld()));
        }
    }

    /** The last frame that the writer sent, as it said itself; a writer that does not say has sent nothing. */
    private record Sent(long epoch, long sequence) {
        static final Sent NOTHING = new Sent(0, 0);
        /** More than anybody sends. */
        static final Sent UNKNOWN = new Sent(Long.MAX_VALUE, Long.MAX_VALUE);

        static Sent of(JsonObject renewed) {
            return renewed.getValue(StreamWire.EPOCH) instanceof Number epoch
                            && renewed.getValue(StreamWire.SENT) instanceof Number sequence
                    ? new Sent(epoch.longValue(), sequence.longValue())
                    : NOTHING;
        }

        boolean isBeyond(Progress progress) {
            return epoch > progress.epoch() || (epoch == progress.epoch() && sequence > progress.sequence());
        }
    }

    /** Where the inbox stands, which is only touched on a worker. */
    private record Progress(
            long epoch,
            long sequence,
            boolean broken,
            boolean whole,
            long gaps,
            String reason,
            boolean outdated,
            long heldBytes,
            @Nullable ClusterStatus complete) {
        static final Progress NONE = new Progress(0, 0, false, false, 0, "", false, 0, null);

        static Progress of(Inbox inbox, List<StreamFrame> frames, @Nullable Sent missed) {
            boolean complete = false;
            for (StreamFrame frame : frames) {
                complete |= inbox.take(frame) == Inbox.Outcome.COMPLETE;
            }
            if (missed != null) {
                var unused = inbox.expect(missed.epoch(), missed.sequence());
            }
            return new Progress(
                    inbox.epoch(),
                    inbox.sequence(),
                    inbox.isBroken(),
                    inbox.isWhole(),
                    inbox.gaps(),
                    inbox.reason(),
                    inbox.isOutdated(),
                    inbox.heldBytes(),
                    complete && !inbox.isBroken() ? inbox.view() : null);
        }

        /** {@return this, but that nothing is held and the stream has to begin anew} */
        Progress broken(String why) {
            return new Progress(epoch, sequence, true, false, gaps, why, false, 0, null);
        }

        /** {@return whether the view is of what was sent, or of something later} */
        boolean hasAll(Sent sent) {
            return !broken && whole && !sent.isBeyond(this);
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
        return heard;
    }

    /** {@return how long nothing was heard; at first since it was opened} */
    Duration silence() {
        return Duration.ofNanos(Math.max(0, ticker.nanos() - heardNanos));
    }

    /** {@return what is known, or {@code null} before the first whole, and where that is of before a silence, also one that lasts} */
    @Nullable
    ClusterStatus view() {
        return awaited == null && isLately(heardNanos) ? view : null;
    }

    /** {@return what went wrong last, or {@code null} when nothing does} */
    @Nullable
    String trouble() {
        if (trouble != null) {
            return trouble;
        }
        if (leftOut) {
            return bytes.whyNotHeld();
        }
        if (progress.outdated()) {
            return Inbox.OUTDATED;
        }
        if (behind) {
            return BEHIND;
        }
        if (awaited != null && view != null) {
            return NOT_YET;
        }
        return inVain;
    }

    /** {@return how often something was missing in the present stream} */
    long gaps() {
        return progress.gaps();
    }

    void close() {
        if (closed) {
            return;
        }
        closed = true;
        vertx.cancelTimer(timer);
        leaveOutWaiting();
        forget();
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
