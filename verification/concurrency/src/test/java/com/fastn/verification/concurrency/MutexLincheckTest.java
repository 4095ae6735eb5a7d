package com.fastn.verification.concurrency;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The mutex does, in every order of steps, what a queue of tickets does: strictly first in, first out (L5), each ticket
 * granted or cancelled and never both (L1), a guard that comes too late given back (L2), none lost.
 *
 * <p>The asynchronous lock is modelled by steps of which none blocks: try, ask for a ticket, poll the tickets, cancel a
 * ticket, release. An operation takes the step that its thread can take next, so that few are spent on doing nothing. A
 * thread may have several tickets, as one that serves many contexts has.
 */
@Param(name = "thread", gen = ThreadIdGen.class)
public class MutexLincheckTest {
    private static final int THREADS = 5;
    private static final int MOST_TICKETS = 3;

    private final FastnContext[] contexts = new FastnContext[THREADS];
    private final ContextMutex<?> mutex;
    private final List<List<CompletableFuture<? extends LockGuard<?>>>> tickets = new ArrayList<>();
    private final @Nullable LockGuard<?>[] guards = new LockGuard<?>[THREADS];

    /** Makes a free mutex, and a context for each thread. */
    public MutexLincheckTest() {
        FastnContext root = ContextRuntime.builder()
                .alias("model")
                .ticker(new ManualTicker(Instant.EPOCH))
                .build()
                .root();
        mutex = root.mutex("m");
        for (int i = 0; i < THREADS; i++) {
            contexts[i] = root.child("thread-" + i).open();
            tickets.add(new ArrayList<>());
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
        if (tickets.get(thread).size() == MOST_TICKETS) {
            return "has enough";
        }
        try (ContextScope ignored = contexts[thread].makeCurrent()) {
            tickets.get(thread).add(mutex.lock().toCompletableFuture());
        }
        return "asked";
    }

    /**
     * Releases the lock, or looks for the ticket that was granted.
     *
     * @param thread who
     * @return what was done, and which ticket it was
     */
    @Operation
    public String goOn(@Param(name = "thread") int thread) {
        LockGuard<?> guard = guards[thread];
        if (guard != null) {
            guards[thread] = null;
            guard.close();
            return "released";
        }
        List<CompletableFuture<? extends LockGuard<?>>> own = tickets.get(thread);
        for (int i = 0; i < own.size(); i++) {
            if (own.get(i).isDone()) {
                guards[thread] = own.remove(i).join();
                return "granted " + i;
            }
        }
        return "waiting";
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
        List<CompletableFuture<? extends LockGuard<?>>> own = tickets.get(thread);
        if (!own.isEmpty()) {
            boolean cancelled = own.get(own.size() - 1).cancel(false);
            if (cancelled) {
                own.remove(own.size() - 1);
            }
            return cancelled ? "cancelled" : "too late";
        }
        if (guards[thread] != null) {
            return "has it";
        }
        try (ContextScope ignored = contexts[thread].makeCurrent()) {
            guards[thread] = mutex.tryLock();
        }
        return guards[thread] != null ? "taken" : "not free";
    }

    /** At rest the lock is held exactly if somebody has a guard or a granted ticket, and the queue is that of the tickets. */
    @Validate
    public void nothingIsLost() {
        int holders = 0;
        int waiting = 0;
        for (int i = 0; i < THREADS; i++) {
            holders += guards[i] != null ? 1 : 0;
            for (CompletableFuture<? extends LockGuard<?>> ticket : tickets.get(i)) {
                holders += ticket.isDone() ? 1 : 0;
                waiting += ticket.isDone() ? 0 : 1;
            }
        }
        boolean held = mutex.holder() != null;
        if (holders != (held ? 1 : 0) || waiting != mutex.waiters() || (waiting > 0 && !held)) {
            throw new IllegalStateException("%d holders, %d waiting; the mutex says held=%s, waiters=%d"
                    .formatted(holders, waiting, held, mutex.waiters()));
        }
    }

    @Test
    void L1_L2_L5_inEveryOrderOfStepsItIsAFairQueueOfTickets() {
        new ModelCheckingOptions()
                .threads(2)
                .actorsPerThread(4)
                .actorsBefore(2)
                .actorsAfter(2)
                .iterations(Scale.times(25))
                .invocationsPerIteration(600)
                .sequentialSpecification(TicketQueue.class)
                .check(MutexLincheckTest.class);
    }

    @Test
    void L1_L2_L5_underRealThreadsItIsAFairQueueOfTickets() {
        new StressOptions()
                .threads(3)
                .actorsPerThread(4)
                .actorsBefore(2)
                .actorsAfter(2)
                .iterations(Scale.times(20))
                .invocationsPerIteration(1_000)
                .sequentialSpecification(TicketQueue.class)
                .check(MutexLincheckTest.class);
    }

    /** What the mutex is meant to be, without any concurrency. */
    public static class TicketQueue {
        private final ArrayDeque<Ticket> queue = new ArrayDeque<>();
        private final List<List<Ticket>> tickets = new ArrayList<>();
        private @Nullable Ticket holder;

        /** Makes an empty queue. */
        public TicketQueue() {
            for (int i = 0; i < THREADS; i++) {
                tickets.add(new ArrayList<>());
            }
        }

        /** See the mutex. */
        public String ask(int thread) {
            List<Ticket> own = tickets.get(thread);
            if (own.size() == MOST_TICKETS) {
                return "has enough";
            }
            Ticket ticket = new Ticket(thread);
            own.add(ticket);
            if (holder == null) {
                holder = ticket;
            } else {
                queue.add(ticket);
            }
            return "asked";
        }

        /** See the mutex. */
        public String goOn(int thread) {
            List<Ticket> own = tickets.get(thread);
            if (isHeldBy(thread)) {
                holder = queue.poll();
                return "released";
            }
            Ticket granted = holder;
            int index = granted == null ? -1 : own.indexOf(granted);
            if (index < 0) {
                return "waiting";
            }
            own.remove(index);
            return "granted " + index;
        }

        /** See the mutex. */
        public String turnAway(int thread) {
            List<Ticket> own = tickets.get(thread);
            if (!own.isEmpty()) {
                Ticket newest = own.get(own.size() - 1);
                if (newest == holder) {
                    return "too late";
                }
                own.remove(newest);
                queue.remove(newest);
                return "cancelled";
            }
            if (isHeldBy(thread)) {
                return "has it";
            }
            if (holder != null) {
                return "not free";
            }
            holder = new Ticket(thread);
            return "taken";
        }

        private boolean isHeldBy(int thread) {
            return holder != null
                    && holder.thread == thread
                    && !tickets.get(thread).contains(requireNonNull(holder));
        }

        private static final class Ticket {
            private final int thread;

            private Ticket(int thread) {
                this.thread = thread;
            }
        }
    }
}
