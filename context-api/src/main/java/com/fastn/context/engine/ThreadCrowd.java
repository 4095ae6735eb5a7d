package com.fastn.context.engine;

import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Many threads that run in one context, each as often as it has entered. It is left for good when the last has left it: its
 * table would stay as large as the crowd once was.
 */
final class ThreadCrowd {
    private static final int OVER = -1;

    private final ConcurrentHashMap<Who, Integer> times = new ConcurrentHashMap<>();

    // Raised before an entry is in the table and lowered after it is out: at 0 the table is empty.
    private final AtomicInteger entries = new AtomicInteger();

    /** A thread by identity: one of a user may have an {@code equals} of its own, or one that throws. */
    private static final class Who {
        final Thread thread;

        Who(Thread thread) {
            this.thread = thread;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Who who && who.thread == thread;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(thread);
        }
    }

    /** {@return whether the thread is in; it is not when this crowd is over} */
    boolean enter(Thread thread) {
        int before;
        do {
            before = entries.get();
            if (before == OVER) {
                return false;
            }
        } while (!entries.compareAndSet(before, before + 1));
        times.merge(new Who(thread), 1, Integer::sum);
        return true;
    }

    /**
     * Takes a thread out once; when it is not there, another one is taken for it.
     *
     * @return whether this crowd is over with it
     */
    boolean leave(Thread thread) {
        if (!take(new Who(thread)) && !takeAny()) {
            return false;
        }
        return entries.decrementAndGet() == 0 && entries.compareAndSet(0, OVER);
    }

    private boolean takeAny() {
        for (Who who : times.keySet()) {
            if (take(who)) {
                return true;
            }
        }
        return false;
    }

    private boolean take(Who who) {
        while (true) {
            Integer before = times.get(who);
            if (before == null) {
                return false;
            }
            if (before == 1 ? times.remove(who, before) : times.replace(who, before, before - 1)) {
                return true;
            }
        }
    }

    /** {@return the threads, each once, in no order} */
    List<Thread> list() {
        return times.keySet().stream().map(who -> who.thread).toList();
    }
}
