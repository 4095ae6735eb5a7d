package com.fastn.status;

import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MonitorInfo;
import java.lang.management.ThreadInfo;
import java.util.Arrays;
import java.util.Comparator;

/** The platform threads of this process with their stacks, as text. Virtual threads are not told by the platform. */
final class ThreadDump {
    private static final int MOST_THREADS = 2_000;
    private static final int MOST_FRAMES = 100;

    private ThreadDump() {}

    /** {@return the dump, bounded in threads and frames, which it says} */
    static String text() {
        ThreadInfo[] threads = ManagementFactory.getThreadMXBean().dumpAllThreads(true, true, MOST_FRAMES);
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
        for (LockInfo held : thread.getLockedSynchronizers()) {
            text.append("    - holds ").append(held).append('\n');
        }
    }
}
