package com.fastn.context.engine;

import com.fastn.context.ContextEngine;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Timers whose time comes when a test says so, each known by its delay. As with those of the JDK, one that was taken to be
 * run is run, also when it is called off in that moment.
 */
public final class ManualTimers extends Timers {
    private static final int DEPTH = 1_000;
    private static final int RECENT = 10;

    @GuardedBy("this")
    private final Map<Duration, Runnable> waiting = new HashMap<>();

    /** Makes timers of which none runs. */
    public ManualTimers() {
        super(() -> Runnable::run);
    }

    /** {@return the root of a new runtime that has these timers} */
    public FastnContext newRoot() {
        ContextEngine.Settings settings = new ContextEngine.Settings(
                "global",
                "Global Context",
                "model",
                new ManualTicker(Instant.EPOCH),
                DEPTH,
                RECENT,
                false,
                DeadlockPolicy.REPORT);
        return new EngineRuntime(settings, Engine.instance().currentContext(), CounterStore.Caps.DEFAULT, this).root();
    }

    /**
     * Takes a timer whose time has come.
     *
     * @param delay of which one
     * @return what it is to do, or {@code null} when there is none, or none any more
     */
    public synchronized @Nullable Runnable take(Duration delay) {
        return waiting.remove(delay);
    }

    /** {@return how many have neither been run nor called off} */
    @Override
    public synchronized int pending() {
        return waiting.size();
    }

    @Override
    synchronized Registration after(Duration delay, Runnable task) {
        if (waiting.putIfAbsent(delay, task) != null) {
            throw new IllegalStateException("two timers of " + delay);
        }
        return () -> callOff(delay, task);
    }

    private synchronized void callOff(Duration delay, Runnable task) {
        waiting.remove(delay, task);
    }

    /** Nothing happens by itself. */
    @Override
    boolean tick(Duration delay, Runnable task) {
        return false;
    }
}
