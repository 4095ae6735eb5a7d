package com.fastn.context.engine;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A thread that runs in a context beside others, or once more: an element of an immutable list whose end is a plain {@link
 * Thread}, so that the usual case, one thread, costs nothing.
 *
 * @param thread who entered last
 * @param others another of these, or a thread
 */
record RunningThreads(Thread thread, Object others) {

    /** {@return what is left when a thread has left once; when it is not there, the last that entered is taken for it} */
    static @Nullable Object without(Object threads, Thread gone) {
        List<Thread> before = new ArrayList<>();
        Object at = threads;
        while (at instanceof RunningThreads some) {
            if (some.thread == gone) {
                return rebuilt(before, some.others);
            }
            before.add(some.thread);
            at = some.others;
        }
        if (before.isEmpty()) {
            return null;
        }
        if (at == gone) {
            Thread last = before.remove(before.size() - 1);
            return rebuilt(before, last);
        }
        return ((RunningThreads) threads).others;
    }

    private static Object rebuilt(List<Thread> before, Object rest) {
        Object threads = rest;
        for (int i = before.size() - 1; i >= 0; i--) {
            threads = new RunningThreads(before.get(i), threads);
        }
        return threads;
    }

    /** {@return the threads, each once, the one that entered last first} */
    static List<Thread> list(@Nullable Object threads) {
        Set<Thread> all = new LinkedHashSet<>();
        Object at = threads;
        while (at instanceof RunningThreads some) {
            all.add(some.thread);
            at = some.others;
        }
        if (at instanceof Thread last) {
            all.add(last);
        }
        return List.copyOf(all);
    }
}
