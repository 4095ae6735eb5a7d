package com.fastn.context.engine;

import com.fastn.context.FastnContext;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * Who has the permits of a lock, and who waits for how many, strictly first in, first out (rule L5). It tells nobody: that is
 * for {@link FifoLock}, outside of the monitor, which is a leaf.
 */
abstract class PermitQueue<T extends @Nullable Object> {
    /*
     * What "word" says:
     *   null       nobody holds a permit and nobody waits
     *   a Grant    it holds all permits, and nobody waits; whoever sets it so, or takes it back, needs one atomic step
     *   this lock  queued: the holders, the queue and the free permits are in the fields that the monitor guards
     *
     *   null --all permits--> a Grant --release--> null
     *     \                      \
     *      \--some permits--------+--somebody asks--> queued --nobody holds, nobody waits--> null
     *
     * All changes from or to "queued" are made under the monitor. The last fence is changed by the one who has just
     * taken all permits, or under the monitor while queued: these exclude each other.
     */
    @SuppressWarnings("rawtypes")
    private static final AtomicReferenceFieldUpdater<PermitQueue, Object> WORD =
            AtomicReferenceFieldUpdater.newUpdater(PermitQueue.class, Object.class, "word");

    private static final int MOST_HOLDERS_LOOKED_AT = 64;

    private final int total;
    private volatile @Nullable Object word;
    private long lastFence;

    /** Whether what is granted from now on is closed with its context. */
    volatile boolean endsWithContext;

    /** Also the monitor: the lock itself is in the hands of the application, which may synchronize on what it has. */
    final Chain<Grant<T>> holders = new Chain<>();

    @GuardedBy("holders")
    private final Chain<Grant<T>> queue = new Chain<>();

    @GuardedBy("holders")
    private int available;

    @GuardedBy("holders")
    private long changes;

    /**
     * Makes one of which nobody holds any.
     *
     * @param total how many permits there are
     * @param lastFence the one before the first
     */
    PermitQueue(int total, long lastFence) {
        this.total = total;
        this.available = total;
        this.lastFence = lastFence;
    }

    int total() {
        return total;
    }

    // --- while nobody waits, by one atomic step

    /** Whether nobody holds any and nobody waits. */
    final boolean isFree() {
        return word == null;
    }

    /** Whether one holds all, and nobody waits. */
    final boolean isTakenAlone() {
        return word instanceof Grant;
    }

    /** The fence of a grant that is to be tried, unless another one comes first. */
    final long nextFence() {
        return lastFence + 1;
    }

    /** Takes all permits, if nobody holds any. */
    final boolean takeAlone(Grant<T> grant) {
        if (!WORD.compareAndSet(this, null, grant)) {
            return false;
        }
        long next = lastFence + 1;
        if (grant.fence != next) {
            // It was taken and released since the fence was read.
            grant.fence = next;
        }
        lastFence = next;
        return true;
    }

    /** Takes back what is held while nobody waits. */
    final boolean giveBackAlone(Grant<T> grant) {
        return word == grant && WORD.compareAndSet(this, grant, null);
    }

    // --- under the monitor

    /** Brings what is known without the monitor under it. */
    @GuardedBy("holders")
    final void look() {
        Object seen = word;
        while (seen != this && !WORD.compareAndSet(this, seen, this)) {
            seen = word;
        }
        if (seen != null && seen != this) {
            @SuppressWarnings("unchecked") // nothing else is put there
            Grant<T> alone = (Grant<T>) seen;
            holders.add(alone);
            available -= alone.permits;
        }
    }

    /** Lets the next one need no monitor, if nothing is known that would be lost. */
    @GuardedBy("holders")
    final void rest() {
        if (holders.isEmpty() && queue.isEmpty()) {
            word = null;
        }
    }

    /** Whether so many are free, and nobody is before who asks now. */
    @GuardedBy("holders")
    final boolean canServe(int permits) {
        return queue.isEmpty() && available >= permits;
    }

    @GuardedBy("holders")
    final Grant<T> grant(Grant<T> grant) {
        lastFence++;
        changes++;
        grant.fence = lastFence;
        grant.endsWithContext = endsWithContext && !grant.scoped;
        available -= grant.permits;
        holders.add(grant);
        return grant;
    }

    @GuardedBy("holders")
    final void join(Waiter<T> waiter) {
        waiter.askedAfterFence = lastFence;
        queue.add(waiter);
        changes++;
    }

    /** {@return whether it waited until now} */
    @GuardedBy("holders")
    final boolean takeOutOfLine(Waiter<T> waiter) {
        if (waiter.state != Waiter.State.WAITING) {
            return false;
        }
        waiter.state = Waiter.State.LEFT;
        queue.remove(waiter);
        changes++;
        return true;
    }

    /** {@return whether it was held} */
    @GuardedBy("holders")
    final boolean takeOut(Grant<T> grant) {
        if (!holders.contains(grant)) {
            return false;
        }
        holders.remove(grant);
        available += grant.permits;
        changes++;
        return true;
    }

    /** Takes some of the permits of a grant back, which keeps at least one. */
    @GuardedBy("holders")
    final void takeSomeOut(Grant<T> grant, int some) {
        grant.permits -= some;
        available += some;
        changes++;
    }

    /** How many permits a grant has. */
    @GuardedBy("holders")
    final int heldBy(Grant<T> grant) {
        return holders.contains(grant) ? grant.permits : 0;
    }

