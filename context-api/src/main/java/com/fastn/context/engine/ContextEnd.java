package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.FinishedContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a context has to give up: when it is asked to stop its times, its waits for locks and its handlers, and when it ends all
 * that it has, and its place in the tree. It has no state; whether a context is marked or has ended is decided in {@link TreeNode}
 * before anything here is done.
 *
 * <pre>
 *   asked to stop    CancelWalk, once all of the subtree is marked:
 *                    tellCancelled, endTimesAndWaits, runCancelHandlers
 *   closed           close: what ends with the work of the context (live counts, operations), and then, or when the last
 *                    child has left, leaveTree: letGo, endWaitsAndHolds, tellLeft; for each ancestor that closes with it too
 * </pre>
 *
 * What fails with one of several things keeps none of the others, and no context in the tree.
 */
final class ContextEnd {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");

    private ContextEnd() {}

    // --- asked to stop

    static void tellCancelled(ContextNode node) {
        EngineRuntime runtime = node.runtime();
        runtime.cancelled(node);
        if (runtime.hasListeners()) {
            runtime.tell(
                    new ContextEvent.Cancelled(node.id(), node.path(), requireNonNull(node.cancelReason(), "reason")));
        }
    }

    /**
     * Ends the times and the waits for locks of a node that is marked. Who waited goes on when the trampoline is let go.
     *
     * @return whether the trampoline is held for it, or was before
     */
    static boolean endTimesAndWaits(ContextNode node, @Nullable CancelWalk walk, boolean held) {
        NodeExtras x = node.extrasOrNull();
        if (x == null) {
            return held;
        }
        List<Deadline> deadlines;
        List<Waiter<?>> waits;
        boolean more;
        synchronized (x) {
            deadlines = x.takeDeadlines();
            waits = x.waitList();
            more = x.cancelHandlers != null;
        }
        deadlines.forEach(Deadline::close);
        if (waits.isEmpty()) {
            return held;
        }
        if (walk != null) {
            // Of several one may wait for another.
            walk.watch(more || waits.size() > 1);
        }
        if (!held && walk != null) {
            walk.hold();
        } else if (!held) {
            node.runtime().trampoline().hold();
        }
        waits.forEach(ContextEnd::endWait);
        return true;
    }

    /** Runs the handlers that nobody has begun yet, of a node that is marked; several threads may come here. */
    static void runCancelHandlers(ContextNode node, @Nullable CancelWalk walk) {
        CancelReason reason = requireNonNull(node.cancelReason(), "reason");
        NodeExtras x = node.extrasOrNull();
        if (x == null) {
            return;
        }
        List<Throwable> failures = null;
        boolean more = true;
        while (more) {
            CancelHandler handler;
            synchronized (x) {
                handler = x.nextCancelHandler();
                more = x.cancelHandlers != null;
            }
            if (walk != null && handler != null) {
                walk.watch(more);
            }
            Throwable failure = handler == null ? null : handler.fire(reason);
            if (failure != null) {
                failures = failures == null ? new ArrayList<>() : failures;
                failures.add(failure);
            }
        }
        if (failures != null) {
            CancelHandler.report(node, failures);
        }
    }

    /** All of this for a child that was opened below one that was cancelled, and so is from the start. */
    static void ofBornCancelled(ContextNode child) {
        tellCancelled(child);
        if (endTimesAndWaits(child, null, false)) {
            child.runtime().trampoline().go();
        }
        runCancelHandlers(child, null);
    }

    // --- closed

