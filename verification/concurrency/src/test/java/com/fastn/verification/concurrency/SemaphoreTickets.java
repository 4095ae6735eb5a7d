package com.fastn.verification.concurrency;

import com.fastn.context.ContextLock;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.PermitGuard;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A semaphore of three permits, of which the threads want two, three and one. */
public class SemaphoreTickets extends LockTickets {
    private static final int PERMITS = 3;

    /** Makes it. */
    public SemaphoreTickets() {
        this(true);
    }

    SemaphoreTickets(boolean contended) {
        super(root -> new OfSemaphore(root.semaphore("s", PERMITS)), contended);
    }

    private static int wants(int thread) {
        return thread % PERMITS + 1;
    }

    private record OfSemaphore(ContextSemaphore semaphore) implements Kind {
        @Override
        public ContextLock lock() {
            return semaphore;
        }

        @Override
        public CompletableFuture<PermitGuard> ask(int thread, @Nullable Duration timeout) {
            int permits = wants(thread);
            return (timeout == null ? semaphore.acquire(permits) : semaphore.acquire(permits, timeout))
                    .toCompletableFuture();
        }

        @Override
        @SuppressWarnings("MustBeClosedChecker") // the caller closes it
        public @Nullable PermitGuard tryAsk(int thread) {
            return semaphore.tryAcquire(wants(thread));
        }
    }

    /** What it is meant to be. */
    public static class Model extends TicketQueue {
        /** Makes it. */
        public Model() {
            this(true);
        }

        Model(boolean contended) {
            super(PERMITS, SemaphoreTickets::wants, contended);
        }
    }

    /** The same semaphore, with all of its permits at the start. */
    public static class Free extends SemaphoreTickets {
        /** Makes a semaphore of which nobody holds a permit. */
        public Free() {
            super(false);
        }

        /** What it is meant to be. */
        public static class Model extends SemaphoreTickets.Model {
            /** Makes it. */
            public Model() {
                super(false);
            }
        }
    }
}
