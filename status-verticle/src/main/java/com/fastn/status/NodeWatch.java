package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at this node while somebody watches, and tells the watchers what it is doing: at first, and when something changed.
 * The first change is told at once, later ones at most once per second, and less often where it takes long to look at the part
 * that is watched.
 *
 * <p>Without watchers it does nothing at all. With them a change wakes it; what time alone may turn, such as the warning of a
 * long wait, is looked for each second while there is any, and the machine now and then. It belongs to the verticle's context.
 */
final class NodeWatch {
    static final Duration PACE = Duration.ofSeconds(1);

    /** It is not looked again before so many times what a look took, or one who watches could keep a worker busy. */
    private static final int REST = 4;

    private static final Duration LONGEST_PACE = Duration.ofSeconds(10);

    /** The load of the machine makes no event. */
    private static final int MACHINE_TICKS = 5;

    private static final Logger LOG = LoggerFactory.getLogger(NodeWatch.class);

    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final LocalStatus local;
    private final StatusQuery part;
    private final Ticker ticker;
    private final AtomicBoolean changed = new AtomicBoolean();

    // Mutable state
    private final List<Consumer<NodeStatus>> watchers = new ArrayList<>();
    private Supplier<Registration> measuring = () -> () -> {};
    private @Nullable Registration measured;
    private @Nullable Registration listening;
    private @Nullable NodeStatus latest;
    /** Whether time alone may turn what was found last. */
    private boolean mayTurn;

    private @Nullable Appearance appearance;
    private long timer = -1;
    /** When something was told last, or could not be taken, or a change told nothing: for a pace after it nothing is told. */
    private long pausedNanos;
    /** A second, or more where looks take long. */
    private long paceNanos = PACE.toNanos();
    /** What the last look took. */
    private long tookNanos;

    private int idleTicks;
    private boolean taking;
    private boolean again;

    NodeWatch(Vertx vertx, WorkerExecutor worker, LocalStatus local, StatusQuery part, Ticker ticker) {
        this.vertx = vertx;
        this.worker = worker;
        this.local = local;
        this.part = part;
        this.ticker = ticker;
    }

    /**
     * Begins to watch.
     *
     * @param watcher is told on the verticle's context; where nothing is open at the path that is watched, a row with that reason
     * @return closing it, on that context, ends it
     */
    Registration watchRow(Consumer<NodeStatus> watcher) {
        watchers.add(watcher);
        if (watchers.size() == 1) {
            begin();
        } else if (latest != null) {
            watcher.accept(latest);
        }
        return () -> {
            if (watchers.remove(watcher) && watchers.isEmpty()) {
                end();
            }
        };
    }

    /** Has something measured while somebody watches; what this begins is closed afterwards. */
    void whileWatched(Supplier<Registration> begins) {
        measuring = begins;
    }

    /** The same for who watches the whole tree, which is never missing. */
    Registration watch(Consumer<StatusSnapshot> watcher) {
        return watchRow(row -> {
            StatusSnapshot snapshot = row.snapshot();
            if (snapshot != null) {
                watcher.accept(snapshot);
            }
        });
    }

    /** {@return whether anybody watches} */
    boolean isWatched() {
        return !watchers.isEmpty();
    }

    /** Says that the status may have turned though nothing in the tree changed; on the verticle's context. */
    void turned() {
        again |= isWatched();
    }

    private void begin() {
        Context here = vertx.getOrCreateContext();
        appearance = null;
        // What is under way was begun for others, before anybody listened for changes.
        again = taking;
        listening = local.onFirstChange(() -> {
            // In whatever thread made the change, which must not be held up.
            if (!changed.get() && changed.compareAndSet(false, true)) {
                try {
                    here.runOnContext(now -> onChange());
                } catch (RejectedExecutionException e) {
                    LOG.debug("a change is told to nobody, as the event loop of those who watch has ended", e);
                }
            }
        });
        measured = measuring.get();
        pausedNanos = ticker.nanos() - PACE.toNanos();
        tickAPaceLater();
        take();
    }

    private void end() {
        vertx.cancelTimer(timer);
        if (listening != null) {
            listening.close();
            listening = null;
        }
        if (measured != null) {
            measured.close();
            measured = null;
        }
        latest = null;
        mayTurn = false;
        changed.set(false);
    }

    private void onChange() {
        if (isWatched() && ticker.nanos() - pausedNanos >= paceNanos) {
            take();
        }
    }

    private void pause() {
        pausedNanos = ticker.nanos();
        // The ticks go by the last telling: one that came sooner would be a second telling within the pace.
        tickAPaceLater();
    }

