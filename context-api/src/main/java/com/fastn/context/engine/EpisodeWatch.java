package com.fastn.context.engine;

import com.fastn.context.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices stalls while nobody asks for a status, so that they can be told of later. It keeps a sample of those who queued
 * in the last second and looks closer when one of them still waits after its time, or when it is told that something stands
 * still. While nobody queues it sleeps.
 */
final class EpisodeWatch {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final Duration EVERY = Duration.ofSeconds(1);
    /** A look costs at most one part of so many of the time. */
    private static final int SHARE = 50;

    private static final int SAMPLE = 64;
    /** So many are kept for the next look: the rest is for those who queue until then. */
    private static final int KEPT = SAMPLE / 2;

    private final EngineRuntime runtime;
    private final CauseFinder causes;

    @GuardedBy("this")
    private final List<Waiter<?>> sample = new ArrayList<>();

    private volatile boolean full;

    @GuardedBy("this")
    private boolean ticking;

    @GuardedBy("this")
    private boolean told;

    EpisodeWatch(EngineRuntime runtime, CauseFinder causes) {
        this.runtime = runtime;
        this.causes = causes;
    }

    void queued(Waiter<?> waiter) {
        // A clock that is moved by hand has no seconds that pass by themselves.
        if (full || runtime.ticker() != Ticker.system()) {
            return;
        }
        synchronized (this) {
            if (sample.size() < SAMPLE) {
                sample.add(waiter);
                full = sample.size() == SAMPLE;
            }
            if (!ticking) {
                ticking = schedule(EVERY);
            }
        }
    }

    /** Something is known to stand still, whoever waits for it. */
    synchronized void stalled() {
        if (runtime.ticker() == Ticker.system()) {
            told = true;
            if (!ticking) {
                ticking = schedule(EVERY);
            }
        }
    }

    private boolean schedule(Duration delay) {
        return runtime.timers().tick(delay, () -> runtime.timers().soon(this::look));
    }

    private record Kept(Waiter<?> waiter, long nanosLeft) {}

    private void look() {
        long began = runtime.nanos();
        boolean goOn = false;
        boolean late = false;
        List<Waiter<?>> looked;
        synchronized (this) {
            looked = List.copyOf(sample);
            sample.clear();
            full = false;
            late = told;
            told = false;
        }
        List<Kept> waiting = new ArrayList<>();
        try {
            for (Waiter<?> waiter : looked) {
                if (waiter.lock.isWaiting(waiter)) {
                    long left =
                            WarningSettings.of(waiter.by).waiterStuckNanos - runtime.elapsed(waiter.sinceNanos, began);
                    waiting.add(new Kept(waiter, left));
                    late |= left < 0;
                }
            }
            goOn = (late || causes.isEpisodeOpen()) && causes.lookForEpisodes();
        } catch (Throwable t) {
            goOn = causes.isEpisodeOpen();
            LOG.error("the look for stalls failed", LoggedFailure.of(t));
        } finally {
            Duration cost = Duration.ofNanos(runtime.elapsed(began, runtime.nanos()));
            goOn(waiting, goOn, cost.multipliedBy(SHARE));
        }
    }

    private synchronized void goOn(List<Kept> waiting, boolean stuck, Duration rest) {
        // First those that are late soonest: of waits that may last for an hour there may be many. Whose time is over
        // was
        // looked at now.
        waiting.sort(Comparator.comparingLong(each -> each.nanosLeft < 0 ? Long.MAX_VALUE : each.nanosLeft));
        for (Kept each : waiting.subList(0, Math.min(waiting.size(), KEPT))) {
            if (sample.size() < SAMPLE) {
                sample.add(each.waiter);
            }
        }
        // Should it fail to be scheduled, the next one who queues starts it again.
        ticking = false;
        ticking = (stuck || told || !sample.isEmpty()) && schedule(rest.compareTo(EVERY) > 0 ? rest : EVERY);
        full = ticking && sample.size() >= SAMPLE;
    }
}
