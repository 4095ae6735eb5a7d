package com.fastn.verification.concurrency;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What a lock that nobody else wants allocates: counted by the virtual machine, which no load of the machine changes. */
class LockAllocationTest {
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /**
     * A grant of 64 bytes and a scope of 32; where the work is not over yet, a result of 24 besides, and what the platform
     * needs to tell of its end. In no tier of the compiler it is more.
     */
    @Test
    void anUncontendedWithLockNeedsAGrantAndAScopeAndNoMore() {
        assumeTrue(
                threads.isThreadAllocatedMemorySupported() && threads.isThreadAllocatedMemoryEnabled(),
                "the virtual machine counts what threads allocate");
        try (ContextRuntime runtime = ContextRuntime.builder().alias("bytes").build()) {
            ContextMutex<Integer> lock = runtime.root().mutex("m", 1);
            CompletableFuture<Integer> over = CompletableFuture.completedFuture(1);
            Function<Integer, CompletionStage<Integer>> work = value -> over;
            assertThat(bytes(() -> lock.withLock(work))).isLessThanOrEqualTo(64 + 32);

            AtomicReference<CompletableFuture<Integer>> open = new AtomicReference<>();
            Function<Integer, CompletionStage<Integer>> slowWork = value -> requireNonNull(open.get());
            BiConsumer<Integer, Throwable> nothing = (value, failure) -> {};
            long platform = bytes(() -> {
                open.set(new CompletableFuture<>());
                var unused = requireNonNull(open.get()).whenComplete(nothing);
                return requireNonNull(open.get()).complete(1);
            });
            assertThat(bytes(() -> {
                        open.set(new CompletableFuture<>());
                        var unused = lock.withLock(slowWork);
                        return requireNonNull(open.get()).complete(1);
                    }))
                    .isLessThanOrEqualTo(platform + 64 + 32 + 24);
            assertThat(lock.holder()).isNull();
        }
    }

    /** Of one run, the least of many: the virtual machine itself needs some now and then. */
    private long bytes(Supplier<?> code) {
        long id = Thread.currentThread().getId();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 2_000; i++) {
            long before = threads.getThreadAllocatedBytes(id);
            Object unused = code.get();
            least = Math.min(least, threads.getThreadAllocatedBytes(id) - before);
        }
        return least;
    }
}
