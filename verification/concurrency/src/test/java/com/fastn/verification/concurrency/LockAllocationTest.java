package com.fastn.verification.concurrency;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What a lock that nobody else wants allocates: counted by the virtual machine, which no load of the machine changes. */
class LockAllocationTest {
    /**
     * A grant of 64 bytes and a scope of 32; where the work is not over yet, a result of 24 besides, and what the platform
     * needs to tell of its end. In no tier of the compiler it is more.
     */
    @Test
    void anUncontendedWithLockNeedsAGrantAndAScopeAndNoMore() {
        Allocations.assumeCounted();
        try (ContextRuntime runtime = ContextRuntime.builder().alias("bytes").build()) {
            ContextMutex<Integer> lock = runtime.root().mutex("m", 1);
            CompletableFuture<Integer> over = CompletableFuture.completedFuture(1);
            Function<Integer, CompletionStage<Integer>> work = value -> over;
            assertThat(Allocations.bytes(() -> lock.withLock(work))).isLessThanOrEqualTo(64 + 32);

            AtomicReference<CompletableFuture<Integer>> open = new AtomicReference<>();
            Function<Integer, CompletionStage<Integer>> slowWork = value -> requireNonNull(open.get());
            BiConsumer<Integer, Throwable> nothing = (value, failure) -> {};
            long platform = Allocations.bytes(() -> {
                open.set(new CompletableFuture<>());
                var unused = requireNonNull(open.get()).whenComplete(nothing);
                return requireNonNull(open.get()).complete(1);
            });
            assertThat(Allocations.bytes(() -> {
                        open.set(new CompletableFuture<>());
                        var unused = lock.withLock(slowWork);
                        return requireNonNull(open.get()).complete(1);
                    }))
                    .isLessThanOrEqualTo(platform + 64 + 32 + 24);
            assertThat(lock.holder()).isNull();
        }
    }
}
