package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.CancelReason;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cancellation of a subtree. All of it is marked first, then told of; then times and waits for locks end, and then the
 * handlers run: a slow handler never delays a mark or the end of a wait. On a thread that must not be held up, the walk yields
 * after each {@link #SLICE_NANOS} and goes on there (rule C7). On another one, what comes behind the marks is handed on where
 * code of users does not return ({@link CancelWatch}); each mark is told, and each handler run, once all the same.
 */
final class CancelWalk {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final long SLICE_NANOS = 1_000_000;
    private static final int STEP = 256;
    private static final int USUALLY_OPEN = 3;
    private static final AtomicIntegerFieldUpdater<CancelWalk> TOLD =
            AtomicIntegerFieldUpdater.newUpdater(CancelWalk.class, "told");
    private static final AtomicIntegerFieldUpdater<CancelWalk> PROGRESS =
            AtomicIntegerFieldUpdater.newUpdater(CancelWalk.class, "progress");

    private final EngineRuntime runtime;
    private final ContextNode top;
    private CancelReason inherited; // by the children that are visited
    private final @Nullable Executor loop;
    private final ArrayDeque<ContextNode> open = new ArrayDeque<>(USUALLY_OPEN);
    private final List<ContextNode> marked = new ArrayList<>();
    private @Nullable ChildBatches children;
    private boolean changed;
    // Whether the runtime was told that marks are still to come.
    private boolean counted;
    // From then on it hurries to its end, without the clock and in the thread where that was.
    private boolean brokenOff;
    private int ended;
    private int handled;

    // Other threads may take part from here on: of what is told each takes the next, what is ended or run finds nothing
    // the second time.
    private volatile int told;
    private volatile int progress;
    private volatile boolean watched;

    // Of the threads that take part: what each has noted to go on with.
    @GuardedBy("this")
    private @Nullable Set<Trampoline.Turn> turns;

    private CancelWalk(ContextNode top, CancelReason inherited, @Nullable Executor loop) {
        this.runtime = top.runtime();
        this.top = top;
        this.inherited = inherited;
        this.loop = loop;
    }

    /** Cancels a node and all below it; the node itself is marked when this returns. */
    static void cancel(ContextNode top, CancelReason reason) {
        EngineRuntime runtime = top.runtime();
        CancelWalk walk = new CancelWalk(top, reason, runtime.current().eventLoop());
        int found = top.markFirst(reason);
        walk.counted = (found & ContextNode.HAS_CHILDREN) != 0;
        try {
            walk.visited(top, found);
        } catch (Throwable t) {
            walk.breakOff(t);
        }
        walk.proceed();
    }

    /**
     * Cancels some nodes of a runtime and all below them. These are marked when this returns; all that comes behind is done in a
     * thread of its own, so that whoever asks is not held up by code of users.
     *
     * @param done run when that thread has come back from all of it
     * @return the walk, of whom nobody may want to wait that long
     */
    static CancelWalk cancelAside(List<ContextNode> tops, CancelReason.Kind why, String message, Runnable done) {
        ContextNode first = tops.get(0);
        EngineRuntime runtime = first.runtime();
        CancelWalk walk = new CancelWalk(first, first.reason(why, message), null);
        runtime.cancellationBegins();
        walk.counted = true;
        for (ContextNode top : tops) {
            try {
                walk.visit(top, top.reason(why, message));
            } catch (Throwable t) {
                walk.breakOff(t);
            }
        }
        runtime.timers().soon(() -> {
            walk.proceed();
            done.run();
        });
        return walk;
    }

    /**
     * Marks what a walk that is under way elsewhere has not reached yet, or one that broke off. On an event loop, the former is
     * left to that walk.
     */
    static void finish(ContextNode top, CancelReason reason) {
        EngineRuntime runtime = top.runtime();
        Executor loop = runtime.current().eventLoop();
        if (loop == null || runtime.hasCancellationBrokenOff()) {
            CancelWalk walk = new CancelWalk(top, reason, loop);
            try {
                walk.visit(top, reason);
            } catch (Throwable t) {
                walk.breakOff(t);
            }
            walk.proceed();
        }
    }

    /** A cancellation does not throw (rule C3), and whoever was marked has its handlers run, whatever fails meanwhile. */
    private void proceed() {
        boolean over = false;
        while (!over) {
            try {
                goOn();
                over = true;
            } catch (Throwable t) {
                // Each failure has taken a step with it, or all marks that were still to come: there is an end.
                breakOff(t);
            }
        }
    }

    private void breakOff(Throwable failure) {
        brokenOff = true;
        ChildBatches batches = children;
        if (counted || batches != null || !open.isEmpty()) {
            // Said before the runtime is told that no mark comes any more: whoever cancels again from now on goes
            // there.
            runtime.cancellationBrokeOff();
            open.clear();
            children = null;
            if (batches != null) {
                batches.leave();
            }
        }
        LoggedFailure.error(
                LOG,
                failure,
                "a cancellation met a failure; what it did not reach is cancelled when it is called again");
    }

    private void goOn() {
        if (loop == null || brokenOff) {
            while (!step()) {}
            if (watched) {
                leaveWatch();
            }
            return;
        }
        long began = runtime.nanos();
        while (!step()) {
            if (runtime.nanos() - began >= SLICE_NANOS && continueLater(loop)) {
                return;
            }
        }
    }

    private boolean continueLater(Executor later) {
        try {
            later.execute(this::proceed);
            return true;
        } catch (Throwable t) {
            LOG.debug("an event loop takes no more tasks; a cancellation is finished at once", t);
            return false;
        }
    }

    /** Does a little more. {@return whether all is done} */
    private boolean step() {
        ChildBatches batches = children;
        if (batches != null) {
            List<ContextNode> batch = batches.next();
            for (ContextNode child : batch) {
                visit(child, inherited);
            }
            if (batch.isEmpty()) {
                children = null;
            }
            return false;
        }
        // Taken out last: what fails before leaves it to be found.
        ContextNode node = open.peek();
        if (node != null) {
            // Marked by this walk, or by one that was faster and has other words.
            inherited = ContextNode.fromParent(requireNonNull(node.cancelReason(), "reason"));
            children = new ChildBatches(node);
            open.remove();
            return false;
        }
        if (counted) {
            counted = false;
            runtime.cancellationHasMarkedAll();
        }
        if (changed) {
            // Whoever is told may ask for the version at once.
            changed = false;
            runtime.changed();
        }
        int all = marked.size();
        if (told < all) {
            if (runtime.hasListeners()) {
                watch(true);
            }
            for (int i = 0; i < STEP && tellNext(); i++) {}
            return false;
        }
        if (ended < all) {
            endWaits(loop == null ? all : Math.min(all, ended + STEP));
            return false;
        }
        for (int i = 0; i < STEP && handled < all; i++) {
            ContextEnd.runCancelHandlers(marked.get(handled++), this);
            progressed();
        }
        return handled == all;
    }

    private boolean tellNext() {
        int next = TOLD.getAndIncrement(this);
        if (next >= marked.size()) {
            return false;
        }
        ContextEnd.tellCancelled(marked.get(next));
        progressed();
        return true;
    }

    /** Ends times and waits, all of them before somebody goes on in this thread, who may block. */
    private void endWaits(int end) {
        Trampoline trampoline = runtime.trampoline();
        boolean held = false;
        try {
            while (ended < end) {
                held |= ContextEnd.endTimesAndWaits(marked.get(ended++), this, held);
            }
        } finally {
            progressed();
            if (held) {
                stayWatched();
                trampoline.go();
            }
        }
    }

    /**
     * Code of users runs now, which may not come back for a long time.
     *
     * @param more whether the node that it belongs to has more to do behind it
     */
    void watch(boolean more) {
        if (loop == null && !watched && (more || Math.max(handled, 1) < marked.size() || runtime.isClosing())) {
            watched = true;
            runtime.cancelWatch().add(this);
        }
    }

    /** Holds the trampoline; if somebody may have to help, he finds what is noted. */
    void hold() {
        Trampoline trampoline = runtime.trampoline();
        if (watched) {
            var unused = turnsWith(trampoline.turn());
            trampoline.holdForOthers();
        } else {
            trampoline.hold();
        }
    }

    private synchronized Set<Trampoline.Turn> turnsWith(Trampoline.Turn mine) {
        Set<Trampoline.Turn> all = turns;
        if (all == null) {
            all = new CopyOnWriteArraySet<>();
            turns = all;
        }
        all.add(mine);
        return all;
    }

    private void progressed() {
        // One that is lost between two threads is followed by others.
        PROGRESS.lazySet(this, progress + 1);
    }

    /** What is another number once more was done, by whomever. */
    int progress() {
        return progress;
    }

    /** Has another thread do what is left, if this one is in code of users and there is something. */
    void handOn() {
        if (watched) {
            runtime.timers().soon(this::help);
        }
    }

    /** Does what is left, for a thread that has not come back from code of users. */
    void help() {
        Trampoline trampoline = runtime.trampoline();
        Set<Trampoline.Turn> all = turnsWith(trampoline.turn());
        trampoline.holdForOthers();
        try {
            helpWith(() -> trampoline.runWaitingIn(all));
        } finally {
            progressed();
            stayWatched();
            trampoline.go();
        }
        helpWith(() -> {
            while (tellNext()) {}
        });
        trampoline.holdForOthers();
        try {
            for (ContextNode node : marked) {
                helpWith(() -> {
                    var unused = ContextEnd.endTimesAndWaits(node, this, true);
                });
            }
        } finally {
            progressed();
            stayWatched();
            trampoline.go();
        }
        for (ContextNode node : marked) {
            helpWith(() -> ContextEnd.runCancelHandlers(node, this));
            progressed();
        }
        leaveWatch();
        if (top.parent() == null) {
            runtime.rootWasHelped();
        }
    }

    /** Another thread that takes part may have come to the end meanwhile, and this one goes on with what it noted. */
    private void stayWatched() {
        if (watched) {
            runtime.cancelWatch().add(this);
        }
    }

    /** Unless another thread that takes part has something noted still, which it may not come back to. */
    private void leaveWatch() {
        runtime.cancelWatch().remove(this);
        if (isAnyNoted()) {
            runtime.cancelWatch().add(this);
        }
    }

    private synchronized boolean isAnyNoted() {
        return turns != null && turns.stream().anyMatch(Trampoline.Turn::isAnyWaiting);
    }

    private static void helpWith(Runnable part) {
        try {
            part.run();
        } catch (Throwable t) {
            LoggedFailure.error(LOG, t, "a cancellation met a failure; it goes on behind it");
        }
    }

    private void visit(ContextNode node, CancelReason why) {
        visited(node, node.mark(why));
    }

    private void visited(ContextNode node, int found) {
        if ((found & ContextNode.HAS_CHILDREN) != 0) {
            open.add(node);
        }
        if ((found & ContextNode.MARKED) != 0) {
            changed = true;
            // Who adds a handler from now on sees the mark, and runs it.
            if (node.mayHaveCancelHandlers() || runtime.hasListeners()) {
                marked.add(node);
            }
        }
    }
}
