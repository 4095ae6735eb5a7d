package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The machine under the application. What is not known is {@code null}, never 0.
 *
 * @param cpuUsagePercent of all processors together, 0 to 100
 * @param memoryUsedBytes memory in use
 * @param memoryTotalBytes memory in all
 * @param diskUsedBytes disk space in use on the file system of the working folder
 * @param diskTotalBytes its size
 * @param networkRxBytesPerSec received per second over all interfaces but loopback
 * @param networkTxBytesPerSec sent per second over all interfaces but loopback
 * @param loadAverage over 1, 5 and 15 minutes
 * @param uptime of the machine
 * @param ages how old each part is
 * @param jvm the Java virtual machine itself, or {@code null}
 * @param container the limits of the container, or {@code null} when there are none
 */
public record SystemMetrics(
        @Nullable Double cpuUsagePercent,
        @Nullable Long memoryUsedBytes,
        @Nullable Long memoryTotalBytes,
        @Nullable Long diskUsedBytes,
        @Nullable Long diskTotalBytes,
        @Nullable Long networkRxBytesPerSec,
        @Nullable Long networkTxBytesPerSec,
        @Nullable List<Double> loadAverage,
        @Nullable Duration uptime,
        Ages ages,
        @Nullable Jvm jvm,
        @Nullable Container container) {

    /** Copies the list. A figure that is none, such as NaN, or below 0 is not known. */
    public SystemMetrics {
        cpuUsagePercent = known(cpuUsagePercent);
        memoryUsedBytes = known(memoryUsedBytes);
        memoryTotalBytes = known(memoryTotalBytes);
        diskUsedBytes = known(diskUsedBytes);
        diskTotalBytes = known(diskTotalBytes);
        networkRxBytesPerSec = known(networkRxBytesPerSec);
        networkTxBytesPerSec = known(networkTxBytesPerSec);
        if (loadAverage != null) {
            loadAverage = List.copyOf(loadAverage);
            loadAverage = loadAverage.stream().allMatch(load -> known(load) != null) ? loadAverage : null;
        }
        requireNonNull(ages, "ages");
    }

    private static @Nullable Double known(@Nullable Double figure) {
        return figure == null || !Double.isFinite(figure) || figure < 0 ? null : figure;
    }

    private static @Nullable Long known(@Nullable Long figure) {
        return figure == null || figure < 0 ? null : figure;
    }

    /**
     * How long ago each part was read; {@code null} for what was never read.
     *
     * @param cpu of the processor usage
     * @param memory of the memory figures
     * @param disk of the disk figures
     * @param network of the network rates
     * @param load of the load average
     */
    public record Ages(
            @Nullable Duration cpu,
            @Nullable Duration memory,
            @Nullable Duration disk,
            @Nullable Duration network,
            @Nullable Duration load) {
        /** Nothing was read. */
        public static final Ages UNKNOWN = new Ages(null, null, null, null, null);
    }

    /**
     * The Java virtual machine itself.
     *
     * @param heapUsedBytes heap in use
     * @param heapMaxBytes the heap's limit, or {@code null} when there is none
     * @param gcCount collections since start
     * @param gcTime time spent in them since start
     * @param threads live platform threads
     * @param uptime since the virtual machine started
     * @param pid the process id
     * @param version the Java version
     */
    public record Jvm(
            long heapUsedBytes,
            @Nullable Long heapMaxBytes,
            long gcCount,
            Duration gcTime,
            int threads,
            Duration uptime,
            long pid,
            String version) {
        /** Checks that all parts are there. */
        public Jvm {
            requireNonNull(gcTime, "gcTime");
            requireNonNull(uptime, "uptime");
            requireNonNull(version, "version");
        }
    }

    /**
     * The limits that a container sets on the process.
     *
     * @param cpus processors it may use, or {@code null} when not limited
     * @param memoryLimitBytes memory it may use, or {@code null} when not limited
     * @param memoryUsedBytes memory it uses, or {@code null} when not known
     */
    public record Container(
            @Nullable Double cpus,
            @Nullable Long memoryLimitBytes,
            @Nullable Long memoryUsedBytes) {
        /** A figure that is none, such as NaN, or below 0 is not known. */
        public Container {
            cpus = known(cpus);
            memoryLimitBytes = known(memoryLimitBytes);
            memoryUsedBytes = known(memoryUsedBytes);
        }
    }
}
