package com.fastn.verification.concurrency;

import com.fastn.context.ContextLock;
import com.fastn.context.ContextMutex;
import com.fastn.context.HeldGuard;
import com.fastn.context.LockGuard;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A mutex that the first thread holds and the others wait for. */
public class MutexTickets extends LockTickets {
    /** Makes it. */
    public MutexTickets() {
        this(true);
    }

    MutexTickets(boolean contended) {
        super(root -> new OfMutex(root.mutex("m")), contended);
    }

    private static final class OfMutex implements Kind {
        private final ContextMutex<?> mutex;
        private final Fences fences = new Fences();

        OfMutex(ContextMutex<?> mutex) {
            this.mutex = mutex;
        }

        @Override
        public void goesOnWith(HeldGuard guard) {
            fences.next(guard);
        }

        @Override
        public ContextLock lock() {
            return mutex;
        }

        @Override
        public CompletableFuture<? extends LockGuard<?>> ask(int thread, @Nullable Duration timeout) {
            return (timeout == null ? mutex.lock() : mutex.lock(timeout)).toCompletableFuture();
        }

        @Override
        @SuppressWarnings("MustBeClosedChecker") // the caller closes it
        public @Nullable LockGuard<?> tryAsk(int thread) {
            return mutex.tryLock();
        }
    }

    /** The last fence that was seen. It needs no guard but the mutex. */
    static final class Fences {
        private long last = Long.MIN_VALUE;

        void next(HeldGuard guard) {
            if (guard.fence() <= last) {
                throw new IllegalStateException("fence " + guard.fence() + " came after " + last);
            }
            last = guard.fence();
        }
    }

    /** What it is meant to be. */
    public static class Model extends TicketQueue {
        /** Makes it. */
        public Model() {
            super(1, thread -> 1, true);
        }
    }

    /** The same mutex, free at the start. */
    public static class Free extends MutexTickets {
        /** Makes a mutex that nobody holds. */
        public Free() {
            super(false);
        }

        /** What it is meant to be. */
        public static class Model extends TicketQueue {
            /** Makes it. */
            public Model() {
                super(1, thread -> 1, false);
            }
        }
    }
}
