package com.fastn.status.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oshi.SystemInfo;
import oshi.hardware.CentralProcessor.TickType;
import oshi.hardware.GlobalMemory;
import oshi.hardware.HardwareAbstractionLayer;
import oshi.hardware.NetworkIF;
import oshi.software.os.OperatingSystem;

/** The machine as OSHI reads it. Making one takes some tenths of a second. */
public final class OshiMachine implements Machine {
    private final HardwareAbstractionLayer hardware;
    private final OperatingSystem system;
    private final Path workingFolder;

    /** Loads OSHI. */
    public OshiMachine() {
        SystemInfo info = new SystemInfo();
        this.hardware = info.getHardware();
        this.system = info.getOperatingSystem();
        this.workingFolder = Path.of("").toAbsolutePath();
    }

    @Override
    public CpuTime cpu() {
        long[] ticks = hardware.getProcessor().getSystemCpuLoadTicks();
        long total = 0;
        for (long tick : ticks) {
            total += tick;
        }
        long idle = ticks[TickType.IDLE.getIndex()] + ticks[TickType.IOWAIT.getIndex()];
        return new CpuTime(total - idle, total);
    }

    @Override
    public Space memory() {
        GlobalMemory memory = hardware.getMemory();
        return new Space(memory.getTotal() - memory.getAvailable(), memory.getTotal());
    }

    /** OSHI walks all file systems, also those of a network that is gone; the one that matters is known to the JDK. */
    @Override
    public @Nullable Space disk() {
        try {
            FileStore store = Files.getFileStore(workingFolder);
            long total = store.getTotalSpace();
            return total <= 0 ? null : new Space(total - store.getUnallocatedSpace(), total);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Traffic network() {
        long received = 0;
        long sent = 0;
        for (NetworkIF each : hardware.getNetworkIFs(false)) {
            received += each.getBytesRecv();
            sent += each.getBytesSent();
        }
        return new Traffic(received, sent);
    }

    @Override
    public @Nullable List<Double> load() {
        double[] load = hardware.getProcessor().getSystemLoadAverage(3);
        // OSHI says -1 where the system has no load average.
        return load.length < 3 || load[0] < 0 ? null : List.of(load[0], load[1], load[2]);
    }

    @Override
    public Duration uptime() {
        return Duration.ofSeconds(system.getSystemUptime());
    }
}
