package com.fastn.status.system;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Ticker;
import com.fastn.context.status.SystemMetrics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last readings of the machine, and how old each of them is.
 *
 * <p>{@link #sample} reads what is older than its period and may take long; {@link #latest} only looks at what was read.
 * A figure that was never read, or that its source does not know, is {@code null}. Processor usage and network rates are
 * differences, so they need two readings some time apart; {@link #sample} says how long to wait for the second one.
 */
public final class SystemSampler {
    static final Duration CPU_PERIOD = Duration.ofSeconds(1);
    static final Duration MEMORY_PERIOD = Duration.ofSeconds(5);
    static final Duration DISK_PERIOD = Duration.ofSeconds(5);
    static final Duration NETWORK_PERIOD = Duration.ofSeconds(1);
    static final Duration LOAD_PERIOD = Duration.ofSeconds(10);

    /** OSHI gives the same ticks again for 300 ms, so two readings that are closer together say nothing. */
    static final Duration SHORTEST_WINDOW = Duration.ofMillis(350);
    /** A mean over a longer time than this is not what the machine does now. */
    static final Duration LONGEST_WINDOW = Duration.ofSeconds(60);

    private static final Logger LOG = LoggerFactory.getLogger(SystemSampler.class);

    private final Supplier<Machine> loader;
    private final Ticker ticker;
    private final JvmFigures jvm = new JvmFigures();
    private final ContainerLimits containerLimits;

    // Guarded by this. Only latest() is called by threads that must not wait, and nothing slow happens under the lock.
    private @Nullable Reading<Double> cpuPercent;
    private @Nullable Reading<Machine.Space> memory;
    private @Nullable Reading<Machine.Space> disk;
    private @Nullable Reading<Rates> rates;
    private @Nullable Reading<List<Double>> load;
    private @Nullable Duration uptime;
    private SystemMetrics.@Nullable Container container;

    // Only touched by the thread that samples.
    private @Nullable Machine machine;
    private @Nullable Reading<Machine.CpuTime> cpuBase;
    private @Nullable Reading<Machine.Traffic> networkBase;
    private @Nullable Reading<Boolean> memoryTried;
    private @Nullable Reading<Boolean> diskTried;
    private @Nullable Reading<Boolean> loadTried;
    private boolean failureLogged;

    // Written by the thread that samples, read by all.
    private volatile @Nullable Long freshUntilNanos;

    /**
     * Makes a sampler that has read nothing.
     *
     * @param loader loads the machine at the first sample; it may take long
     * @param fileRoot where the files of the system begin: {@code /}
     * @param ticker the source of time
     */
    public SystemSampler(Supplier<Machine> loader, Path fileRoot, Ticker ticker) {
        this.loader = requireNonNull(loader, "loader");
        this.ticker = requireNonNull(ticker, "ticker");
        this.containerLimits = new ContainerLimits(fileRoot);
    }

    /** {@return the last readings; before the first sample only the virtual machine's own figures} Never blocks for long. */
    public SystemMetrics latest() {
        SystemMetrics.Jvm figures = jvm.read();
        long now = ticker.nanos();
        synchronized (this) {
            Machine.Space memoryNow = value(memory);
            Machine.Space diskNow = value(disk);
            Rates ratesNow = value(rates);
            return new SystemMetrics(
                    value(cpuPercent),
                    memoryNow == null ? null : memoryNow.usedBytes(),
                    memoryNow == null ? null : memoryNow.totalBytes(),
                    diskNow == null ? null : diskNow.usedBytes(),
                    diskNow == null ? null : diskNow.totalBytes(),
                    ratesNow == null ? null : ratesNow.received(),
                    ratesNow == null ? null : ratesNow.sent(),
                    value(load),
                    uptime,
                    new SystemMetrics.Ages(
                            age(cpuPercent, now), age(memory, now), age(disk, now), age(rates, now), age(load, now)),
                    figures,
                    container);
        }
    }

    /**
     * Reads whatever is older than its period. One thread at a time.
     *
     * @return how long to wait until another call can complete what this one could only begin; zero when all is read
     */
    Duration sample() {
        Machine source = machine;
        if (source == null) {
            source = attempt("the machine", loader);
            if (source == null) {
                return Duration.ZERO;
            }
            machine = source;
        }
        sampleCpu(source);
        sampleNetwork(source);
        sampleSpaces(source);
        sampleLoad(source);
        Duration wait = waitForSecondReading();
        freshUntilNanos = wait.compareTo(Duration.ZERO) > 0 ? null : nextDue();
        return wait;
    }

    /** {@return the time by which readings become old} */
    long nanos() {
        return ticker.nanos();
    }

    /** {@return whether no reading is older than its period, so that {@link #sample} would read nothing} Threads: any. */
    boolean isFresh() {
        Long until = freshUntilNanos;
        return until != null && ticker.nanos() - until < 0;
    }

    /** {@return when the first reading is older than its period, or {@code null} when some are not known and are tried again} */
    private @Nullable Long nextDue() {
        if (cpuPercent == null || rates == null || memoryTried == null || diskTried == null || loadTried == null) {
            return null;
        }
        long now = ticker.nanos();
        long rest = CPU_PERIOD.toNanos() - (now - cpuPercent.nanos());
        rest = Math.min(rest, NETWORK_PERIOD.toNanos() - (now - rates.nanos()));
        rest = Math.min(rest, MEMORY_PERIOD.toNanos() - (now - memoryTried.nanos()));
        rest = Math.min(rest, DISK_PERIOD.toNanos() - (now - diskTried.nanos()));
        rest = Math.min(rest, LOAD_PERIOD.toNanos() - (now - loadTried.nanos()));
        return now + rest;
    }

    private void sampleCpu(Machine source) {
        if (cpuPercent != null && !isDue(cpuPercent, CPU_PERIOD)) {
            return;
        }
        Reading<Machine.CpuTime> base = cpuBase;
        if (base != null && windowTooShort(base)) {
            return;
        }
        Machine.CpuTime time = attempt("processor time", source::cpu);
        if (time == null) {
            return;
        }
        Reading<Machine.CpuTime> now = new Reading<>(time, ticker.nanos());
        cpuBase = now;
        Double percent = base == null || windowTooLong(base, now) ? null : percent(base.value(), time);
        synchronized (this) {
            // A base that is too old begins a new window, and the old figure is no longer true.
            cpuPercent = percent == null ? null : new Reading<>(percent, now.nanos());
        }
    }

    private static @Nullable Double percent(Machine.CpuTime before, Machine.CpuTime after) {
        long total = after.total() - before.total();
        long busy = after.busy() - before.busy();
        return total <= 0 ? null : Math.max(0, Math.min(100, 100.0 * busy / total));
    }

    private void sampleNetwork(Machine source) {
        if (rates != null && !isDue(rates, NETWORK_PERIOD)) {
            return;
        }
        Reading<Machine.Traffic> base = networkBase;
        if (base != null && windowTooShort(base)) {
            return;
        }
        Machine.Traffic traffic = attempt("network traffic", source::network);
        if (traffic == null) {
            return;
        }
        Reading<Machine.Traffic> now = new Reading<>(traffic, ticker.nanos());
        networkBase = now;
        Rates perSecond = base == null || windowTooLong(base, now) ? null : Rates.between(base, now);
        synchronized (this) {
            rates = perSecond == null ? null : new Reading<>(perSecond, now.nanos());
        }
    }

    private void sampleSpaces(Machine source) {
        if (isDue(memoryTried, MEMORY_PERIOD)) {
            Machine.Space space = attempt("memory", source::memory);
            SystemMetrics.Container limits = attempt("container limits", containerLimits::read);
            Duration up = attempt("uptime", source::uptime);
            long now = ticker.nanos();
            memoryTried = new Reading<>(true, now);
            synchronized (this) {
                memory = space == null ? null : new Reading<>(space, now);
                container = limits;
                uptime = up;
            }
        }
        if (isDue(diskTried, DISK_PERIOD)) {
            Machine.Space space = attempt("disk space", source::disk);
            long now = ticker.nanos();
            diskTried = new Reading<>(true, now);
            synchronized (this) {
                disk = space == null ? null : new Reading<>(space, now);
            }
        }
    }

    private void sampleLoad(Machine source) {
        if (!isDue(loadTried, LOAD_PERIOD)) {
            return;
        }
        List<Double> average = attempt("load average", source::load);
        long now = ticker.nanos();
        loadTried = new Reading<>(true, now);
        synchronized (this) {
            load = average == null ? null : new Reading<>(List.copyOf(average), now);
        }
    }

    private Duration waitForSecondReading() {
        long wait = 0;
        if (cpuPercent == null && cpuBase != null) {
            wait = Math.max(wait, SHORTEST_WINDOW.toNanos() - (ticker.nanos() - cpuBase.nanos()));
        }
        if (rates == null && networkBase != null) {
            wait = Math.max(wait, SHORTEST_WINDOW.toNanos() - (ticker.nanos() - networkBase.nanos()));
        }
        return Duration.ofNanos(wait);
    }

    private boolean isDue(@Nullable Reading<?> reading, Duration period) {
        return reading == null || ticker.nanos() - reading.nanos() >= period.toNanos();
    }

    private boolean windowTooShort(Reading<?> base) {
        return ticker.nanos() - base.nanos() < SHORTEST_WINDOW.toNanos();
    }

    private static boolean windowTooLong(Reading<?> base, Reading<?> now) {
        return now.nanos() - base.nanos() > LONGEST_WINDOW.toNanos();
    }

    /** A source that fails leaves its figure unknown; the others are read all the same. */
    private <T> @Nullable T attempt(String what, Supplier<? extends @Nullable T> reading) {
        try {
            return reading.get();
        } catch (RuntimeException | LinkageError e) {
            if (!failureLogged) {
                failureLogged = true;
                LOG.warn(
                        "{} cannot be read, so the status shows it as unknown; more failures of this kind are not logged",
                        what,
                        e);
            }
            return null;
        }
    }

    private static <T> @Nullable T value(@Nullable Reading<T> reading) {
        return reading == null ? null : reading.value();
    }

    private static @Nullable Duration age(@Nullable Reading<?> reading, long now) {
        return reading == null ? null : Duration.ofNanos(Math.max(0, now - reading.nanos()));
    }

    /** A value and when it was read. */
    private record Reading<T>(T value, long nanos) {}

    /** Bytes per second. */
    private record Rates(long received, long sent) {
        static @Nullable Rates between(Reading<Machine.Traffic> before, Reading<Machine.Traffic> after) {
            long nanos = after.nanos() - before.nanos();
            long received = after.value().received() - before.value().received();
            long sent = after.value().sent() - before.value().sent();
            // Counters fall when an interface goes away; what passed in between is then unknown.
            if (nanos <= 0 || received < 0 || sent < 0) {
                return null;
            }
            return new Rates(perSecond(received, nanos), perSecond(sent, nanos));
        }

        private static long perSecond(long bytes, long nanos) {
            return Math.round(bytes * 1e9 / nanos);
        }
    }
}
