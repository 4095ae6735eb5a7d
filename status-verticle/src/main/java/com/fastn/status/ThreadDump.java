package com.fastn.status;

import com.fastn.context.Ticker;
import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MonitorInfo;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * The platform threads of this process with their stacks, as text. Virtual threads are not told by the platform. Who asks soon
 * after another is given the same, for a dump holds up every thread. Thread-safe.
 */
final class ThreadDump {
    private static final int MOST_THREADS = 2_000;
    private static final int MOST_FRAMES = 100;

    private static final Duration FRESH = Duration.ofSeconds(1);

    private final Ticker ticker;

    // Mutable state
    private @Nullable String latest;
    private long takenNanos;

    ThreadDump(Ticker ticker) {
        this.ticker = ticker;
    }

    /** {@return a dump that is at most a second old, bounded in threads and frames, which it says} */
    synchronized String text() {
        String known = latest;
        if (known == null || ticker.nanos() - takenNanos > FRESH.toNanos()) {
            known = take();
            latest = known;
            takenNanos = ticker.nanos();
        }
        return known;
    }

    private static String take() {
        // Without the owned synchronizers: to find those, the platform walks the whole heap while all threads stand
        // still.
        ThreadInfo[] threads = ManagementFactory.getThreadMXBean().dumpAllThreads(true, false, MOST_FRAMES);
        Arrays.sort(threads, Comparator.comparing(ThreadInfo::getThreadName).thenComparing(ThreadInfo::getThreadId));
        StringBuilder text = new StringBuilder();
        text.append(threads.length).append(" platform threads\n");
        for (int i = 0; i < Math.min(threads.length, MOST_THREADS); i++) {
            append(text, threads[i]);
        }
        if (threads.length > MOST_THREADS) {
            text.append("\n+").append(threads.length - MOST_THREADS).append(" more\n");
        }
        return text.toString();
    }

    private static void append(StringBuilder text, ThreadInfo thread) {
        text.append("\n\"")
                .append(Printable.line(thread.getThreadName()))
                .append("\" #")
                .append(thread.getThreadId());
        text.append(thread.isDaemon() ? " daemon " : " ").append(thread.getThreadState());
        LockInfo lock = thread.getLockInfo();
        if (lock != null) {
            text.append(" on ").append(lock);
            if (thread.getLockOwnerName() != null) {
                text.append(" held by \"")
                        .append(Printable.line(thread.getLockOwnerName()))
                        .append("\" #")
                        .append(thread.getLockOwnerId());
            }
        }
        text.append('\n');
        StackTraceElement[] frames = thread.getStackTrace();
        for (int depth = 0; depth < frames.length; depth++) {
            text.append("    at ").append(frames[depth]).append('\n');
            for (MonitorInfo monitor : thread.getLockedMonitors()) {
                if (monitor.getLockedStackDepth() == depth) {
                    text.append("    - locked ").append(monitor).append('\n');
                }
            }
        }
        if (frames.length == MOST_FRAMES) {
            text.append("    ..\n");
        }
    }
}
