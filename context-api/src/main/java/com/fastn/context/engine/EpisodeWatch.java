package com.fastn.context.engine;

import com.fastn.context.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices stalls while nobody asks for a status, so that they can be told of later. It knows the locks that somebody queued
 * for, each once however many do, and looks closer when one of the first in their queues still waits after its time, or when
 * it is told that something stands still. While nobody queues it sleeps.
 */
final class EpisodeWatch {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final Duration EVERY = Duration.ofSeconds(1);
    /** A look costs at most one part of so many of the time. */
    private static final int SHARE = 50;

    /** Where somebody waits for more than these, the locks of the whole tree are looked at. */
    private static final int MOST_LOCKS = 10_000;
    /** Of one lock. The first waits for the longest, but another one may be stuck sooner. */
    private static final int MOST_WAITERS = 100;

    private final EngineRuntime runtime;
    private final CauseFinder causes;

    /** Those that are marked as watched. A lock that somebody waits for is kept by others; what nobody keeps has ended. */
    @GuardedBy("this")
    private final ArrayDeque<WeakReference<FifoLock<?>>> locks = new ArrayDeque<>();

    /** Somebody may wait for a lock that is not among them. */
    private volatile boolean more;

    private volatile boolean ticking;

    @GuardedBy("this")
    private boolean told;

    @GuardedBy("this")
    private long lastCloserNanos;

    @GuardedBy("this")
    private int most = MOST_LOCKS;

    EpisodeWatch(EngineRuntime runtime, CauseFinder causes) {
        this.runtime = runtime;
        this.causes = causes;
    }

    void queued(Waiter<?> waiter) {
        // A clock that is moved by hand has no seconds that pass by themselves.
        if (((waiter.lock.isWatched || more) && ticking) || runtime.ticker() != Ticker.system()) {
            return;
        }
        synchronized (this) {
            watch(waiter.lock);
            if (!ticking) {
                ticking = schedule(EVERY);
            }
        }
    }

    @GuardedBy("this")
    private void watch(FifoLock<?> lock) {
        if (lock.isWatched) {
            return;
        }
        if (locks.size() < most) {
            lock.isWatched = true;
            locks.add(new WeakReference<>(lock));
        } else {
            more = true;
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

    private void look() {
        long began = runtime.nanos();
        long closer = began;
        boolean goOn = false;
        boolean looksCloser = false;
        try {
            boolean late = isTold();
            late |= isAnyLateOfThoseWatched(began);
            late |= more && isAnyLateOfAll(began);
            closer = runtime.nanos();
            looksCloser = late || causes.isEpisodeOpen();
            goOn = looksCloser && causes.lookForEpisodes();
        } catch (Throwable t) {
            goOn = causes.isEpisodeOpen();
            LOG.error("the look for stalls failed", LoggedFailure.of(t));
        } finally {
            long now = runtime.nanos();
            long cost = looksCloser
                    ? runtime.elapsed(began, closer) + costOfLookingCloser(runtime.elapsed(closer, now))
                    : runtime.elapsed(began, now);
            goOn(goOn, cost);
        }
    }

    /** One that takes longer than the last one was held up, as the first one is, and does not cost so much. */
    private synchronized long costOfLookingCloser(long nanos) {
        long cost = Math.min(nanos, lastCloserNanos);
        lastCloserNanos = nanos;
        return cost;
    }

    private synchronized boolean isTold() {
        boolean was = told;
        told = false;
        return was;
    }

    /** Those that nobody waits for any longer are watched no longer. */
    private boolean isAnyLateOfThoseWatched(long now) {
        boolean late = false;
        for (int left = watched(); left > 0; left--) {
            WeakReference<FifoLock<?>> first = first();
            FifoLock<?> lock = first == null ? null : first.get();
            late = late || (lock != null && isAnyLate(lock, now));
            keepOrDrop(lock);
        }
        return late;
    }

    private synchronized int watched() {
        return locks.size();
    }

    /** Nobody else takes one away. */
    private synchronized @Nullable WeakReference<FifoLock<?>> first() {
        return locks.peek();
    }

    private synchronized void keepOrDrop(@Nullable FifoLock<?> lock) {
        WeakReference<FifoLock<?>> first = locks.poll();
        if (lock == null || first == null) {
            return;
        }
        // Unmarked before the look at its queue: whoever queues behind that look sees that it is not watched.
        lock.isWatched = false;
        if (lock.waiters() > 0) {
            lock.isWatched = true;
            locks.add(first);
        }
    }

    private boolean isAnyLate(FifoLock<?> lock, long now) {
        for (Waiter<?> waiter : lock.firstWaiters(MOST_WAITERS)) {
            if (runtime.elapsed(waiter.sinceNanos, now) > WarningSettings.waiterStuckNanos(waiter.by)) {
                return true;
            }
        }
        return false;
    }

    private boolean isAnyLateOfAll(long now) {
        // Before the look: whoever queues meanwhile for a lock that was passed by says so anew.
        more = false;
        boolean late = false;
        for (LockView view : LockView.ofAll(runtime)) {
            if (!view.waiters().isEmpty() && !view.lock().isWatched) {
                late = late || isAnyLate(view.lock(), now);
                synchronized (this) {
                    watch(view.lock());
                }
            }
        }
        return late;
    }

    private synchronized void goOn(boolean stuck, long costNanos) {
        Duration rest = Duration.ofNanos(costNanos).multipliedBy(SHARE);
        // Should it fail to be scheduled, the next one who queues starts it again.
        ticking = false;
        ticking = (stuck || told || more || !locks.isEmpty()) && schedule(rest.compareTo(EVERY) > 0 ? rest : EVERY);
    }

    /** For tests, which would need many locks. */
    synchronized void watchAtMost(int locks) {
        most = locks;
    }

    /** For tests: whether a look is yet to come. */
    boolean isTicking() {
        return ticking;
    }

    /** For tests: how many locks are watched. */
    synchronized int count() {
        return locks.size();
    }
}
