package com.fastn.verification.concurrency;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;

/**
 * A mutex as steps of which none blocks: try, ask for a ticket, poll the tickets, cancel a ticket, release.
 *
 * <p>An operation takes the step that its thread can take next, so that few are spent on doing nothing. A thread may have
 * several tickets, as one that serves many contexts has. At the start the first thread holds the lock and each other one
 * has a ticket, so that short scenarios already contend.
 */
@Param(name = "thread", gen = ThreadIdGen.class)
public class MutexTickets {
    // Lincheck numbers the threads of the concurrent part from 1 on.
    static final int FIRST = 1;
    static final int THREADS = 4;
    static final int MOST_TICKETS = 3;

    private final FastnContext[] contexts = new FastnContext[THREADS];
    private final ContextMutex<?> mutex;
    private final List<List<CompletableFuture<? extends LockGuard<?>>>> tickets = new ArrayList<>();
    private final @Nullable LockGuard<?>[] guards = new LockGuard<?>[THREADS];

    /** Makes a mutex that the first thread holds and the others wait for. */
    public MutexTickets() {
        this(true);
    }

    @SuppressWarnings("this-escape") // nothing of the subclass is used before it is made
    MutexTickets(boolean contended) {
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

    /** The same mutex, free at the start. */
    public static class Free extends MutexTickets {
        /** Makes a mutex that nobody holds. */
        public Free() {
            super(false);
        }
    }
}
