package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Waits for futures and conditions in the thread of a test, and runs pieces of a test on Vert.x contexts. */
final class Waiting {
    private static final long SECONDS = 60;

    private Waiting() {}

    static <T extends @Nullable Object> T result(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("failed: " + e.getCause(), e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("no result", e);
        }
    }

    static <T extends @Nullable Object> T result(CompletionStage<T> stage) {
        return result(Future.fromCompletionStage(stage));
    }

    /** What a future fails with, as those who wait for it see it: {@code get} would wrap it, and each JDK otherwise. */
    static Throwable failure(Future<?> future) {
        Promise<Throwable> seen = Promise.promise();
        future.onComplete(value -> seen.fail(new AssertionError("it succeeded, with " + value)), seen::complete);
        return requireNonNull(result(seen.future()));
    }

    static void until(Callable<Boolean> condition) {
        await().pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(SECONDS))
                .until(condition);
    }

    /** Lets a Vertx close at once, though a test leaves work open in it. */
    static void endsWithoutGrace(Vertx vertx) {
        var unused = FastnVertx.builder()
                .options(new VertxContextOptions().setGrace(Duration.ZERO))
                .install(vertx);
    }

    /** Takes a lock that is free; the test closes the guard. */
    @SuppressWarnings("MustBeClosedChecker")
    static LockGuard<?> take(ContextMutex<?> free) {
        return requireNonNull(free.tryLock(), "the lock is held");
    }

    /** Runs a piece of a test directly on a Vert.x context. */
    static <T extends @Nullable Object> T on(Context place, Callable<Future<T>> piece) {
        Promise<T> done = Promise.promise();
        place.runOnContext(now -> {
            try {
                piece.call().onComplete(done::handle);
            } catch (Throwable t) {
                done.fail(t);
            }
        });
        return result(done.future());
    }

    /** Runs a piece of a test on a new duplicate of a Vert.x context, as each message and request has one. */
    static <T extends @Nullable Object> T onDuplicate(Context place, Callable<Future<T>> piece) {
        return on(((ContextInternal) place).duplicate(), piece);
    }
}