    /**
     * Closes a node that was not closed before; the root only with its runtime.
     *
     * @param whenDone whether what is under way in it is waited for
     */
    static void close(ContextNode node, boolean whenDone) {
        EngineRuntime runtime = node.runtime();
        if (node.parent() == null && !runtime.isClosing()) {
            return;
        }
        int found = node.beginToClose(whenDone);
        if ((found & TreeNode.NOT_NOW) != 0) {
            return;
        }
        boolean more = (found & TreeNode.HAS_MORE) != 0;
        boolean settled = (found & TreeNode.SETTLED) != 0;
        LeakTracker leaks = runtime.leaks();
        if (leaks != null) {
            leaks.contextClosed(node.id());
        }
        try {
            if (more) {
                endWork(node, settled);
            }
        } finally {
            if ((found & TreeNode.IS_CLOSED) != 0) {
                leaveTree(node, more, settled);
            } else {
                node.changed("state");
            }
        }
    }

    /** What is left of one that never was in the tree. */
    static void takeBackCounts(ContextNode bornDead) {
        NodeExtras x = bornDead.extrasOrNull();
        if (x != null) {
            LiveCounts.takeBack(bornDead, x.takeLive());
        }
    }

    /** What ends with the work of a node, also while children of it are open: live counts and operations. */
    private static void endWork(ContextNode node, boolean settled) {
        NodeExtras x = node.extrasOrNull();
        if (x == null) {
            return;
        }
        if (settled) {
            LiveCounts.takeBack(node, x.takeLive());
            return;
        }
        List<RunningOperation> running;
        List<NodeExtras.OwnLive> live;
        synchronized (x) {
            live = x.takeLive();
            running = x.operationList();
            x.operations = null;
        }
        LiveCounts.takeBack(node, live);
        // From the inside out, as they would have ended, so that one around a slow one is known for that.
        for (int i = running.size() - 1; i >= 0; i--) {
            running.get(i).abandon();
        }
    }

    /**
     * Takes a node out of the tree, and every closing ancestor that it was the last child of. Code of users comes last, as
     * it may block or look at the tree: it finds all of them gone, and none stays for it.
     */
    private static void leaveTree(ContextNode ended, boolean more, boolean settled) {
        EngineRuntime runtime = ended.runtime();
        boolean hasMore = more;
        boolean isSettled = settled;
        boolean somebodyWaits = false;
        ContextNode top = ended;
        ContextNode lastEmptied = null;
        for (ContextNode node = ended; node != null; ) {
            top = node;
            PathCounters counted = node.countersOrNull();
            if (counted != null) {
                counted.ended(node.endedNanos());
            }
            if (hasMore) {
                somebodyWaits |= isSettled ? rememberSettled(node) : letGo(node);
            }
            hasMore = true;
            isSettled = false;
            ContextNode up = node.parent();
            boolean last = false;
            if (up != null) {
                if (up.unlink(node)) {
                    lastEmptied = up;
                    last = up.closeIfChildless();
                }
                up.touch();
            }
            runtime.contextClosed();
            // Whoever is told may ask for the version at once.
            runtime.changed();
            node = last ? up : null;
        }
        if (!somebodyWaits) {
            tellLeft(ended, top, lastEmptied);
            return;
        }
        Trampoline trampoline = runtime.trampoline();
        trampoline.hold();
        try {
            for (ContextNode node = ended; node != null; node = node == top ? null : node.parent()) {
                endWaitsAndHolds(node);
            }
            tellLeft(ended, top, lastEmptied);
        } finally {
            trampoline.go();
        }
    }

    /** Tells that a node has left the tree, and its ancestors up to a top; and of which the last child has left. */
    private static void tellLeft(ContextNode ended, ContextNode top, @Nullable ContextNode lastEmptied) {
        EngineRuntime runtime = ended.runtime();
        ContextNode node = ended;
        for (ContextPath path = runtime.hasListeners() ? ended.path() : null; path != null; path = path.parent()) {
            // Each finds the version raised since the one before it was told.
            runtime.changed();
            runtime.tell(new ContextEvent.Closed(node.id(), path));
            if (node == top) {
                break;
            }
            node = requireNonNull(node.parent(), "parent");
        }
        for (ContextNode up = lastEmptied == null ? null : ended.parent(); up != null; ) {
            if (up.isWatched()) {
                up.tellIfChildless();
            }
            up = up == lastEmptied ? null : up.parent();
        }
    }

