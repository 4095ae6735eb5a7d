package com.fastn.status.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.SystemMetrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContainerLimitsTest {
    @TempDir
    Path root;

    @Test
    void aMachineWithoutControlGroupsHasNoLimits() {
        assertThat(new ContainerLimits(root).read()).isNull();
    }

    @Test
    void limitsOfVersion2AreRead() throws IOException {
        file("cgroup.controllers", "cpu memory\n");
        file("memory.max", "536870912\n");
        file("memory.current", "104857600\n");
        file("cpu.max", "150000 100000\n");

        assertThat(new ContainerLimits(root).read())
                .isEqualTo(new SystemMetrics.Container(1.5, 536_870_912L, 104_857_600L));
    }

    @Test
    void version2WithoutLimitsSaysSoWithNull() throws IOException {
        file("memory.max", "max\n");
        file("memory.current", "104857600\n");
        file("cpu.max", "max 100000\n");

        assertThat(new ContainerLimits(root).read()).isNull();
    }

    @Test
    void oneLimitAloneIsShownBesideAnUnknownOther() throws IOException {
        file("memory.max", "max\n");
        file("memory.current", "104857600\n");
        file("cpu.max", "50000 100000\n");

        assertThat(new ContainerLimits(root).read()).isEqualTo(new SystemMetrics.Container(0.5, null, 104_857_600L));
    }

    @Test
    void limitsOfVersion1AreRead() throws IOException {
        file("memory/memory.limit_in_bytes", "268435456\n");
        file("memory/memory.usage_in_bytes", "1048576\n");
        file("cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
        file("cpu,cpuacct/cpu.cfs_period_us", "100000\n");

        assertThat(new ContainerLimits(root).read())
                .isEqualTo(new SystemMetrics.Container(2.0, 268_435_456L, 1_048_576L));
    }

    @Test
    void version1WithoutLimitsSaysSoWithNull() throws IOException {
        file("memory/memory.limit_in_bytes", "9223372036854771712\n");
        file("memory/memory.usage_in_bytes", "1048576\n");
        file("cpu/cpu.cfs_quota_us", "-1\n");
        file("cpu/cpu.cfs_period_us", "100000\n");

        assertThat(new ContainerLimits(root).read()).isNull();
    }

    @Test
    void filesThatMakeNoSenseAreNoLimits() throws IOException {
        file("memory.max", "lots\n");
        file("cpu.max", "\n");

        assertThat(new ContainerLimits(root).read()).isNull();
    }

    private void file(String name, String content) throws IOException {
        Path file = root.resolve("sys/fs/cgroup").resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }
}
