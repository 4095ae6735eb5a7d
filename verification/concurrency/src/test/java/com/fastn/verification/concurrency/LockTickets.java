package com.fastn.verification.concurrency;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextLock;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.HeldGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.engine.ManualTimers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;

/**
 * A lock as steps of which none blocks: try, ask for a ticket, look at the tickets, give a ticket up, stop the context that
 * asked for it, let its time run out, release.
 *
 * <p>An operation takes the step that its thread can take next, so that few are spent on doing nothing. A thread may have
 * several tickets, as one that serves many contexts has. Each ticket is asked for by a context of its own, which is what a
 * cancellation ends. The first tickets of a thread have a timeout, and another thread makes its time run out, at any moment. At
 * the start the first thread holds the lock and each other one has a ticket, so that short scenarios already contend.
 */
@Param(name = "thread", gen = ThreadIdGen.class)
@Param(name = "timed", gen = IntGen.class, conf = "0:1")
public abstract class LockTickets {
    // Lincheck numbers the threads of the concurrent part from 1 on.
    static final int FIRST = 1;
    static final int THREADS = 4;
    static final int MOST_TICKETS = 3;
    static final int CONTEXTS = 4;
    /** So many of a thread's tickets have a timeout: the first. */
    static final int TIMED = 2;

    private final ManualTimers timers = new ManualTimers();
    private final FastnContext root;
    private final List<List<FastnContext>> unused = new ArrayList<>();
    private final Kind kind;
    private final List<List<Ticket>> tickets = new ArrayList<>();
    private final Map<FastnContext, CompletableFuture<?>> stages = new ConcurrentHashMap<>();
    private final @Nullable HeldGuard[] guards = new HeldGuard[THREADS];

    /** One kind of lock, and what each thread wants of it. */
    interface Kind {
        ContextLock lock();

        CompletableFuture<? extends HeldGuard> ask(int thread, @Nullable Duration timeout);

        @Nullable
        HeldGuard tryAsk(int thread);

        /** Somebody goes on with a guard. */
        default void goesOnWith(HeldGuard guard) {}
    }

    private record Ticket(FastnContext by, boolean timed, CompletableFuture<? extends HeldGuard> stage) {
        /** Whether it failed, as a ticket may fail. */
        boolean hasFailed() {
            if (!stage.isCompletedExceptionally()) {
                return false;
            }
            Throwable why = stage.handle((guard, failure) -> failure).join();
            if (why instanceof ContextCancelledException || (timed && why instanceof LockTimeoutException)) {
                return true;
            }
            throw new IllegalStateException("a ticket failed for another reason", why);
        }
    }

    @SuppressWarnings("this-escape") // nothing of the subclass is used before it is made
    LockTickets(Function<FastnContext, Kind> kind, boolean contended) {
        this.root = timers.newRoot();
        this.kind = kind.apply(root);
        for (int i = 0; i < THREADS; i++) {
            List<FastnContext> own = new ArrayList<>();
            for (int k = 0; k < CONTEXTS; k++) {
                own.add(root.child("thread-" + i).open());
            }
            unused.add(own);
            tickets.add(new ArrayList<>());
        }
        if (contended) {
            for (int i = FIRST; i < THREADS; i++) {
                ask(i);
            }
            goOn(FIRST);
        }
    }

    /**
     * Draws a ticket, unless the thread has many.
     *
     * @param thread who
     * @return what was done
     */
    @Operation
    public String ask(@Param(name = "thread") int thread) {
        List<FastnContext> free = unused.get(thread);
        if (tickets.get(thread).size() == MOST_TICKETS || free.isEmpty()) {
            return "has enough";
        }
        int number = CONTEXTS - free.size();
        boolean timed = number < TIMED;
        FastnContext by = free.remove(free.size() - 1);
        try (ContextScope ignored = by.makeCurrent()) {
            Ticket ticket = new Ticket(by, timed, kind.ask(thread, timed ? timeoutOf(thread, number) : null));
            stages.put(by, ticket.stage);
            tickets.get(thread).add(ticket);
        }
        return "asked";
    }

    private static Duration timeoutOf(int thread, int number) {
        return Duration.ofSeconds(thread * 10L + number);
    }

    /**
     * Whose timers a thread runs. The timers of a thread are run by one other, as those of the JDK are: two that run the
     * same one would be a race of this test.
     */
    static int timersRunBy(int thread) {
        return thread == FIRST ? FIRST + 1 : thread == FIRST + 1 ? FIRST : thread;
    }

    /**
     * Lets the time of a ticket of another thread run out. What became of the ticket is seen when that one goes on.
     *
     * @param thread who runs the timer
     * @param number which of the tickets that have a timeout
     * @return that it is late
     */
    @Operation
    public String runOut(@Param(name = "thread") int thread, @Param(name = "timed") int number) {
        Runnable timer = timers.take(timeoutOf(timersRunBy(thread), number));
        if (timer != null) {
            timer.run();
        }
        return "late";
    }

