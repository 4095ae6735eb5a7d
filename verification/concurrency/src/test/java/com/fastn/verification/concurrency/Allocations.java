package com.fastn.verification.concurrency;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.Supplier;

/** What code allocates on its thread: counted by the virtual machine, which no load of the machine changes. */
final class Allocations {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Allocations() {}

    static void assumeCounted() {
        assumeTrue(
                THREADS.isThreadAllocatedMemorySupported() && THREADS.isThreadAllocatedMemoryEnabled(),
                "the virtual machine counts what threads allocate");
    }

    /** Of one run, the least of many: the virtual machine itself needs some now and then. */
    static long bytes(Supplier<?> code) {
        return bytes(2_000, code);
    }

    static long bytes(int runs, Supplier<?> code) {
        long id = Thread.currentThread().getId();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < runs; i++) {
            long before = THREADS.getThreadAllocatedBytes(id);
            Object unused = code.get();
            least = Math.min(least, THREADS.getThreadAllocatedBytes(id) - before);
        }
        return least;
    }
}
