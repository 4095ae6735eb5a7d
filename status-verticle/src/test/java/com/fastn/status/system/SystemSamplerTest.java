package com.fastn.status.system;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ManualTicker;
import com.fastn.context.status.SystemMetrics;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SystemSamplerTest {
    private final ManualTicker ticker = new ManualTicker(Instant.parse("2026-01-01T00:00:00Z"));
    private final FakeMachine machine = new FakeMachine();

    @TempDir
    Path root;

    @Test
    void nothingOfTheMachineIsKnownBeforeTheFirstSampleButTheVirtualMachineIs() {
        AtomicInteger loaded = new AtomicInteger();
        SystemSampler sampler = new SystemSampler(
                () -> {
                    loaded.incrementAndGet();
                    return machine;
                },
                root,
                ticker);

        SystemMetrics metrics = sampler.latest();

        assertThat(metrics.cpuUsagePercent()).isNull();
        assertThat(metrics.memoryTotalBytes()).isNull();
        assertThat(metrics.loadAverage()).isNull();
        assertThat(metrics.ages()).isEqualTo(SystemMetrics.Ages.UNKNOWN);
        SystemMetrics.Jvm jvm = requireNonNull(metrics.jvm());
        assertThat(jvm.heapUsedBytes()).isPositive();
        assertThat(jvm.threads()).isPositive();
        assertThat(jvm.pid()).isEqualTo(ProcessHandle.current().pid());
        assertThat(jvm.version()).isEqualTo(Runtime.version().toString());
        assertThat(loaded).hasValue(0);
    }

    @Test
    void processorAndNetworkAreUnknownUntilTheSecondSampleAndNeverZeroInstead() {
        SystemSampler sampler = sampler();

        Duration wait = sampler.sample();

        assertThat(wait).isEqualTo(SystemSampler.SHORTEST_WINDOW);
        SystemMetrics first = sampler.latest();
        assertThat(first.cpuUsagePercent()).isNull();
        assertThat(first.networkRxBytesPerSec()).isNull();
        assertThat(first.networkTxBytesPerSec()).isNull();
        assertThat(first.memoryUsedBytes()).isEqualTo(2_100L);
        assertThat(first.diskTotalBytes()).isEqualTo(500_000L);
        assertThat(first.loadAverage()).containsExactly(0.8, 1.2, 1.5);

        machine.work(25, 100);
        machine.traffic(1_000, 500);
        ticker.advance(wait);

        assertThat(sampler.sample()).isEqualTo(Duration.ZERO);
        SystemMetrics second = sampler.latest();
        assertThat(second.cpuUsagePercent()).isEqualTo(25.0);
        assertThat(second.networkRxBytesPerSec()).isEqualTo(2_857L);
        assertThat(second.networkTxBytesPerSec()).isEqualTo(1_429L);
    }

    @Test
    void whatIsFreshNeedsNoThreadToReadItUntilTheFirstReadingIsOlderThanItsPeriod() {
        SystemSampler sampler = sampler();
        assertThat(sampler.isFresh()).isFalse();
        sampler.sample();
        assertThat(sampler.isFresh()).as("the processor wants a second reading").isFalse();
        step(sampler, SystemSampler.SHORTEST_WINDOW);
        assertThat(sampler.isFresh()).isTrue();
        ticker.advance(SystemSampler.CPU_PERIOD.minusNanos(1));
        assertThat(sampler.isFresh()).isTrue();
        int[] before = machine.reads().clone();
        sampler.sample();
        assertThat(machine.reads()).as("it would read nothing").isEqualTo(before);
        ticker.advance(Duration.ofNanos(1));
        assertThat(sampler.isFresh()).isFalse();
        step(sampler, Duration.ZERO);
        assertThat(machine.reads()).isNotEqualTo(before);
        assertThat(sampler.isFresh()).isTrue();
    }

    @Test
    void eachSourceIsReadAgainOnlyAfterItsOwnPeriod() {
        SystemSampler sampler = sampler();
        sampler.sample();
        step(sampler, SystemSampler.SHORTEST_WINDOW);
        assertThat(machine.reads()).containsExactly(2, 2, 1, 1, 1);

        step(sampler, Duration.ofMillis(900));
        assertThat(machine.reads()).as("within a second").containsExactly(2, 2, 1, 1, 1);

        step(sampler, Duration.ofMillis(100));
        assertThat(machine.reads()).as("after a second").containsExactly(3, 3, 1, 1, 1);

        step(sampler, Duration.ofMillis(3_650));
        assertThat(machine.reads()).as("after five seconds").containsExactly(4, 4, 2, 2, 1);

        step(sampler, Duration.ofSeconds(5));
        assertThat(machine.reads()).as("after ten seconds").containsExactly(5, 5, 3, 3, 2);
    }

    @Test
    void agesAreCountedFromWhenEachPartWasRead() {
        SystemSampler sampler = sampler();
        sampler.sample();
        step(sampler, SystemSampler.SHORTEST_WINDOW);
        ticker.advance(Duration.ofMillis(700));

        SystemMetrics.Ages ages = sampler.latest().ages();

        assertThat(ages.cpu()).isEqualTo(Duration.ofMillis(700));
        assertThat(ages.network()).isEqualTo(Duration.ofMillis(700));
        assertThat(ages.memory()).isEqualTo(Duration.ofMillis(1_050));
        assertThat(ages.load()).isEqualTo(Duration.ofMillis(1_050));
    }

    @Test
    void aMeanOverALongSilenceIsNotShownAsTheUsageOfNow() {
        SystemSampler sampler = sampler();
        sampler.sample();
        step(sampler, SystemSampler.SHORTEST_WINDOW);
        assertThat(sampler.latest().cpuUsagePercent()).isNotNull();

        machine.work(90, 100);
        ticker.advance(Duration.ofMinutes(10));
        assertThat(sampler.sample()).isEqualTo(SystemSampler.SHORTEST_WINDOW);
        assertThat(sampler.latest().cpuUsagePercent()).isNull();

        machine.work(10, 100);
        step(sampler, SystemSampler.SHORTEST_WINDOW);
        assertThat(sampler.latest().cpuUsagePercent()).as("60 of 200 ticks").isEqualTo(30.0);
    }

    @Test
    void aSourceThatFailsLeavesItsOwnFigureUnknownAndNoOther() {
        machine.brokenMemory = true;
        SystemSampler sampler = sampler();
        sampler.sample();
        step(sampler, SystemSampler.SHORTEST_WINDOW);

        SystemMetrics metrics = sampler.latest();

        assertThat(metrics.memoryUsedBytes()).isNull();
        assertThat(metrics.memoryTotalBytes()).isNull();
        assertThat(metrics.ages().memory()).isNull();
        assertThat(metrics.diskUsedBytes()).isEqualTo(45_000L);
        assertThat(metrics.cpuUsagePercent()).isNotNull();
    }

    @Test
    void aMachineThatCannotBeLoadedLeavesEverythingUnknown() {
        SystemSampler sampler = new SystemSampler(
                () -> {
                    throw new UnsatisfiedLinkError("no native code here");
                },
                root,
                ticker);

        assertThat(sampler.sample()).isEqualTo(Duration.ZERO);
        assertThat(sampler.latest().cpuUsagePercent()).isNull();
        assertThat(sampler.latest().jvm()).isNotNull();
    }

    @Test
    void trafficOfAnInterfaceThatWentAwayIsUnknownAndNotNegative() {
        SystemSampler sampler = sampler();
        machine.traffic(10_000, 10_000);
        sampler.sample();
        machine.traffic(-9_000, -9_000);
        step(sampler, SystemSampler.SHORTEST_WINDOW);

        assertThat(sampler.latest().networkRxBytesPerSec()).isNull();
        assertThat(sampler.latest().networkTxBytesPerSec()).isNull();
    }

    @Test
    void M7_aClockThatGoesBackGivesNoNegativeAge() {
        SystemSampler sampler = sampler();
        sampler.sample();
        ticker.advance(Duration.ofSeconds(-30));

        assertThat(sampler.latest().ages().memory()).isEqualTo(Duration.ZERO);
    }

    private SystemSampler sampler() {
        return new SystemSampler(() -> machine, root, ticker);
    }

    private void step(SystemSampler sampler, Duration time) {
        ticker.advance(time);
        machine.work(50, 100);
        machine.traffic(100, 100);
        sampler.sample();
    }

    private static final class FakeMachine implements Machine {
        private long busy = 1_000;
        private long total = 5_000;
        private long received = 70_000;
        private long sent = 30_000;
        private boolean brokenMemory;
        private final int[] reads = new int[5];

        void work(long busyTicks, long totalTicks) {
            busy += busyTicks;
            total += totalTicks;
        }

        void traffic(long in, long out) {
            received += in;
            sent += out;
        }

        /** Processor, network, memory, disk, load. */
        int[] reads() {
            return reads;
        }

        @Override
        public CpuTime cpu() {
            reads[0]++;
            return new CpuTime(busy, total);
        }

        @Override
        public Traffic network() {
            reads[1]++;
            return new Traffic(received, sent);
        }

        @Override
        public Space memory() {
            reads[2]++;
            if (brokenMemory) {
                throw new IllegalStateException("no memory today");
            }
            return new Space(2_100, 16_000);
        }

        @Override
        public @Nullable Space disk() {
            reads[3]++;
            return new Space(45_000, 500_000);
        }

        @Override
        public @Nullable List<Double> load() {
            reads[4]++;
            return List.of(0.8, 1.2, 1.5);
        }

        @Override
        public Duration uptime() {
            return Duration.ofDays(5);
        }
    }
}
