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
import io.vertx.core.eventbus.MessageConsumer;
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

    /** What the writer may send ahead; whoever sends more is cut off (rule S16). */
    private static final int MOST_WAITING = Outbox.CREDIT_FRAMES + 16;

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
    private final String address = StreamWire.READER_PREFIX + UUID.randomUUID();

    // Mutable state
    private final Deque<StreamFrame> waiting = new ArrayDeque<>();
    private @Nullable MessageConsumer<Object> consumer;
    private Inbox inbox = new Inbox();
    private Progress progress = Progress.NONE;
    /** How far the writer was at the last renewal: by the next one that much has come, or is lost. */
    private Sent sent = Sent.NOTHING;

    private @Nullable Sent overdue;
    private @Nullable String stream;
    private @Nullable String control;
    private @Nullable ClusterStatus view;
    private @Nullable String trouble;
    private long heardNanos;
    private long leaseNanos;
    private long timer = -1;
    private int ticksToRestart;
    private int unacknowledgedBytes;
    private int unacknowledgedFrames;
    private boolean takenUp = true;
    private boolean manual;
    private boolean opening;
    private boolean reading;
    private boolean closed;

    StatusSubscription(
            Vertx vertx,
            @Nullable WorkerExecutor worker,
            String openAt,
            JsonObject question,
            Consumer<ClusterStatus> onView,
            Consumer<Throwable> onTrouble,
            Ticker ticker) {
        this.vertx = vertx;
        this.worker = worker;
        this.openAt = openAt;
        this.question = question;
        this.onView = onView;
        this.onTrouble = onTrouble;
        this.ticker = ticker;
    }

    /** Has the writer wait, once it has told all, until {@link #takeUp} says that the reader has taken it up. */
    void acknowledgeByHand() {
        manual = true;
    }

    void open() {
        heardNanos = ticker.nanos();
        MessageConsumer<Object> frames = vertx.eventBus().consumer(address, this::onFrame);
        consumer = frames;
        timer = vertx.setPeriodic(TICK_MILLIS, id -> tick());
        opening = true;
        frames.completion().onComplete(listening -> {
            opening = false;
            openStream();
        });
    }

    private void openStream() {
        if (closed || opening) {
            return;
        }
        opening = true;
        stream = null;
        request(openAt, question.copy().put(StreamWire.ADDRESS, address)).onComplete(done -> {
            opening = false;
            if (closed) {
                return;
            }
            if (done.failed()) {
                onFailure(done.cause());
                return;
            }
            JsonObject opened = done.result();
            stream = opened.getString(StreamWire.STREAM);
            control = opened.getString(StreamWire.CONTROL);
            leaseNanos = Duration.ofMillis(opened.getLong(StreamWire.LEASE_MILLIS, 10_000L))
                    .toNanos();
            heardNanos = ticker.nanos();
            trouble = null;
            inbox = new Inbox();
            progress = Progress.NONE;
            sent = Sent.NOTHING;
            overdue = null;
            waiting.clear();
            settled();
        });
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
        if (stream == null || to == null) {
            openStream();
            return;
        }
        if (ticker.nanos() - heardNanos > leaseNanos) {
            // Whatever was leased there is over.
            openStream();
            return;
        }
        ticksToRestart--;
        String renewed = stream;
        request(to, say(restartDue())).onComplete(done -> {
            if (closed || !renewed.equals(stream)) {
                return;
            }
            if (done.succeeded()) {
                heardNanos = ticker.nanos();
                trouble = null;
                onRenewed(Sent.of(done.result()));
                return;
            }
            onFailure(done.cause());
            if (done.cause() instanceof ReplyException e && e.failureType() == ReplyFailure.RECIPIENT_FAILURE) {
                openStream();
            }
        });
    }

    private void onRenewed(Sent now) {
        if (!progress.broken() && sent.isBeyond(progress)) {
            overdue = sent;
            read();
        }
        sent = now;
    }

    private void onFailure(Throwable failure) {
        String message = failure.getMessage();
        trouble = Printable.line(message == null ? failure.toString() : message);
        onTrouble.accept(failure);
    }

    private boolean restartDue() {
        if (!progress.broken() || ticksToRestart > 0) {
            return false;
        }
        ticksToRestart = TICKS_BETWEEN_RESTARTS;
        LOG.debug("a stream begins anew: {}", progress.reason());
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
        heardNanos = ticker.nanos();
        StreamFrame frame;
        try {
            frame = StreamWire.frame(message);
        } catch (IllegalArgumentException e) {
            LOG.debug("a frame is left out: {}", Printable.line(e.toString()));
            return;
        }
        if (waiting.size() >= MOST_WAITING || frame.body().length > Outbox.MOST_FRAME_BYTES) {
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

    private void onProgress(Progress now) {
        progress = now;
        ClusterStatus complete = now.complete();
        if (complete != null) {
            takenUp = !manual;
            view = complete;
            onView.accept(complete);
            if (!manual) {
                acknowledge(false);
            }
        } else if (now.broken()) {
            if (restartDue()) {
                acknowledge(true);
            }
        } else if (unacknowledgedBytes >= ACKNOWLEDGE_BYTES || unacknowledgedFrames >= ACKNOWLEDGE_FRAMES) {
            acknowledge(false);
        }
    }

    /** The last frame that the writer sent, as it said itself; a writer that does not say has sent nothing. */
    private record Sent(long epoch, long sequence) {
        static final Sent NOTHING = new Sent(0, 0);

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
            long gaps,
            String reason,
            @Nullable ClusterStatus complete) {
        static final Progress NONE = new Progress(0, 0, false, 0, "", null);

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
                    inbox.gaps(),
                    inbox.reason(),
                    complete && !inbox.isBroken() ? inbox.view() : null);
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

    /** {@return how long nothing was heard} */
    Duration silence() {
        return Duration.ofNanos(Math.max(0, ticker.nanos() - heardNanos));
    }

    /** {@return what is known, or {@code null} before the first whole} */
    @Nullable
    ClusterStatus view() {
        return view;
    }

    /** {@return what went wrong last, or {@code null} when nothing does} */
    @Nullable
    String trouble() {
        return trouble;
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
        if (consumer != null) {
            var unused = consumer.unregister();
        }
        String to = control;
        if (stream != null && to != null) {
            try {
                vertx.eventBus()
                        .send(
                                to,
                                new JsonObject().put(StreamWire.STREAM, stream).put(StreamWire.CLOSE, true));
            } catch (RuntimeException e) {
                LOG.debug("the end of a stream could not be said; its lease will end", e);
            }
        }
    }
}
