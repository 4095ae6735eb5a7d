package com.fastn.context.engine;

import com.fastn.context.LiveCount;
import com.fastn.context.status.ContextState;
import com.google.errorprone.annotations.MustBeClosed;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The live counts of contexts. What a context has added is noted in its {@link NodeExtras}, by the counter's name: so it never takes
 * more than that, and its end takes back what is left (rule M3). It has no state.
 *
 * <p>A count is taken where it was added, also if the path was folded since, or found room that it had not before.
 */
final class LiveCounts {
    private LiveCounts() {}

    /** Under its own name, also where it found no room and is counted together with others. */
    static void increment(ContextNode node, String name, CounterCell cell) {
        CounterCell at = countOne(node, name, cell, false);
        if (at != null) {
            node.counted(at);
        }
    }

    /**
     * Counts one more alive, which the end of the context takes back; where others of that name are counted, as long as there are some.
     *
     * @param tracked whether it is counted in total as well
     * @return where that is, or {@code null} if the context had ended, which is told
     */
    private static @Nullable CounterCell countOne(ContextNode node, String name, CounterCell cell, boolean tracked) {
        NodeExtras x = node.extras();
        CounterCell at = null;
        boolean overflow = false;
        synchronized (x) {
            if (!x.ended) {
                NodeExtras.OwnLive own = x.live(name, cell);
                own.count++;
                at = own.cell;
                overflow = tracked ? at.addTracked() : at.addLive(1);
            }
        }
        if (at == null) {
            node.runtime().misuse("a live counter was incremented in a context that had ended; it was not counted");
        } else {
            tellIfOverflowed(node, overflow);
        }
        return at;
    }

    static void decrement(ContextNode node, String name) {
        CounterCell cell = take(node, name);
        if (cell != null) {
            node.counted(cell);
        } else {
            tookTooMuch(node, name);
        }
    }

    /** {@return what was taken from, or {@code null} if this context has nothing there} */
    private static @Nullable CounterCell take(ContextNode node, String name) {
        NodeExtras x = node.extras();
        CounterCell cell;
        boolean overflow;
        synchronized (x) {
            NodeExtras.OwnLive own = x.ended ? null : x.liveOrNull(name);
            if (own == null || own.count == 0) {
                return null;
            }
            x.takeOne(own);
            cell = own.cell;
            overflow = cell.addLive(-1);
        }
        tellIfOverflowed(node, overflow);
        return cell;
    }

    /** The end of a context takes all back by itself, so whoever comes after it has found nothing wrong. */
    private static void tookTooMuch(ContextNode node, String counter) {
        EngineRuntime runtime = node.runtime();
        runtime.misuse(
                "decrementLive took more from a counter than its context had added; it was kept at 0",
                () -> "\"" + counter + "\" of " + node.path() + " at " + Places.describe(Places.caller()));
        if (node.state() == ContextState.ACTIVE) {
            runtime.counterStore().miscounts().underflowed(node.path(), counter);
            runtime.root().addTotal(CounterStore.UNDERFLOW, 1);
        }
    }

    @MustBeClosed
    static LiveCount track(ContextNode node, String name, CounterCell cell) {
        CounterCell at = countTracked(node, name, cell);
        AtomicBoolean closed = new AtomicBoolean();
        LiveCount count = () -> {
            // Not a misuse when there is nothing to take: the context ended first and took it back.
            CounterCell from = closed.compareAndSet(false, true) ? take(node, name) : null;
            if (from != null) {
                node.counted(from);
            }
        };
        LeakTracker leaks = node.runtime().leaks();
        return leaks == null ? count : leaks.liveCount(node, at.name(), count);
    }

    /**
     * Counts one in total and live, both where the context has others of that name alive: its path may have found no room
     * then, and does by now (rule M9). One event tells of both.
     *
     * @return where that is
     */
    static CounterCell countTracked(ContextNode node, String name, CounterCell cell) {
        CounterCell at = countOne(node, name, cell, true);
        if (at == null) {
            at = cell;
            at.add(1);
        } else {
            at.grow(1);
        }
        node.counted(at);
        return at;
    }

    /** Counts one in total and live, in a context that nobody else sees yet; whoever calls tells of it. */
    static void countFirst(ContextNode node, NodeExtras x, String name, CounterCell cell) {
        x.live(name, cell).count = 1;
        tellIfOverflowed(node, cell.addTracked());
        cell.grow(1);
    }

    /** Takes back what a context that ends has added. */
    static void takeBack(ContextNode node, List<NodeExtras.OwnLive> all) {
        for (NodeExtras.OwnLive own : all) {
            if (own.count > 0) {
                tellIfOverflowed(node, own.cell.addLive(-own.count));
                node.counted(own.cell);
            }
        }
    }

    /** Not under the monitor of the extras: it is logged. */
    private static void tellIfOverflowed(ContextNode node, boolean overflow) {
        if (overflow) {
            CounterCell.tellOverflow(node.runtime());
        }
    }
}
