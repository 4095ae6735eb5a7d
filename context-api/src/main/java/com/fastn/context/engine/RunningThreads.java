package com.fastn.context.engine;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A thread that runs in a context beside others, or once more: an element of an immutable list whose end is a plain {@link
 * Thread}, so that the usual case, one thread, costs nothing. Beyond a few there is a {@link ThreadCrowd} instead.
 *
 * @param thread who entered last
 * @param others another of these, or a thread
 * @param number how many there are, this one included
 */
record RunningThreads(Thread thread, Object others, int number) {
    /** From here on a list that is copied by whoever leaves costs more than a table. */
    private static final int MOST = 8;

    /** {@return what there is once a thread has entered; what there was is no crowd} */
    static Object with(@Nullable Object threads, Thread come) {
        if (threads == null) {
            return come;
        }
        if (!(threads instanceof RunningThreads some)) {
            return new RunningThreads(come, threads, 2);
        }
        if (some.number < MOST) {
            return new RunningThreads(come, some, some.number + 1);
        }
        ThreadCrowd crowd = new ThreadCrowd();
        Object at = some;
        while (at instanceof RunningThreads each) {
            crowd.enter(each.thread);
            at = each.others;
        }
        crowd.enter((Thread) at);
        crowd.enter(come);
        return crowd;
    }

    /** {@return what is left when a thread has left once; when it is not there, the last that entered is taken for it} */
    static @Nullable Object without(Object threads, Thread gone) {
        if (threads instanceof Thread) {
            return null;
        }
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
            threads = with(threads, before.get(i));
        }
        return threads;
    }

    /**
     * {@return the threads that have not ended, each once; of a few the one that entered last first} Whoever entered and has
     * ended without leaving runs nowhere.
     */
    static List<Thread> list(@Nullable Object threads) {
        if (threads instanceof ThreadCrowd crowd) {
            return crowd.list().stream().filter(thread -> !hasEnded(thread)).toList();
        }
        List<Thread> all = new ArrayList<>();
        Object at = threads;
        while (at instanceof RunningThreads some) {
            addOnce(all, some.thread);
            at = some.others;
        }
        if (at instanceof Thread last) {
            addOnce(all, last);
        }
        return all;
    }

    private static boolean hasEnded(Thread thread) {
        return thread.getState() == Thread.State.TERMINATED;
    }

    private static void addOnce(List<Thread> all, Thread thread) {
        if (!hasEnded(thread) && all.stream().noneMatch(each -> each == thread)) {
            all.add(thread);
        }
    }
}
