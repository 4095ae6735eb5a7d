package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class IdSourceTest {
    private final IdSource ids = new IdSource();

    @Test
    void oneThreadGetsThemOneAfterTheOther() {
        for (long expected = 1; expected < 1_000; expected++) {
            assertThat(ids.nextAbove(0)).isEqualTo(expected);
        }
        assertThat(ids.given()).isEqualTo(999);
    }

    @Test
    void severalThreadsGetEachOnceAndAlwaysHigherOnesThanTheyKnow() throws InterruptedException {
        int threads = 4;
        int each = 100_000;
        List<long[]> got = Collections.synchronizedList(new ArrayList<>());
        AtomicLong shown = new AtomicLong();
        CountDownLatch together = new CountDownLatch(threads);
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            all.add(new Thread(() -> {
                long[] mine = new long[each];
                together.countDown();
                try {
                    together.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                for (int i = 0; i < each; i++) {
                    // Now and then one that another thread has just got, as that of a parent is.
                    long known = i % 7 == 0 ? shown.get() : 0;
                    mine[i] = ids.nextAbove(known);
                    if (mine[i] <= known) {
                        throw new IllegalStateException(mine[i] + " is not above " + known);
                    }
                    shown.lazySet(mine[i]);
                }
                got.add(mine);
            }));
        }
        all.forEach(Thread::start);
        for (Thread thread : all) {
            thread.join();
        }

        assertThat(got).as("threads that finished").hasSize(threads);
        Set<Long> distinct = new HashSet<>();
        for (long[] mine : got) {
            long before = 0;
            for (long id : mine) {
                assertThat(id).isGreaterThan(before);
                before = id;
                distinct.add(id);
            }
        }
        assertThat(distinct).hasSize(threads * each);
        assertThat(ids.given()).isEqualTo((long) threads * each);
    }
}
