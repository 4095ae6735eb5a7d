package com.fastn.context.status;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The lines about the machine, the virtual machine and the container. */
final class SystemLines {
    /** A figure older than this is shown with its age. */
    private static final Duration OLD = Duration.ofSeconds(30);

    private SystemLines() {}

    static List<String> of(SystemMetrics metrics) {
        SystemMetrics.Ages ages = metrics.ages();
        List<String> lines = new ArrayList<>();
        lines.add("System: CPU " + aged(HumanText.percent(metrics.cpuUsagePercent()), ages.cpu())
                + " | RAM "
                + aged(HumanText.share(metrics.memoryUsedBytes(), metrics.memoryTotalBytes()), ages.memory())
                + " | Disk " + aged(HumanText.share(metrics.diskUsedBytes(), metrics.diskTotalBytes()), ages.disk())
                + " | Load " + aged(load(metrics.loadAverage()), ages.load()));
        lines.add("Network: "
                + aged(
                        "↓ " + rate(metrics.networkRxBytesPerSec()) + " ↑ " + rate(metrics.networkTxBytesPerSec()),
                        ages.network())
                + " | Uptime " + (metrics.uptime() == null ? HumanText.UNKNOWN : HumanText.duration(metrics.uptime())));
        if (metrics.jvm() != null) {
            lines.add(jvm(metrics.jvm()));
        }
        if (metrics.container() != null) {
            lines.add(container(metrics.container()));
        }
        return lines;
    }

    private static String jvm(SystemMetrics.Jvm jvm) {
        String heap = jvm.heapMaxBytes() == null
                ? HumanText.bytes(jvm.heapUsedBytes())
                : HumanText.share(jvm.heapUsedBytes(), jvm.heapMaxBytes());
        return "JVM: heap " + heap
                + " | GC " + HumanText.duration(jvm.gcTime()) + " in " + HumanText.count(jvm.gcCount())
                + " | Threads " + HumanText.count(jvm.threads())
                + " | Java " + jvm.version()
                + " | pid " + jvm.pid();
    }

    private static String container(SystemMetrics.Container container) {
        Double cpus = container.cpus();
        String processors = cpus == null ? "no CPU limit" : HumanText.number(cpus) + (cpus == 1 ? " CPU" : " CPUs");
        String memory = container.memoryLimitBytes() == null
                ? (container.memoryUsedBytes() == null
                                ? HumanText.UNKNOWN
                                : HumanText.bytes(container.memoryUsedBytes()))
                        + " (no limit)"
                : HumanText.share(container.memoryUsedBytes(), container.memoryLimitBytes());
        return "Container: " + processors + " | RAM " + memory;
    }

    private static String load(@Nullable List<Double> load) {
        return load == null || load.isEmpty()
                ? HumanText.UNKNOWN
                : load.stream().map(HumanText::load).collect(Collectors.joining(","));
    }

    private static String rate(@Nullable Long bytesPerSecond) {
        return bytesPerSecond == null ? HumanText.UNKNOWN : HumanText.bytes(bytesPerSecond) + "/s";
    }

    private static String aged(String figure, @Nullable Duration age) {
        return age == null || age.compareTo(OLD) < 0 ? figure : figure + " " + HumanText.duration(age) + " ago";
    }
}
