package com.fastn.status;

import static java.util.Objects.requireNonNull;

import io.vertx.core.Future;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** Waits in the thread of a test, as long as a machine may take that does much beside. */
final class Waiting {
    private static final long SECONDS = 60;

    private Waiting() {}

    /** {@return what waits for a condition} Without more words it would give up after ten seconds. */
    static ConditionFactory await() {
        return Awaitility.await().atMost(SECONDS, TimeUnit.SECONDS);
    }

    /** The same, with what is waited for. */
    static ConditionFactory await(String what) {
        return Awaitility.await(what).atMost(SECONDS, TimeUnit.SECONDS);
    }

    static <T> T result(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("failed: " + e.getCause(), e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("no result", e);
        }
    }

    static Throwable failure(Future<?> future) {
        try {
            Object result = future.toCompletionStage().toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
            throw new AssertionError("it succeeded, with " + result);
        } catch (ExecutionException e) {
            return requireNonNull(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new AssertionError("no result", e);
        }
    }
}
