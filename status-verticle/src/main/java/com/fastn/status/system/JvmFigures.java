package com.fastn.status.system;

import com.fastn.context.status.SystemMetrics;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.time.Duration;
import java.util.List;

/** The Java virtual machine's own figures. They cost so little that they are read whenever they are wanted. */
final class JvmFigures {
    private final List<GarbageCollectorMXBean> collectors = ManagementFactory.getGarbageCollectorMXBeans();

    SystemMetrics.Jvm read() {
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        long count = 0;
        long millis = 0;
        for (GarbageCollectorMXBean collector : collectors) {
            // A collector that does not know says -1.
            count += Math.max(0, collector.getCollectionCount());
            millis += Math.max(0, collector.getCollectionTime());
        }
        return new SystemMetrics.Jvm(
                heap.getUsed(),
                heap.getMax() < 0 ? null : heap.getMax(),
                count,
                Duration.ofMillis(millis),
                ManagementFactory.getThreadMXBean().getThreadCount(),
                Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime()),
                ProcessHandle.current().pid(),
                Runtime.version().toString());
    }
}