    /** Serves from the head of the queue what can be served; gives the first, which leads to the others. */
    @GuardedBy("holders")
    final @Nullable Waiter<T> serve(long now) {
        Waiter<T> first = null;
        Waiter<T> last = null;
        for (Grant<T> head = queue.first(); head != null && head.permits <= available; head = queue.first()) {
            Waiter<T> waiter = (Waiter<T>) head;
            queue.remove(waiter);
            waiter.state = Waiter.State.GRANTED;
            if (now - waiter.sinceNanos > 0) {
                waiter.sinceNanos = now;
            }
            grant(waiter);
            if (last == null) {
                first = waiter;
            } else {
                last.nextServed = waiter;
            }
            last = waiter;
        }
        return first;
    }

    /** Since when the head of the queue waits, of those who may be served next the longest. */
    @GuardedBy("holders")
    final long headSinceNanos() {
        Grant<T> head = queue.first();
        return head == null ? 0 : head.sinceNanos;
    }

    // --- what is known

    /** {@return the contexts that hold some, in the order of their grants} */
    final List<FastnContext> contextsOfHolders() {
        Object seen = word;
        if (seen == null) {
            return List.of();
        }
        if (seen instanceof Grant<?> alone) {
            return List.of(alone.by);
        }
        List<FastnContext> all = new ArrayList<>();
        synchronized (holders) {
            look();
            for (Grant<T> h = holders.first(); h != null; h = holders.after(h)) {
                all.add(h.by);
            }
            rest();
        }
        return List.copyOf(all);
    }

    /** {@return how many wait} */
    final int inLine() {
        synchronized (holders) {
            return queue.size();
        }
    }

    /** {@return how many permits are free} */
    int available() {
        Object seen = word;
        if (seen != this) {
            return seen == null ? total : 0;
        }
        synchronized (holders) {
            look();
            int free = available;
            rest();
            return free;
        }
    }

    /** How many permits a grant holds at this moment. */
    final int permitsOf(Grant<T> grant) {
        synchronized (holders) {
            return word == grant || (word == this && holders.contains(grant)) ? grant.permits : 0;
        }
    }

    final boolean isHeldBy(Grant<T> grant) {
        return word == grant || permitsOf(grant) > 0;
    }

    /**
     * Reads who holds and who waits, of one instant (rule M9).
     *
     * @return the {@linkplain LockView#generation generation}
     */
    final long readInto(List<LockView.Holder> held, List<LockView.Waiting> waiting) {
        synchronized (holders) {
            // Without look(): to be seen must not make a lock slower.
            if (word instanceof Grant<?> alone) {
                held.add(new LockView.Holder(alone, total));
                return changes + 2 * alone.fence;
            }
            for (Grant<T> h = holders.first(); h != null; h = holders.after(h)) {
                held.add(new LockView.Holder(h, h.permits));
            }
            for (Grant<T> w = queue.first(); w != null; w = queue.after(w)) {
                waiting.add(new LockView.Waiting((Waiter<T>) w, w.permits));
            }
            // A grant adds two, so that its end, which may change nothing here, makes a difference.
            return changes + 2 * lastFence + (held.isEmpty() ? 1 : 0);
        }
    }

    /** Those who have permits, and those who get some, before a waiter does. */
    final List<LockView.Holder> aheadOf(Waiter<?> waiter) {
        List<LockView.Holder> ahead = new ArrayList<>();
        synchronized (holders) {
            if (waiter.state == Waiter.State.WAITING) {
                for (Grant<T> h = holders.first(); h != null; h = holders.after(h)) {
                    ahead.add(new LockView.Holder(h, h.permits));
                }
                for (Grant<T> w = queue.first(); w != null && w != waiter; w = queue.after(w)) {
                    ahead.add(new LockView.Holder(w, w.permits));
                }
            }
        }
        return ahead;
    }

    /** The first of those who wait. */
    final List<Waiter<?>> firstWaiters(int most) {
        List<Waiter<?>> first = new ArrayList<>();
        synchronized (holders) {
            for (Grant<T> w = queue.first(); w != null && first.size() < most; w = queue.after(w)) {
                first.add((Waiter<T>) w);
            }
        }
        return first;
    }

    /** Whether a wait goes on. */
    final boolean isWaiting(Waiter<?> waiter) {
        synchronized (holders) {
            return waiter.state == Waiter.State.WAITING;
        }
    }

    /** Whether some holder waits for a lock itself, so that whoever waits for this one may wait in a circle. */
    final boolean isHeldByOneWhoWaits() {
        Grant<?> only = null;
        List<Grant<?>> several = List.of();
        synchronized (holders) {
            Grant<T> first = holders.first();
            if (first != null && holders.size() == 1) {
                only = first;
            } else {
                several = new ArrayList<>();
                for (Grant<T> h = first; h != null && several.size() < MOST_HOLDERS_LOOKED_AT; h = holders.after(h)) {
                    several.add(h);
                }
            }
        }
        return only != null ? isHeldInACircleBy(only) : several.stream().anyMatch(this::isHeldInACircleBy);
    }

    /** Whether {@link #isHeldByOneWhoWaits} leaves some out. */
    final boolean hasMoreHoldersThanAreLookedAt() {
        synchronized (holders) {
            return holders.size() > MOST_HOLDERS_LOOKED_AT;
        }
    }

    /**
     * Whether a holder waits for a lock, or somebody does who was asked inside of its scope; for a lock with a single permit
     * another branch of the same context may well wait.
     */
    final boolean isHeldInACircleBy(Grant<?> hold) {
        return hold.isAskedIn || hold.by.isWaitingForLock(total == 1 ? hold.lock : null);
    }
}
