package com.fastn.context.vertx;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.netty.channel.EventLoop;
import io.vertx.core.Context;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.internal.deployment.DeploymentContext;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Measures how late the event loops are that verticles of a Vertx run on, while somebody wants to know: each is given an empty
 * task once a second, and not another one before that has run. Otherwise there is neither a timer nor a task.
 */
final class EventLoopDelays {
    static final Duration PACE = Duration.ofSeconds(1);

    private final VertxInternal vertx;
    private final ContextInternal home;
    private final Ticker ticker;

    @GuardedBy("this")
    private final Map<EventLoop, Loop> loops = new LinkedHashMap<>();

    @GuardedBy("this")
    private int askers;

    @GuardedBy("this")
    private long timer;

    EventLoopDelays(VertxInternal vertx, ContextInternal home, Ticker ticker) {
        this.vertx = vertx;
        this.home = home;
        this.ticker = ticker;
    }

    /** Measures until the registration is closed. */
    Registration measure() {
        begin();
        AtomicBoolean closed = new AtomicBoolean();
        return () -> {
            if (closed.compareAndSet(false, true)) {
                end();
            }
        };
    }

    private synchronized void begin() {
        askers++;
        if (askers == 1) {
            timer = home.setPeriodic(PACE.toMillis(), id -> ask());
            ask();
        }
    }

    private synchronized void end() {
        askers--;
        if (askers == 0) {
            vertx.cancelTimer(timer);
            loops.clear();
        }
    }

    private synchronized void ask() {
        if (askers == 0) {
            return;
        }
        Set<EventLoop> used = new LinkedHashSet<>();
        for (DeploymentContext deployment : vertx.deploymentManager().deployments()) {
            for (Context instance : deployment.deployment().contexts()) {
                if (instance.isEventLoopContext()) {
                    used.add(((ContextInternal) instance).nettyEventLoop());
                }
            }
        }
        loops.keySet().retainAll(used);
        for (EventLoop each : used) {
            loops.computeIfAbsent(each, Loop::new).ask();
        }
    }

    /** Those that are measured, none while nobody asked for it. */
    synchronized List<EventLoopDelay> list() {
        return loops.values().stream().map(Loop::delay).toList();
    }

    /** One event loop, and the task that it was given last. Its monitor is a leaf. */
    private final class Loop implements Runnable {
        private final EventLoop loop;

        @GuardedBy("this")
        private String name = "an event loop";

        @GuardedBy("this")
        private long askedNanos;

        @GuardedBy("this")
        private boolean asked;

        @GuardedBy("this")
        private long latestNanos;

        @GuardedBy("this")
        private long longestNanos;

        Loop(EventLoop loop) {
            this.loop = loop;
        }

        void ask() {
            synchronized (this) {
                if (asked) {
                    return;
                }
                asked = true;
                askedNanos = ticker.nanos();
            }
            try {
                loop.execute(this);
            } catch (RejectedExecutionException e) {
                // The Vertx closes; nobody asks any more.
            }
        }

        @Override
        public synchronized void run() {
            name = Thread.currentThread().getName();
            latestNanos = waitedNanos();
            longestNanos = Math.max(longestNanos, latestNanos);
            asked = false;
        }

        @GuardedBy("this")
        private long waitedNanos() {
            return asked ? Math.max(0, ticker.nanos() - askedNanos) : 0;
        }

        synchronized EventLoopDelay delay() {
            long latest = Math.max(latestNanos, waitedNanos());
            return new EventLoopDelay(name, Duration.ofNanos(latest), Duration.ofNanos(Math.max(longestNanos, latest)));
        }
    }
}
