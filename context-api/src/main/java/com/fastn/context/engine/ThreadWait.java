package com.fastn.context.engine;

import com.fastn.context.LockTimeoutException;
import com.fastn.context.Registration;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.spi.Turn;
import com.fastn.context.status.HumanText;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The wait of a thread for a lock. A thread that has the turn on an execution context gives it up meanwhile; where that
 * cannot be, it must not wait for those who go on after its turn only.
 */
final class ThreadWait<T extends @Nullable Object> {
    /** How long a thread holds up its own execution context for one who may release the lock elsewhere. */
    private static final Duration HELD_UP = Duration.ofSeconds(5);

    private static final String INSTEAD = "use the form that gives a stage, or block in executeBlocking(.., false)";

    private final FifoLock<T> lock;
    private final EngineRuntime runtime;
    private final ContextNode asker;
    private final CompletableFuture<AnyGuard<T>> ticket;

    ThreadWait(FifoLock<T> lock, ContextNode asker, CompletableFuture<AnyGuard<T>> ticket) {
        this.lock = lock;
        this.runtime = lock.runtime();
        this.asker = asker;
        this.ticket = ticket;
    }

    /** Waits for the guard; null when the time ran out first. */
    @Nullable
    AnyGuard<T> guard() {
        try {
            // What waits behind the task that this thread may be in could be what lets it go on.
            runtime.trampoline().passOn();
            Turn turn = ticket.isDone() ? null : runtime.current().turn();
            if (turn != null) {
                // On some threads it returns before the stage is over.
                turn.await(ticket);
                refuseIfHeldUp(turn);
            }
            return ticket.get();
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (CancellationException e) {
            // Newer JDKs wrap what a future was cancelled with in another of this type.
            throw e.getCause() instanceof CancellationException ended ? ended : e;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LockTimeoutException) {
                return null;
            }
            throw e.getCause() instanceof RuntimeException failure ? failure : new CompletionException(e.getCause());
        } catch (Throwable t) {
            // Whatever went wrong with who is asked about turns: nobody would have the guard.
            leave(t);
            throw t;
        }
    }

    /**
     * Ends the wait of a thread for those whom it holds up itself: they go on, and so release, after its turn only. Who is on
     * the way to be told that he has the lock is held up for certain: a self-deadlock. Who was told so may release it elsewhere,
     * so he has some time to do that. Afterwards the turn is wanted by others, but that is an opinion and no deadlock (rule L15).
     */
    private void refuseIfHeldUp(Turn turn) throws InterruptedException, ExecutionException {
        Waiter<?> waiter = ticket instanceof Pending<AnyGuard<T>> pending ? pending.ownWaiter() : null;
        if (waiter == null || ticket.isDone() || Thread.currentThread().isInterrupted()) {
            return;
        }
        Grant<?> first = heldUp(waiter, turn, true);
        boolean certainly = first != null;
        if (!certainly && heldUp(waiter, turn, false) != null) {
            awaitFor(HELD_UP);
            first = ticket.isDone() ? null : heldUp(waiter, turn, false);
        }
        if (first != null) {
            lock.giveUp(waiter, certainly ? selfDeadlock(waiter, first) : heldUp(waiter, first));
        }
    }

    /** Waits for a ticket until a time is over, which is that of the one who asks as that of any other wait is. */
    private void awaitFor(Duration time) throws InterruptedException, ExecutionException {
        CompletableFuture<@Nullable Void> over = new CompletableFuture<>();
        Registration timer = asker.runtime().timers().after(time, () -> over.complete(null));
        try {
            var unused = CompletableFuture.anyOf(ticket, over).get();
        } finally {
            timer.close();
        }
    }

    /** One of those without whom a waiter cannot be served, and who go on after a turn only; null when there are none. */
    private @Nullable Grant<?> heldUp(Waiter<?> waiter, Turn turn, boolean certainly) {
        long lost = 0;
        Grant<?> first = null;
        for (LockView.Holder ahead : lock.aheadOf(waiter)) {
            if (isHeldUp(ahead.grant(), turn, certainly)) {
                lost += ahead.permits();
                first = first == null ? ahead.grant() : first;
            }
        }
        return lock.total() - lost < waiter.permits ? first : null;
    }

    private static SelfDeadlockException selfDeadlock(Waiter<?> waiter, Grant<?> ahead) {
        return new SelfDeadlockException(onWorker(waiter) + " that " + ahead.by.path() + Refusals.takenAt(ahead)
                + ", who is before it, needs to go on; " + INSTEAD);
    }

    /** As where a thread of an event loop would block: it may not, whatever comes of it. */
    private static IllegalStateException heldUp(Waiter<?> waiter, Grant<?> holder) {
        return new IllegalStateException(onWorker(waiter) + "; " + holder.by.path() + Refusals.takenAt(holder)
                + ", who has it, was not seen to release it within " + HumanText.duration(HELD_UP)
                + ", and may need this worker to go on; " + INSTEAD);
    }

    private static String onWorker(Waiter<?> waiter) {
        return waiter.lock + " was asked for by " + waiter.by.path() + " in a way that blocks, on an ordered worker";
    }

    /** Whether somebody can release, or be told that he has the lock, after a turn only. */
    private static boolean isHeldUp(Grant<?> ahead, Turn turn, boolean certainly) {
        if (ahead.byThread) {
            return false;
        }
        if (ahead instanceof Waiter<?> asked) {
            Executor executor = asked.executor;
            return executor != null && turn.holdsUp(executor) && (!certainly || !asked.isTold());
        }
        // Who had it at once did not say where he goes on: where his context does.
        return !certainly && turn.holdsUp(ahead.by) && !ahead.by.isOnOtherThread();
    }

    /** Leaves the queue, or releases what was granted in the same moment, which nobody sees. */
    private void leave(Throwable cause) {
        boolean left = ticket instanceof Pending<AnyGuard<T>> pending && pending.giveUp(cause);
        if (!left && !ticket.isCompletedExceptionally()) {
            ticket.join().close();
        }
    }

    private CancellationException interrupted(InterruptedException interrupt) {
        leave(new CancellationException());
        Thread.currentThread().interrupt();
        CancellationException given =
                new CancellationException("the wait of " + asker.path() + " for " + lock + " was interrupted");
        given.initCause(interrupt);
        return given;
    }
}
