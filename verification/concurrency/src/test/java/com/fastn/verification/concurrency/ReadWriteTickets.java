package com.fastn.verification.concurrency;

import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ReadGuard;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A read-write lock: the second thread writes, the others read. */
public class ReadWriteTickets extends LockTickets {
    private static final int WRITER = FIRST + 1;

    /** Makes it. */
    public ReadWriteTickets() {
        this(true);
    }

    ReadWriteTickets(boolean contended) {
        super(root -> new OfReadWriteLock(root.readWriteLock("rw", "value")), contended);
    }

    private record OfReadWriteLock(ContextReadWriteLock<String> lock) implements Kind {
        @Override
        public CompletableFuture<? extends ReadGuard<String>> ask(int thread, @Nullable Duration timeout) {
            if (thread == WRITER) {
                return (timeout == null ? lock.writeLock() : lock.writeLock(timeout)).toCompletableFuture();
            }
            return (timeout == null ? lock.readLock() : lock.readLock(timeout)).toCompletableFuture();
        }

        @Override
        @SuppressWarnings("MustBeClosedChecker") // the caller closes it
        public @Nullable ReadGuard<String> tryAsk(int thread) {
            return thread == WRITER ? lock.tryWriteLock() : lock.tryReadLock();
        }
    }

    /** What it is meant to be. */
    public static class Model extends TicketQueue {
        private static final int ALL = 1_000;

        /** Makes it. */
        public Model() {
            this(true);
        }

        Model(boolean contended) {
            super(ALL, thread -> thread == WRITER ? ALL : 1, contended);
        }
    }

    /** The same lock, free at the start. */
    public static class Free extends ReadWriteTickets {
        /** Makes a lock that nobody holds. */
        public Free() {
            super(false);
        }

        /** What it is meant to be. */
        public static class Model extends ReadWriteTickets.Model {
            /** Makes it. */
            public Model() {
                super(false);
            }
        }
    }
}
