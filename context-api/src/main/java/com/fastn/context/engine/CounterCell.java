package com.fastn.context.engine;

import com.fastn.context.event.ContextEvent;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One counter of one path: a total that only grows and a live count.
 *
 * <p>A cell may be folded into another one, for good. What was counted here moves there; who still holds this cell goes on
 * counting here, and each addition follows at once, so that nothing is lost and nothing counts twice (rule M4).
 */
final class CounterCell extends StripedLong { // of the total: who counts has one place less to go to
    // From this size on an addition is checked, so that the sum saturates and never wraps (rule M1).
    static final long LARGE = 1L << 32;

    private final PathCounters path;
    private final String name;
    private final StripedLong live = new StripedLong();
    private volatile boolean saturated;

    // Set before this cell is emptied, and looked at after each addition: an addition is seen by whoever empties,
    // or sees the mark itself. Chains lead towards the root, so the monitors of a cell and of its target form no cycle.
    private volatile @Nullable CounterCell foldedInto;

    // Who wants to know how much is counted when; nobody, as a rule. Written under the store's monitor.
    private volatile CounterGrowth @Nullable [] growths;

    CounterCell(PathCounters path, String name) {
        this.path = path;
        this.name = name;
    }

    String name() {
        return name;
    }

    PathCounters path() {
        return path;
    }

    /** Adds, and says whether that changed anything; whoever calls tells of it. */
    boolean add(long n) {
        if (n < 0) {
            path.store()
                    .runtime()
                    .misuse("a total counter was asked to add a negative number; it only grows, so nothing was added");
            return false;
        }
        if (n >= LARGE) {
            if (!addLarge(n)) {
                saturate();
            }
        } else {
            plus(n);
        }
        grow(n);
        if (foldedInto != null && moveOn()) {
            tellOverflow(path.store().runtime());
        }
        return n != 0;
    }

    /** Tells who wants to know that so much was counted; outside of monitors, as it asks for the time. */
    void grow(long n) {
        CounterGrowth[] asked = growths;
        if (asked == null) {
            return;
        }
        EngineRuntime runtime = path.store().runtime();
        long nanos = runtime.sinceStart(runtime.touchNanos());
        for (CounterGrowth growth : asked) {
            growth.add(nanos, n);
        }
    }

    /** Tells somebody from now on how much is counted, once however often this is called. Under the store's monitor. */
    void tell(CounterGrowth growth) {
        CounterGrowth[] before = growths;
        if (before != null && Arrays.asList(before).contains(growth)) {
            return;
        }
        CounterGrowth[] after = before == null ? new CounterGrowth[1] : Arrays.copyOf(before, before.length + 1);
        after[after.length - 1] = growth;
        growths = after;
    }

    /** Tells somebody nothing any more. Under the store's monitor. */
    void tellNoMore(CounterGrowth growth) {
        CounterGrowth[] before = growths;
        if (before != null) {
            CounterGrowth[] after =
                    Arrays.stream(before).filter(each -> each != growth).toArray(CounterGrowth[]::new);
            growths = after.length == 0 ? null : after;
        }
    }

    /** {@return whether there was room; otherwise whoever calls says so, outside of monitors} */
    private synchronized boolean addLarge(long n) {
        long sum = sum();
        if (saturated || sum < 0 || sum + n < 0) {
            return false;
        }
        plusInPlace(n);
        return true;
    }

    private void saturate() {
        if (!saturated) {
            setSaturated();
            tellOverflow(path.store().runtime());
        }
    }

    /** From now on it stays, whatever else is added; also for whoever holds monitors. */
    private void setSaturated() {
        saturated = true;
        path.store().miscounts().overflowed(this);
    }

    /** Outside of monitors: it is logged. */
    static void tellOverflow(EngineRuntime runtime) {
        runtime.misuse("a total counter reached " + Long.MAX_VALUE + ", the greatest number; it stays there");
    }

    /**
     * Adds to the live count, also for whoever holds a monitor: other cells' are taken inside of it at most.
     *
     * @return whether a total overflowed meanwhile, which the caller tells outside of monitors
     */
    boolean addLive(long n) {
        live.plus(n);
        return foldedInto != null && moveOn();
    }

