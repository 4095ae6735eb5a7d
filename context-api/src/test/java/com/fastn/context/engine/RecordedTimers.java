package com.fastn.context.engine;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Sees to no time by itself: the delays that it is told are what a test looks at. */
final class RecordedTimers extends Timers {
    final List<Duration> delays = new CopyOnWriteArrayList<>();
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

    RecordedTimers() {
        super(() -> Runnable::run);
    }

    @Override
    synchronized boolean tick(Duration delay, Runnable task) {
        delays.add(delay);
        tasks.add(task);
        return true;
    }

    synchronized void runAll() {
        List<Runnable> now = List.copyOf(tasks);
        tasks.clear();
        delays.clear();
        now.forEach(Runnable::run);
    }
}