    /**
     * Drops what can be of no use to a node that is closed, and keeps its held locks in sight; what fails with it keeps no
     * node in the tree.
     *
     * @return whether waits or holds are to be ended too
     */
    private static boolean letGo(ContextNode node) {
        NodeExtras x = node.extrasOrNull();
        if (x == null) {
            return false;
        }
        List<Deadline> deadlines;
        List<FifoLock<?>> locks;
        List<CancelHandler> handlers = Collections.emptyList();
        boolean somebodyWaits;
        boolean persisted;
        Throwable failure;
        CallerLink caller;
        String traceId;
        try {
            synchronized (x) {
                if (node.cancelReason() == null) {
                    // No mark comes any more. Otherwise the thread that cancels is about to take the handlers.
                    handlers = x.takeCancelHandlers();
                }
                somebodyWaits = x.firstWait != null || x.releasedWithEnd != null;
                deadlines = x.takeDeadlines();
                locks = x.lockList();
                persisted = x.persisted;
                failure = x.failure;
                caller = x.caller;
                traceId = persisted ? x.traceId() : null;
                x.persisted = false;
                x.failure = null;
            }
            handlers.forEach(CancelHandler::drop);
            deadlines.forEach(Deadline::close);
            locks.forEach(node.runtime()::keepIfBusy);
            if (persisted) {
                remember(node, failure, caller, traceId);
            }
            return somebodyWaits;
        } catch (Throwable t) {
            LoggedFailure.error(LOG, t, "the end of a context met a failure; some of what it had is kept");
            return true;
        }
    }

    /** The same for one that has nothing else than what it is remembered by. */
    private static boolean rememberSettled(ContextNode node) {
        NodeExtras x = node.extrasOrNull();
        if (x == null) {
            return false;
        }
        try {
            Throwable failure = x.failure;
            x.failure = null;
            if (x.persisted) {
                remember(node, failure, x.caller, null);
            }
        } catch (Throwable t) {
            LoggedFailure.error(LOG, t, "the end of a context met a failure; it is not remembered");
        }
        return false;
    }

    private static void remember(
            ContextNode node, @Nullable Throwable failure, @Nullable CallerLink caller, @Nullable String traceId) {
        EngineRuntime runtime = node.runtime();
        FinishedContext.Outcome outcome = RecentContexts.outcome(node.cancelReason(), failure, runtime.redactor());
        PathCounters path = node.pathCounters();
        while (!path.countEnd(runtime.sinceStart(node.endedNanos()), outcome)) {
            path = node.pathCounters();
        }
        runtime.recentContexts().add(node, outcome, path, caller, traceId);
    }

    /** Of a node that is closed: none comes any more. */
    private static void endWaitsAndHolds(ContextNode node) {
        NodeExtras x = node.extrasOrNull();
        if (x == null) {
            return;
        }
        try {
            List<Waiter<?>> waits;
            Set<Grant<?>> held;
            synchronized (x) {
                // Of one that was cancelled, the thread that cancels may not have come to them yet.
                waits = x.waitList();
                held = x.releasedWithEnd == null ? Collections.emptySet() : x.releasedWithEnd;
                x.releasedWithEnd = null;
            }
            waits.forEach(ContextEnd::endWait);
            held.forEach(ContextEnd::endHold);
        } catch (Throwable t) {
            LoggedFailure.error(LOG, t, "the end of a context met a failure at its locks");
        }
    }

    /** What fails with one of several keeps none of the others. */
    private static void endWait(Waiter<?> wait) {
        try {
            wait.lock.endWithContext(wait);
        } catch (Throwable t) {
            LoggedFailure.error(LOG, t, "the end of a context met a failure at a wait for a lock");
        }
    }

    private static void endHold(Grant<?> grant) {
        try {
            grant.lock.releaseAtEnd(grant);
        } catch (Throwable t) {
            LoggedFailure.error(LOG, t, "the end of a context met a failure at a lock that it held");
        }
    }
}