    /**
     * Adds one to the total and then to the live count, so that nobody sees more alive than there ever were (rule M9); also
     * for whoever holds a monitor, who calls {@link #grow} outside of it.
     *
     * @return whether a total overflowed meanwhile, which the caller tells outside of monitors
     */
    boolean addTracked() {
        plus(1);
        return addLive(1);
    }

    /** {@return the total; that it has overflowed is told at once} */
    long get() {
        long total = total();
        path.store().tellOverflows();
        return total;
    }

    /** {@return the total, for whoever holds a monitor: what is to be told waits for {@link CounterStore#tellOverflows}} */
    long total() {
        // The sum first: as long as there is no mark behind it, nobody has taken anything from it.
        long sum = sum();
        CounterCell into = foldedInto;
        if (into != null) {
            synchronized (this) {
                long left = sum();
                return saturated || left < 0
                        ? Long.MAX_VALUE
                        : saturatedSum(into.last().total(), left);
            }
        }
        return ownTotal(sum);
    }

    /** Of one that is not folded. */
    private long ownTotal(long sum) {
        if (sum < 0 && !saturated) {
            // Small additions are not checked.
            setSaturated();
            path.store().overflowSeen();
        }
        return saturated ? Long.MAX_VALUE : sum;
    }

    long live() {
        return Math.max(0, bareLive());
    }

    private long bareLive() {
        long sum = live.sum();
        CounterCell into = foldedInto;
        if (into == null) {
            return sum;
        }
        synchronized (this) {
            return into.last().bareLive() + live.sum();
        }
    }

    /**
     * {@return what listeners are told of a counter: where it counts by now, and what it stands at} What that is is read and
     * numbered in one step, so that of two such events the one with the greater number is never of an older value.
     */
    static ContextEvent.CounterChanged changed(CounterCell cell, long contextId) {
        CounterCell at = cell.last();
        ContextEvent.CounterChanged event = at.changedUnlessFolded(contextId);
        while (event == null) {
            at = at.last();
            event = at.changedUnlessFolded(contextId);
        }
        return event;
    }

    private synchronized ContextEvent.@Nullable CounterChanged changedUnlessFolded(long contextId) {
        if (foldedInto != null) {
            return null;
        }
        // Nothing is taken from here under the monitor. Live before total: never more alive than there ever were (rule
        // M9).
        long alive = Math.max(0, live.sum());
        return new ContextEvent.CounterChanged(
                contextId,
                path.path(),
                name,
                ownTotal(sum()),
                alive,
                path.store().nextEvent());
    }

    /** {@return whether the total reached the greatest number and stays there} */
    boolean isOverflowed() {
        return get() == Long.MAX_VALUE && last().saturated;
    }

    /** {@return whether another cell counts for this one, for good} */
    boolean isFolded() {
        return foldedInto != null;
    }

    // --- folding

    /**
     * Moves all that is here to another cell that is not folded, and all that will come. Once only.
     *
     * @return whether that made the other one overflow, which the caller tells outside of monitors
     */
    boolean foldInto(CounterCell other) {
        foldedInto = other;
        return pourInto(other);
    }

    /** {@return the cell that counts for this one now: itself unless it was folded} */
    CounterCell last() {
        CounterCell cell = this;
        for (CounterCell into = foldedInto; into != null; into = cell.foldedInto) {
            cell = into;
        }
        return cell;
    }

    /** {@return whether that made another one overflow, which the caller tells outside of monitors} */
    private boolean moveOn() {
        boolean overflow = false;
        CounterCell from = this;
        for (CounterCell into = from.foldedInto; into != null; into = from.foldedInto) {
            CounterCell target = into.last();
            // Shorter for the next one; the target is not folded, or will be and then says where it went.
            from.foldedInto = target;
            overflow |= from.pourInto(target);
            from = target;
        }
        return overflow;
    }

    /** {@return whether that made the target overflow} */
    private synchronized boolean pourInto(CounterCell target) {
        // Each that is alive was in the total before: so the total is taken last, and is there first. What was taken is
        // nowhere until it is added, so that must not want memory.
        long alive = live.drain();
        long moved = drain();
        boolean overflow = saturated || moved < 0 || (moved > 0 && !target.addLarge(moved));
        target.live.plusInPlace(alive);
        if (overflow && !target.saturated) {
            target.setSaturated();
            return true;
        }
        return false;
    }

    static long saturatedSum(long a, long b) {
        long sum = a + b;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }
}
