package com.fastn.status.system;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The machine as it can be read at this moment. Reading may take long, and may fail with any exception. */
public interface Machine {

    /** {@return the time that the processors spent, since some fixed point} */
    CpuTime cpu();

    /** {@return the memory} */
    Space memory();

    /** {@return the file system of the working folder, or {@code null} when it has no size} */
    @Nullable
    Space disk();

    /** {@return what passed all interfaces but loopback, since some fixed point} */
    Traffic network();

    /** {@return the load average over 1, 5 and 15 minutes, or {@code null} where there is none} */
    @Nullable
    List<Double> load();

    /** {@return since the machine started} */
    Duration uptime();

    /**
     * Processor time in ticks; only differences mean something.
     *
     * @param busy ticks of work
     * @param total ticks in all
     */
    record CpuTime(long busy, long total) {}

    /**
     * Something that is used up.
     *
     * @param usedBytes in use
     * @param totalBytes in all
     */
    record Space(long usedBytes, long totalBytes) {}

    /**
     * Bytes that passed; only differences mean something.
     *
     * @param received bytes received
     * @param sent bytes sent
     */
    record Traffic(long received, long sent) {}
}