    /**
     * Releases the lock, or looks for the first ticket that was granted or failed.
     *
     * @param thread who
     * @return what was done, and which ticket it was
     */
    @Operation
    public String goOn(@Param(name = "thread") int thread) {
        HeldGuard guard = guards[thread];
        if (guard != null) {
            guards[thread] = null;
            guard.close();
            return "released";
        }
        List<Ticket> own = tickets.get(thread);
        awaitGrantsOnTheirWay();
        int first = -1;
        // From the last to the first: at the moment at which the one that is taken was seen to be done, none before it
        // was.
        for (int i = own.size() - 1; i >= 0; i--) {
            first = own.get(i).stage.isDone() ? i : first;
        }
        if (first < 0) {
            return "waiting";
        }
        Ticket done = own.remove(first);
        if (done.hasFailed()) {
            return "failed " + first;
        }
        guards[thread] = done.stage.join();
        kind.goesOnWith(guards[thread]);
        return "granted " + first;
    }

    /**
     * Gives the newest ticket up; without one, takes the lock only if it is free.
     *
     * @param thread who
     * @return what was done
     */
    @Operation
    @SuppressWarnings("MustBeClosedChecker") // goOn() closes it
    public String turnAway(@Param(name = "thread") int thread) {
        List<Ticket> own = tickets.get(thread);
        awaitGrantsOnTheirWay();
        if (!own.isEmpty()) {
            CompletableFuture<?> newest = own.get(own.size() - 1).stage;
            boolean cancelled = newest.cancel(false) || newest.isCompletedExceptionally();
            if (cancelled) {
                FastnContext by = own.remove(own.size() - 1).by();
                // Another thread may have granted it in this very moment, and is then the one that passes the lock on.
                while (kind.lock().holders().contains(by)) {
                    Thread.onSpinWait();
                }
            }
            return cancelled ? "cancelled" : "too late";
        }
        if (guards[thread] != null) {
            return "has it";
        }
        HeldGuard tried = kind.tryAsk(thread);
        guards[thread] = tried;
        if (tried != null) {
            kind.goesOnWith(tried);
        }
        return tried != null ? "taken" : "not free";
    }

    /**
     * Stops the context of the newest ticket, which ends its wait. What became of it is seen when the thread goes on.
     *
     * @param thread who
     * @return what was done
     */
    @Operation
    public String stop(@Param(name = "thread") int thread) {
        List<Ticket> own = tickets.get(thread);
        if (own.isEmpty()) {
            return "nothing to stop";
        }
        Ticket newest = own.get(own.size() - 1);
        awaitGrantsOnTheirWay();
        newest.by.cancel();
        // Another thread may be about to hand it the lock, and is then the one that finds out and lets it fail.
        newest.stage.handle((guard, failure) -> "").join();
        return "stopped";
    }

    /**
     * A lock is given first and told then, or passed on if the ticket has failed meanwhile; the model does both in one step. Another
     * thread that is between the two finishes first. What is never told or passed on is waited for without end.
     */
    private void awaitGrantsOnTheirWay() {
        while (kind.lock().holders().stream().anyMatch(this::isOnItsWay)) {
            Thread.onSpinWait();
        }
    }

    private boolean isOnItsWay(FastnContext holder) {
        CompletableFuture<?> stage = stages.get(holder);
        return stage != null && (!stage.isDone() || stage.isCompletedExceptionally());
    }

    /**
     * At rest the lock has as many holders as there are guards and granted tickets, the queue is that of the tickets, and
     * only who waits has a timer (L4).
     */
    @Validate
    public void nothingIsLost() {
        int holders = 0;
        int waiting = 0;
        int timed = 0;
        for (int i = 0; i < THREADS; i++) {
            holders += guards[i] != null ? 1 : 0;
            for (Ticket ticket : tickets.get(i)) {
                boolean done = ticket.stage.isDone();
                holders += done && !ticket.stage.isCompletedExceptionally() ? 1 : 0;
                waiting += done ? 0 : 1;
                timed += done || !ticket.timed ? 0 : 1;
            }
        }
        int held = kind.lock().holders().size();
        int queued = kind.lock().waiters();
        if (holders != held || waiting != queued || (waiting > 0 && held == 0)) {
            throw new IllegalStateException(
                    "%d holders, %d waiting; the lock says %d and %d".formatted(holders, waiting, held, queued));
        }
        if (timers.pending() != timed) {
            throw new IllegalStateException(
                    "%d wait with a timeout, and there are %d timers".formatted(timed, timers.pending()));
        }
    }
}