    private void tickAPaceLater() {
        vertx.cancelTimer(timer);
        // Not before it is over: timers have whole milliseconds.
        timer = vertx.setTimer((paceNanos + 999_999) / 1_000_000, id -> tick());
    }

    private void tick() {
        tickAPaceLater();
        idleTicks++;
        if (changed.get() || again || mayTurn || idleTicks >= MACHINE_TICKS) {
            take();
        }
    }

    private void take() {
        if (taking) {
            return;
        }
        taking = true;
        idleTicks = 0;
        again = false;
        boolean eventful = changed.getAndSet(false);
        // From here on the next change is told of again.
        var unused = local.version();
        // Parts, of which there may be many, are looked at one after the other: workers are left to those who ask.
        worker.executeBlocking(this::look, !part.isWhole()).onComplete(done -> {
            taking = false;
            if (done.failed()) {
                LOG.warn("a snapshot for those who watch could not be taken", done.cause());
                onFailure();
            } else {
                paceNanos = paceAfter(done.result().tookNanos());
                onTaken(done.result(), eventful);
            }
            if (changed.get()) {
                // It came too late for this look. Where time alone asked for that, and it told nothing, it is
                // due at once.
                onChange();
            }
        });
    }

    /** On a worker. To wait for the machine is no work. */
    private Look look() {
        local.refresh(LocalStatus.BUS_WAIT);
        long begun = ticker.nanos();
        NodeStatus row = local.row(part, Duration.ZERO);
        boolean turns = mayTurn(row);
        return new Look(row, turns, ticker.nanos() - begun);
    }

    /** The quicker one of two looks tells what they cost: the other one may have been held up, as by a pause of the process. */
    private long paceAfter(long nanos) {
        long rest = REST * Math.min(tookNanos, nanos);
        tookNanos = nanos;
        return Math.min(LONGEST_PACE.toNanos(), Math.max(PACE.toNanos(), rest));
    }

    private record Look(NodeStatus row, boolean mayTurn, long tookNanos) {}

    private void onFailure() {
        if (isWatched()) {
            // What had changed was told to nobody.
            again = true;
            pause();
        }
    }

    private void onTaken(Look look, boolean eventful) {
        if (!isWatched()) {
            return;
        }
        NodeStatus row = look.row();
        mayTurn = look.mayTurn();
        Appearance before = appearance;
        Appearance now = Appearance.of(row.snapshot());
        appearance = now;
        if (now.equals(before)) {
            if (eventful || paceNanos > PACE.toNanos()) {
                // As where nothing is open at the path: each change elsewhere would be another look at the whole tree.
                pause();
            }
            return;
        }
        latest = row;
        // Before the watchers are told, one of whom may end the watch.
        pause();
        for (Consumer<NodeStatus> watcher : List.copyOf(watchers)) {
            watcher.accept(row);
        }
    }

    private static boolean mayTurn(NodeStatus row) {
        StatusSnapshot snapshot = row.snapshot();
        if (snapshot == null) {
            return false;
        }
        if (!snapshot.activeLocks().stream().allMatch(LockStatus::longHeld)
                || !snapshot.lockWaiters().stream().allMatch(LockWaiter::stuck)) {
            return true;
        }
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.push(snapshot.globalContext());
        while (!open.isEmpty()) {
            ContextStatus context = open.pop();
            if (!context.operations().stream().allMatch(OperationStatus::stuck)) {
                return true;
            }
            context.children().forEach(open::push);
        }
        return false;
    }

    /** A snapshot without the passing of time: the words of a warning hold durations, which pass. */
    private record Appearance(long version, Set<Mark> marks) {
        private static final Appearance ABSENT = new Appearance(-1, Set.of());

        static Appearance of(@Nullable StatusSnapshot snapshot) {
            if (snapshot == null) {
                return ABSENT;
            }
            Set<Mark> marks = new HashSet<>();
            for (StatusWarning warning : snapshot.warnings()) {
                marks.add(new Mark(
                        warning.id(), warning.severity(), warning.contextPath(), warning.contextId(), more(warning)));
            }
            return new Appearance(snapshot.version(), marks);
        }
    }

    private record Mark(String id, WarningSeverity severity, String contextPath, long contextId, String more) {}

    /** {@return how many more of a rule there are than are named: all that is said of them, and it has no age} */
    static String more(StatusWarning warning) {
        return warning.since() == null && warning.message().startsWith("+") ? warning.message() : "";
    }
}
