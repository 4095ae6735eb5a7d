package com.fastn.verification.concurrency;

import com.fastn.context.ContextLock;
import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.HeldGuard;
import com.fastn.context.LockGuard;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A mutex that is asked for by {@code withLock} alone: the work is the holding of it, and its end the release. */
public class MutexScopes extends LockTickets {
    /** Makes it. */
    public MutexScopes() {
        super(root -> new OfMutex(root.mutex("m")), true);
    }

    private static final class OfMutex implements Kind {
        private final ContextMutex<?> mutex;

        OfMutex(ContextMutex<?> mutex) {
            this.mutex = mutex;
        }

        @Override
        public ContextLock lock() {
            return mutex;
        }

        @Override
        public CompletableFuture<? extends HeldGuard> ask(int thread, @Nullable Duration timeout) {
            Entered entered = new Entered();
            CompletionStage<String> asked = timeout == null
                    ? mutex.withLock(value -> entered.work(mutex))
                    : mutex.withLock(timeout, value -> entered.work(mutex));
            entered.follow(asked);
            return entered;
        }

        @Override
        @SuppressWarnings("MustBeClosedChecker") // the caller closes it
        public @Nullable LockGuard<?> tryAsk(int thread) {
            return mutex.tryLock();
        }
    }

    /** Completes when the work has begun, and fails when it never will. */
    private static final class Entered extends CompletableFuture<HeldGuard> {
        private @Nullable CompletionStage<String> asked;

        CompletionStage<String> work(ContextMutex<?> mutex) {
            CompletableFuture<String> end = new CompletableFuture<>();
            complete(new Inside(mutex, end));
            return end;
        }

        void follow(CompletionStage<String> stage) {
            asked = stage;
            var unused = stage.whenComplete((value, failure) -> {
                if (failure != null) {
                    completeExceptionally(failure);
                }
            });
        }

        /** Leaves the queue; work that has begun goes on. */
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            if (asked != null) {
                asked.toCompletableFuture().cancel(mayInterruptIfRunning);
            }
            return isCompletedExceptionally();
        }
    }

    /** Work that is under way. */
    private record Inside(ContextMutex<?> mutex, CompletableFuture<String> end) implements HeldGuard {
        @Override
        public String lockName() {
            return mutex.name();
        }

        @Override
        public FastnContext context() {
            return mutex.context();
        }

        @Override
        public Instant acquiredAt() {
            return Instant.EPOCH;
        }

        @Override
        public long fence() {
            return 0;
        }

        @Override
        public void close() {
            end.complete("over");
        }
    }

    /** What it is meant to be. */
    public static class Model extends TicketQueue {
        /** Makes it. */
        public Model() {
            super(1, thread -> 1, true);
        }
    }
}
