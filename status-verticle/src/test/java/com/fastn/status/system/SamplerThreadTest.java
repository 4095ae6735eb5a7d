package com.fastn.status.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import com.fastn.context.Ticker;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SamplerThreadTest {
    @TempDir
    Path root;

    @Test
    void aFirstRequestWaitsForTheSecondReadingSoThatItSeesRealFigures() {
        SystemSampler sampler = new SystemSampler(OshiMachine::new, root, Ticker.system());
        try (SamplerThread thread = new SamplerThread(sampler)) {
            thread.refresh(Duration.ofSeconds(30));

            assertThat(sampler.latest().cpuUsagePercent()).isNotNull().isBetween(0.0, 100.0);
            assertThat(sampler.latest().memoryTotalBytes()).isNotNull().isPositive();
            assertThat(sampler.latest().diskTotalBytes()).isNotNull().isPositive();
            assertThat(sampler.latest().networkRxBytesPerSec()).isNotNull().isNotNegative();
            assertThat(sampler.latest().uptime()).isNotNull().isPositive();
        }
    }

    @Test
    void aMachineThatHangsHoldsUpNobodyForLongerThanAgreed() {
        CountDownLatch forever = new CountDownLatch(1);
        SystemSampler sampler = new SystemSampler(
                () -> {
                    awaitQuietly(forever);
                    throw new IllegalStateException("released");
                },
                root,
                Ticker.system());
        try (SamplerThread thread = new SamplerThread(sampler)) {
            thread.refresh(Duration.ofMillis(20));

            assertThat(sampler.latest().cpuUsagePercent()).isNull();
            assertThat(forever.getCount()).isEqualTo(1);
        } finally {
            forever.countDown();
        }
    }

    @Test
    void aReadingThatHangsIsWaitedForOnceAndNotByEachQuestion() {
        CountDownLatch forever = new CountDownLatch(1);
        ManualTicker ticker = new ManualTicker(Instant.EPOCH);
        SystemSampler sampler = new SystemSampler(
                () -> {
                    awaitQuietly(forever);
                    return new StillMachine();
                },
                root,
                ticker);
        try (SamplerThread thread = new SamplerThread(sampler)) {
            thread.refresh(Duration.ofMillis(20));
            ticker.advance(Duration.ofMinutes(2));

            long begun = System.nanoTime();
            thread.refresh(Duration.ofMinutes(2));
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(60));

            forever.countDown();
            await().atMost(Duration.ofSeconds(60)).until(() -> {
                thread.refresh(Duration.ofSeconds(30));
                return sampler.latest().memoryTotalBytes() != null;
            });
        } finally {
            forever.countDown();
        }
    }

    @Test
    void manyRequestsAtOnceShareOneReading() throws InterruptedException {
        AtomicInteger loads = new AtomicInteger();
        AtomicReference<String> reader = new AtomicReference<>();
        CountDownLatch go = new CountDownLatch(1);
        SystemSampler sampler = new SystemSampler(
                () -> {
                    loads.incrementAndGet();
                    reader.set(Thread.currentThread().getName());
                    awaitQuietly(go);
                    return new StillMachine();
                },
                root,
                Ticker.system());
        try (SamplerThread thread = new SamplerThread(sampler)) {
            List<Thread> askers = java.util.stream.IntStream.range(0, 8)
                    .mapToObj(i -> new Thread(() -> thread.refresh(Duration.ofSeconds(30))))
                    .toList();
            askers.forEach(Thread::start);
            await().atMost(Duration.ofSeconds(60)).until(() -> loads.get() == 1);
            go.countDown();
            for (Thread asker : askers) {
                asker.join();
            }
            assertThat(loads).hasValue(1);
            assertThat(reader.get()).isEqualTo("fastn-system-sampler");
            assertThat(sampler.latest().memoryTotalBytes()).isEqualTo(2L);
        }
    }

    @Test
    void afterTheEndNobodyWaits() {
        SystemSampler sampler = new SystemSampler(StillMachine::new, root, Ticker.system());
        SamplerThread thread = new SamplerThread(sampler);
        thread.close();

        thread.refresh(Duration.ofDays(1));

        assertThat(sampler.latest().memoryTotalBytes()).isNull();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class StillMachine implements Machine {
        @Override
        public CpuTime cpu() {
            return new CpuTime(1, 2);
        }

        @Override
        public Space memory() {
            return new Space(1, 2);
        }

        @Override
        public @Nullable Space disk() {
            return null;
        }

        @Override
        public Traffic network() {
            return new Traffic(0, 0);
        }

        @Override
        public @Nullable List<Double> load() {
            return null;
        }

        @Override
        public Duration uptime() {
            return Duration.ZERO;
        }
    }
}
