package com.fastn.verification.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Of contexts that have ended nothing is kept but their counters, and of the last hundred that are remembered what the recent
 * list shows; of their locks nothing is: the heap is as full after a million as it was before (C8, L13).
 */
class HeapSlopeTest {
    private static final int CHECKPOINTS = 5;
    private static final int PERSISTED_EACH = 3;
    private static final List<String> NAMES =
            List.of("request", "job", "message", "query", "upload", "poll", "session", "tick");
    private static final double MOST_BYTES_PER_CONTEXT = 1.0;

    @Test
    void C8_nothingIsRetainedOfContextsThatHaveEnded() {
        int contexts = Scale.times(1_000_000, "proof.heap");
        try (ContextRuntime runtime = ContextRuntime.builder().alias("heap").build()) {
            FastnContext service = runtime.root().child("service").open();
            // Code, caches and the paths of the counters come with the first ones.
            live(service, 0, contexts / 10);
            long[] used = new long[CHECKPOINTS + 1];
            used[0] = usedHeap(runtime);
            int each = contexts / CHECKPOINTS;
            for (int i = 1; i <= CHECKPOINTS; i++) {
                live(service, i, each);
                used[i] = usedHeap(runtime);
            }

            double slope = slope(used) / each;
            assertThat(service.children()).isEmpty();
            assertThat(runtime.root().subtreeTotal("requests")).isEqualTo(contexts + contexts / 10);
            assertThat(runtime.root().subtreeLive("open")).isZero();
            assertThat(runtime.recent()).hasSize(100);
            assertThat(runtime.counters().windows(service.path()).sinceStart())
                    .as("remembered contexts")
                    .isEqualTo(persisted(contexts / 10) + CHECKPOINTS * persisted(each));
            assertThat(slope)
                    .as("bytes that stay of a context; used heap at the checkpoints: %s", Arrays.toString(used))
                    .isLessThan(MOST_BYTES_PER_CONTEXT);
            System.out.printf("%.3f bytes per context, %s%n", slope, Arrays.toString(used));
        }
    }

    /** Each context has a lock of a name that there never was, holds it once, and ends. */
    @Test
    void L13_nothingIsRetainedOfTheLocksOfContextsThatHaveEnded() {
        int names = Scale.times(1_000_000, "proof.heap");
        try (ContextRuntime runtime = ContextRuntime.builder().alias("names").build()) {
            FastnContext service = runtime.root().child("service").open();
            int next = lock(service, 0, names / 10);
            long[] used = new long[CHECKPOINTS + 1];
            used[0] = usedHeap(runtime);
            int each = names / CHECKPOINTS;
            for (int i = 1; i <= CHECKPOINTS; i++) {
                next = lock(service, next, each);
                used[i] = usedHeap(runtime);
            }

            double slope = slope(used) / each;
            assertThat(next).isEqualTo(names + names / 10);
            assertThat(service.children()).isEmpty();
            assertThat(runtime.status().activeLocks()).isEmpty();
            assertThat(slope)
                    .as("bytes that stay of a lock; used heap at the checkpoints: %s", Arrays.toString(used))
                    .isLessThan(MOST_BYTES_PER_CONTEXT);
            System.out.printf("%.3f bytes per lock, %s%n", slope, Arrays.toString(used));
        }
    }

    /** Every tenth is waited for too, and every hundredth outlives its context. */
    private static int lock(FastnContext service, int first, int names) {
        int end = first + names;
        for (int i = first; i < end; i++) {
            FastnContext context = service.child("request").open();
            ContextMutex<Integer> order = context.mutex("order-" + i, i);
            LockGuard<Integer> held = order.lock().toCompletableFuture().join();
            if (i % 10 == 0) {
                var unused = order.lock().thenAccept(LockGuard::close);
            }
            if (i % 100 == 0) {
                context.close();
            }
            held.close();
            context.close();
        }
        return end;
    }

    @SuppressWarnings("MustBeClosedChecker") // the context's end closes what is left open on purpose
    private static void live(FastnContext service, int round, int contexts) {
        for (int i = 0; i < contexts; i++) {
            FastnContext context = service.child(NAMES.get(i % NAMES.size())).open();
            if (i % PERSISTED_EACH == 0) {
                // Remembered, and forgotten again when a hundred others have ended.
                context.persist();
            }
            context.incrementTotal("requests");
            LiveCount open = context.trackLive("open");
            if (i % 2 == 0) {
                open.close();
            }
            if (i % 100 == 0) {
                liveRichly(context, round + i);
            }
            context.close();
        }
    }

    private static long persisted(int contexts) {
        return (contexts + PERSISTED_EACH - 1L) / PERSISTED_EACH;
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static void liveRichly(FastnContext context, int i) {
        context.setData("row", Map.of("number", i));
        context.addMetric("rows", i);
        context.touch("rows");
        context.setSetting("limit", i);
        Operation left = context.operation("reading");
        try (Operation ignored = context.operation("writing")) {
            context.onCancel(reason -> left.close());
        }
        Registration soon = context.cancelAfter(Duration.ofHours(1));
        context.cancelAfter(Duration.ofHours(2));
        context.mutex("rows");
        FastnContext below = context.child("part").open();
        below.onCancel(reason -> left.close());
        below.cancellation();
        if (i % 300 == 0) {
            context.cancel();
            // Opened below a cancelled one, and closed after its parent.
            context.child("late").open().close();
            context.close();
        } else if (i % 300 == 100) {
            soon.close();
        }
        below.close();
    }

    /** The least of a few, as what the collector leaves varies and what is retained does not. */
    private static long usedHeap(ContextRuntime runtime) {
        assertThat(runtime.status().globalContext().children()).hasSize(1);
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            least = Math.min(least, memory.getHeapMemoryUsage().getUsed());
        }
        return least;
    }

    /** By least squares, in bytes from one checkpoint to the next. */
    private static double slope(long[] used) {
        double middle = (used.length - 1) / 2.0;
        double average = Arrays.stream(used).average().orElseThrow();
        double products = 0;
        double squares = 0;
        for (int i = 0; i < used.length; i++) {
            products += (i - middle) * (used[i] - average);
            squares += (i - middle) * (i - middle);
        }
        return products / squares;
    }
}
