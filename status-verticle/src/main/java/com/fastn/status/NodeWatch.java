package com.fastn.status;

import com.fastn.context.ContextRuntime;
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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at this node while somebody watches, and tells the watchers what it is doing: at first, and when something changed.
 * The first change is told at once, later ones at most once per second.
 *
 * <p>Without watchers it does nothing at all. With them a change wakes it; what time alone may turn, such as the warning of a
 * long wait, is looked for each second while there is any, and the machine now and then. It belongs to the verticle's context.
 */
final class NodeWatch {
    static final Duration PACE = Duration.ofSeconds(1);

    /** The load of the machine makes no event. */
    private static final int MACHINE_TICKS = 5;

    private static final Logger LOG = LoggerFactory.getLogger(NodeWatch.class);

    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final LocalStatus local;
    private final ContextRuntime runtime;
    private final StatusQuery part;
    private final Ticker ticker;
    private final AtomicBoolean changed = new AtomicBoolean();

    // Mutable state
    private final List<Consumer<NodeStatus>> watchers = new ArrayList<>();
    private Supplier<Registration> measuring = () -> () -> {};
    private @Nullable Registration measured;
    private @Nullable Registration listening;
    private @Nullable NodeStatus latest;
    private @Nullable Appearance appearance;
    private long timer = -1;
    /** When something was told last, or could not be taken: for a second after it nothing is told. */
    private long pausedNanos;

    private int idleTicks;
    private boolean taking;
    private boolean again;

    NodeWatch(
            Vertx vertx,
            WorkerExecutor worker,
            LocalStatus local,
            ContextRuntime runtime,
            StatusQuery part,
            Ticker ticker) {
        this.vertx = vertx;
        this.worker = worker;
        this.local = local;
        this.runtime = runtime;
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
        listening = runtime.addListener(event -> {
            // In whatever thread made the change, which must not be held up.
            if (!changed.get() && changed.compareAndSet(false, true)) {
                here.runOnContext(now -> onChange());
            }
        });
        measured = measuring.get();
        pausedNanos = ticker.nanos() - PACE.toNanos();
        tickInASecond();
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
        changed.set(false);
    }

    private void onChange() {
        if (isWatched() && ticker.nanos() - pausedNanos >= PACE.toNanos()) {
            take();
        }
    }

    private void pause() {
        pausedNanos = ticker.nanos();
        // The ticks go by the last telling: one that came sooner would be a second telling within the second.
        tickInASecond();
    }

    private void tickInASecond() {
        vertx.cancelTimer(timer);
        timer = vertx.setTimer(PACE.toMillis(), id -> tick());
    }

    private void tick() {
        tickInASecond();
        idleTicks++;
        if (changed.get() || again || (latest != null && mayTurn(latest)) || idleTicks >= MACHINE_TICKS) {
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
        worker.executeBlocking(() -> local.row(part, LocalStatus.BUS_WAIT), false)
                .onComplete(done -> {
                    taking = false;
                    if (done.failed()) {
                        LOG.warn("a snapshot for those who watch could not be taken", done.cause());
                        onFailure();
                    } else {
                        onTaken(done.result(), eventful);
                    }
                    if (changed.get()) {
                        // It came too late for this look. Where that told nothing, it is due at once.
                        onChange();
                    }
                });
    }

    private void onFailure() {
        if (isWatched()) {
            // What had changed was told to nobody.
            again = true;
            pause();
        }
    }

    /** Of some changes the event is told before the version rises: what looks the same then is looked at once more. */
    private void onTaken(NodeStatus row, boolean eventful) {
        if (!isWatched()) {
            return;
        }
        Appearance before = appearance;
        Appearance now = Appearance.of(row.snapshot());
        again |= eventful && before != null && now.version() == before.version();
        appearance = now;
        if (now.equals(before)) {
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
