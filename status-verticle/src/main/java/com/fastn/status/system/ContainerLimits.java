package com.fastn.status.system;

import com.fastn.context.status.SystemMetrics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The limits that control groups set on this process, of version 2 or 1, as far as the process can see them.
 *
 * <p>Inside of a container the group of the container is mounted as the root, so the root is read. Limits of groups
 * further up are not visible from there.
 */
final class ContainerLimits {
    /** Version 1 says "no limit" with the largest multiple of a page that a long holds. */
    private static final long NO_LIMIT_V1 = Long.MAX_VALUE / 2;

    private static final int FILE_LIMIT_BYTES = 256;

    private final Path groups;

    ContainerLimits(Path fileRoot) {
        this.groups = fileRoot.resolve("sys/fs/cgroup");
    }

    /** {@return the limits, or {@code null} when neither memory nor processors are limited} */
    SystemMetrics.@Nullable Container read() {
        SystemMetrics.Container found = Files.exists(groups.resolve("cgroup.controllers")) || v2FilesExist()
                ? new SystemMetrics.Container(cpusV2(), number("memory.max"), number("memory.current"))
                : new SystemMetrics.Container(cpusV1(), memoryLimitV1(), number("memory/memory.usage_in_bytes"));
        return found.cpus() == null && found.memoryLimitBytes() == null ? null : found;
    }

    private boolean v2FilesExist() {
        return Files.exists(groups.resolve("memory.max")) || Files.exists(groups.resolve("cpu.max"));
    }

    private @Nullable Double cpusV2() {
        String text = text("cpu.max");
        if (text == null) {
            return null;
        }
        List<String> parts = List.of(text.split(" ", 2));
        return parts.size() < 2 ? null : ratio(parseNumber(parts.get(0)), parseNumber(parts.get(1)));
    }

    private @Nullable Double cpusV1() {
        Double own = ratio(number("cpu/cpu.cfs_quota_us"), number("cpu/cpu.cfs_period_us"));
        return own != null
                ? own
                : ratio(number("cpu,cpuacct/cpu.cfs_quota_us"), number("cpu,cpuacct/cpu.cfs_period_us"));
    }

    private @Nullable Long memoryLimitV1() {
        Long limit = number("memory/memory.limit_in_bytes");
        return limit == null || limit >= NO_LIMIT_V1 ? null : limit;
    }

    private static @Nullable Double ratio(@Nullable Long quota, @Nullable Long period) {
        return quota == null || period == null || quota <= 0 || period <= 0 ? null : (double) quota / period;
    }

    private @Nullable Long number(String file) {
        String text = text(file);
        return text == null ? null : parseNumber(text);
    }

    private static @Nullable Long parseNumber(String text) {
        try {
            return Long.valueOf(text.trim());
        } catch (NumberFormatException e) {
            // "max", which is how version 2 says that there is no limit.
            return null;
        }
    }

    private @Nullable String text(String file) {
        Path path = groups.resolve(file);
        try (var in = Files.newInputStream(path)) {
            return new String(in.readNBytes(FILE_LIMIT_BYTES), StandardCharsets.US_ASCII).trim();
        } catch (IOException e) {
            // Not there: this controller is not switched on, or this is not Linux.
            return null;
        }
    }
}
