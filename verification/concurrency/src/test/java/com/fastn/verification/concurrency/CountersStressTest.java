package com.fastn.verification.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.TotalCounter;
import com.fastn.context.status.ContextPath;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.Test;

/**
 * Under threads that count in contexts which others close, no total is ever lost and every live count comes back to 0.
 *
 * <p>What each thread added is added up beside the library, and compared when all is at rest.
 */
class CountersStressTest {
    private static final int THREADS = 4;
    private static final int SLOTS = 8;
    private static final String[] NAMES = {"requests", "bytes", "connections"};

    @Test
    void M3_noTotalIsLostAndEveryLiveCountFallsBackToZero() throws Exception {
        int steps = Scale.times(500_000);
        long seed = new SplittableRandom().nextLong();
        try (ContextRuntime runtime = ContextRuntime.builder().alias("counters").build()) {
            Contexts contexts = new Contexts(runtime.root());
            AtomicLongArray expected = new AtomicLongArray(SLOTS * NAMES.length);
            AtomicReferenceArray<LiveCount> tracked = new AtomicReferenceArray<>(SLOTS);

            try (Workers workers = Workers.start(THREADS, thread -> {
                SplittableRandom random = new SplittableRandom(seed + thread);
                for (int step = 0; step < steps; step++) {
                    int slot = random.nextInt(SLOTS);
                    FastnContext context = contexts.at(slot);
                    int name = random.nextInt(NAMES.length);
                    long added = 0;
                    switch (random.nextInt(8)) {
                        case 0 -> {
                            context.incrementTotal(NAMES[name]);
                            added = 1;
                        }
                        case 1 -> {
                            added = random.nextInt(1_000);
                            context.addTotal(NAMES[name], added);
                        }
                        case 2 -> {
                            TotalCounter handle = context.totalCounter(NAMES[name]);
                            handle.add(2);
                            handle.increment();
                            added = 3;
                        }
                        case 3 -> context.incrementLive(NAMES[name]);
                        case 4 -> context.decrementLive(NAMES[name]);
                        case 5, 6 -> {
                            closeIfAny(tracked.getAndSet(random.nextInt(SLOTS), track(context, NAMES[name])));
                            added = 1;
                        }
                        default -> contexts.replace(slot);
                    }
                    expected.addAndGet(slot * NAMES.length + name, added);
                }
            })) {
                workers.join();
            }
            contexts.closeAll();

            for (int slot = 0; slot < SLOTS; slot++) {
                ContextPath path = contexts.path(slot);
                for (int name = 0; name < NAMES.length; name++) {
                    assertThat(runtime.counters().total(path, NAMES[name]))
                            .as("total of %s at %s, seed %d", NAMES[name], path, seed)
                            .isEqualTo(expected.get(slot * NAMES.length + name));
                }
            }
            for (int name = 0; name < NAMES.length; name++) {
                assertThat(runtime.root().subtreeTotal(NAMES[name]))
                        .as("total of %s everywhere, seed %d", NAMES[name], seed)
                        .isEqualTo(sum(expected, name));
                assertThat(runtime.root().subtreeLive(NAMES[name]))
                        .as("live %s everywhere, seed %d", NAMES[name], seed)
                        .isZero();
            }
            noLiveCountIsOwed(runtime.root(), seed);

            // Handles that outlive their contexts take nothing back a second time.
            for (int i = 0; i < SLOTS; i++) {
                closeIfAny(tracked.get(i));
            }
            noLiveCountIsOwed(runtime.root(), seed);
        }
    }

    /** A count below 0 would read as 0; it shows when one more is counted. */
    private static void noLiveCountIsOwed(FastnContext root, long seed) {
        for (int slot = 0; slot < SLOTS; slot++) {
            try (FastnContext again = Contexts.open(root, slot)) {
                for (String name : NAMES) {
                    again.incrementLive(name);
                    assertThat(again.getLive(name))
                            .as("live %s at %s, seed %d", name, again.path(), seed)
                            .isEqualTo(1);
                }
            }
        }
    }

    private static long sum(AtomicLongArray expected, int name) {
        long sum = 0;
        for (int slot = 0; slot < SLOTS; slot++) {
            sum += expected.get(slot * NAMES.length + name);
        }
        return sum;
    }

    @SuppressWarnings("MustBeClosedChecker") // closed by whoever takes it out of its slot, or by its context's end
    private static LiveCount track(FastnContext context, String name) {
        return context.trackLive(name);
    }

    private static void closeIfAny(LiveCount count) {
        if (count != null) {
            count.close();
            count.close();
        }
    }

    @Test
    void M1_aTotalNearItsLimitSaturatesAndIsNeverSeenNegativeOrFalling() throws Exception {
        int rounds = Scale.times(100);
        for (int round = 0; round < rounds; round++) {
            try (ContextRuntime runtime =
                    ContextRuntime.builder().alias("limit").build()) {
                TotalCounter counter = runtime.root().totalCounter("bytes");
                counter.add(Long.MAX_VALUE - 1_000_000);
                AtomicBoolean added = new AtomicBoolean();
                try (Workers reader = Workers.start(1, one -> {
                            long before = 0;
                            while (!added.get()) {
                                long now = counter.get();
                                assertThat(now).isNotNegative().isGreaterThanOrEqualTo(before);
                                before = now;
                            }
                        });
                        Workers adders = Workers.start(THREADS, thread -> {
                            for (int i = 0; i < 500; i++) {
                                counter.add(thread == 0 ? Long.MAX_VALUE / 300 : 1_000);
                            }
                        })) {
                    adders.join();
                    added.set(true);
                    reader.join();
                }
                assertThat(counter.get()).isEqualTo(Long.MAX_VALUE);
                assertThat(runtime.root().subtreeTotal("bytes")).isEqualTo(Long.MAX_VALUE);
            }
        }
    }

    /** Open contexts, one for each path; one that is closed gets a successor of the same path. */
    private static final class Contexts {
        private final FastnContext root;
        private final AtomicReferenceArray<FastnContext> open = new AtomicReferenceArray<>(SLOTS);

        private Contexts(FastnContext root) {
            this.root = root;
            for (int i = 0; i < SLOTS; i++) {
                open.set(i, open(root, i));
            }
        }

        private static FastnContext open(FastnContext root, int slot) {
            return root.child("service-" + slot).open();
        }

        private FastnContext at(int slot) {
            return open.get(slot);
        }

        private ContextPath path(int slot) {
            return open.get(slot).path();
        }

        private void replace(int slot) {
            open.getAndSet(slot, open(root, slot)).close();
        }

        private void closeAll() {
            for (int i = 0; i < SLOTS; i++) {
                open.get(i).close();
            }
        }
    }
}
