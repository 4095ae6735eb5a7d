package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class StripedLongTest {
    private final StripedLong number = new StripedLong();

    @Test
    void itIsWhatWasAddedAndNotTakenYet() {
        number.plus(5);
        number.plus(-2);
        assertThat(number.sum()).isEqualTo(3);
        assertThat(number.drain()).isEqualTo(3);
        assertThat(number.sum()).isZero();
        number.plus(4);
        assertThat(number.drain()).isEqualTo(4);
    }

    @Test
    void whatThreadsAddIsThereOrWasTakenAndNeverBoth() throws InterruptedException {
        int threads = 4;
        int each = 200_000;
        AtomicBoolean done = new AtomicBoolean();
        AtomicLong taken = new AtomicLong();
        Thread taker = new Thread(() -> {
            while (!done.get()) {
                taken.addAndGet(number.drain());
            }
        });
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            all.add(new Thread(() -> {
                for (int i = 1; i <= each; i++) {
                    number.plus(i);
                }
            }));
        }
        taker.start();
        all.forEach(Thread::start);
        for (Thread thread : all) {
            thread.join();
        }
        done.set(true);
        taker.join();

        long expected = (long) threads * each * (each + 1) / 2;
        assertThat(taken.get() + number.sum()).isEqualTo(expected);
    }
}
