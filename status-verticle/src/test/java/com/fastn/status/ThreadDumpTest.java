package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Ticker;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;

class ThreadDumpTest {
    private final SettableTicker ticker = new SettableTicker();
    private final ThreadDump dump = new ThreadDump(ticker);

    @Test
    void itTellsThreadsAndTheMonitorsThatTheyHoldWithoutAWalkOfTheHeap() throws InterruptedException {
        ReentrantLock lock = new ReentrantLock();
        Object monitor = new Object();
        String text;
        try (Holder holder = new Holder("dumped-holder", lock, monitor)) {
            holder.await();
            text = dump.text();
        }
        assertThat(text)
                .contains("\"dumped-holder\" #")
                .contains("- locked java.lang.Object")
                .as("who owns a java.util.concurrent lock is found only by a walk of the heap in a safepoint")
                .doesNotContain("- holds");
    }

    @Test
    void whoAsksWithinASecondIsGivenTheSame() throws InterruptedException {
        String first = dump.text();
        try (Holder holder = new Holder("came-later", new ReentrantLock(), new Object())) {
            holder.await();
            ticker.nanos = Duration.ofSeconds(1).toNanos();
            assertThat(dump.text()).isEqualTo(first).doesNotContain("came-later");
            ticker.nanos = Duration.ofMillis(1_001).toNanos();
            assertThat(dump.text()).contains("came-later");
        }
    }

    private static final class Holder implements AutoCloseable {
        private final CountDownLatch holds = new CountDownLatch(1);
        private final CountDownLatch end = new CountDownLatch(1);
        private final Thread thread;

        Holder(String name, ReentrantLock lock, Object monitor) {
            thread = new Thread(() -> hold(lock, monitor), name);
            thread.start();
        }

        private void hold(ReentrantLock lock, Object monitor) {
            lock.lock();
            try {
                synchronized (monitor) {
                    holds.countDown();
                    end.await();
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } finally {
                lock.unlock();
            }
        }

        void await() throws InterruptedException {
            holds.await();
        }

        @Override
        public void close() throws InterruptedException {
            end.countDown();
            thread.join();
        }
    }

    private static final class SettableTicker implements Ticker {
        private long nanos;

        @Override
        public long nanos() {
            return nanos;
        }

        @Override
        public Instant wallTime() {
            return Fixtures.NOW;
        }
    }
}
