package com.fastn.context.engine;

import com.fastn.context.Thresholds;
import com.fastn.context.WarningIds;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A figure of the machine above its threshold. */
enum UsageHighRule implements WarningRule {
    CPU(WarningIds.CPU_HIGH, Thresholds.CPU_HIGH_PERCENT, "CPU usage", "%.1f%%", "which contexts are active now") {
        @Override
        @Nullable
        Double percent(SystemMetrics system) {
            return system.cpuUsagePercent();
        }
    },
    MEMORY(
            WarningIds.MEMORY_HIGH,
            Thresholds.MEMORY_HIGH_PERCENT,
            "memory usage",
            "%.0f%%",
            "which contexts and live counts grow") {
        @Override
        @Nullable
        Double percent(SystemMetrics system) {
            return share(system.memoryUsedBytes(), system.memoryTotalBytes());
        }
    },
    DISK(
            WarningIds.DISK_HIGH,
            Thresholds.DISK_HIGH_PERCENT,
            "disk usage",
            "%.0f%%",
            "what can be deleted from the disk, and who writes to it") {
        @Override
        @Nullable
        Double percent(SystemMetrics system) {
            return share(system.diskUsedBytes(), system.diskTotalBytes());
        }
    };

    private final String id;
    private final String key;
    private final String what;
    private final String format;
    private final String next;

    UsageHighRule(String id, String key, String what, String format, String next) {
        this.id = id;
        this.key = key;
        this.what = what;
        this.format = format;
        this.next = next;
    }

    abstract @Nullable Double percent(SystemMetrics system);

    private static @Nullable Double share(@Nullable Long used, @Nullable Long total) {
        return used == null || total == null || total <= 0 ? null : 100.0 * used / total;
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public WarningSeverity severity() {
        return WarningSeverity.WARNING;
    }

    @Override
    public String plural() {
        return "figures high";
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        WarningSettings settings = WarningSettings.of(evidence.runtime().root());
        Double percent = figure(evidence);
        if (percent == null) {
            return;
        }
        boolean high = percent >= limit(settings);
        Duration since = evidence.runtime().seenSince().look(id, high, evidence.now());
        if (high && !findings.isSilenced(this, settings)) {
            String subject = Character.toUpperCase(what.charAt(0)) + what.substring(1);
            findings.add(this, settings, subject + " high " + text(percent), evidence.rootPath(), next, since);
        }
    }

    /** What is said of a figure below the threshold, or null. */
    @Nullable
    String goodNews(Evidence evidence, WarningSettings settings) {
        Double percent = figure(evidence);
        if (percent == null || percent >= limit(settings)) {
            return null;
        }
        // The processor is never praised as low: 12 % is normal for it, 13 % of the memory is little.
        return what + (this != CPU && percent < 50 ? " low " : " normal ") + text(percent);
    }

    private @Nullable Double figure(Evidence evidence) {
        SystemMetrics system = evidence.system();
        return system == null ? null : percent(system);
    }

    private double limit(WarningSettings settings) {
        return settings.number(
                key, settings.number(Thresholds.USAGE_HIGH_PERCENT, Thresholds.DEFAULT_USAGE_HIGH_PERCENT));
    }

    private String text(double percent) {
        return "(" + String.format(Locale.ROOT, format, percent) + ")";
    }
}
