package com.fastn.context.vertx;

import com.fastn.context.LockGuard;
import com.fastn.context.engine.ContextNode;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The locks of the cluster that contexts of this Vertx have, and those that they ask Vert.x for. */
final class SharedTurns {
    private final Set<Turn> turns = ConcurrentHashMap.newKeySet();
    private final Runnable onWait;

    /** Makes it; {@code onWait} is run for each that asks Vert.x, and has to return at once. */
    SharedTurns(Runnable onWait) {
        this.onWait = onWait;
    }

    /** The head of this Vertx's line for a lock asks Vert.x from now on. */
    Turn ask(
            String name,
            boolean ofCluster,
            LockGuard<?> line,
            @Nullable Work work,
            long sinceNanos,
            long deadlineNanos) {
        Turn turn = new Turn(name, line, work, sinceNanos, deadlineNanos);
        // Nobody else can end the wait for a lock that other nodes do not know.
        if (ofCluster) {
            turns.add(turn);
            onWait.run();
        }
        return turn;
    }

    void forEach(Consumer<Turn> each) {
        turns.forEach(each);
    }

    /**
     * One asking for a lock, and then the holding of it.
     *
     * <pre>
     *   ASKING --granted()--> HELD --over()--> gone
     *      \\--------over()-------------/
     * </pre>
     *
     * <p>It is taken for held after Vert.x gave the lock, and for gone before it is given back: what is held here is held.
     */
    final class Turn {
        final String name;
        final LockGuard<?> line;
        final @Nullable Work work;
        final long deadlineNanos;
        private volatile long sinceNanos;
        private volatile boolean held;

        Turn(String name, LockGuard<?> line, @Nullable Work work, long sinceNanos, long deadlineNanos) {
            this.name = name;
            this.line = line;
            this.work = work;
            this.sinceNanos = sinceNanos;
            this.deadlineNanos = deadlineNanos;
        }

        ContextNode context() {
            return (ContextNode) line.context();
        }

        boolean isHeld() {
            return held;
        }

        long sinceNanos() {
            return sinceNanos;
        }

        void granted(long nowNanos) {
            sinceNanos = nowNanos;
            held = true;
        }

        void over() {
            turns.remove(this);
        }
    }

    /** A piece of work that holds a lock of the cluster until its future ends: what it gave, and what its caller got. */
    static final class Work {
        private volatile @Nullable Future<?> given;
        private volatile @Nullable Future<?> result;

        void gave(Future<?> future) {
            given = future;
        }

        void isTo(Future<?> future) {
            result = future;
        }

        /** Whether it ends with another work, whose result it gave as it is. */
        private boolean endsWith(Work other) {
            Future<?> end = given;
            return end != null && end == other.result;
        }
    }

    /**
     * {@return what provably lasts as long as a wait: the line's guard, and the holds of those works that gave the result of
     * the work that waits, or of one that gave it}
     */
    static List<Object> lasting(Turn waiting, List<Turn> all) {
        List<Object> found = new ArrayList<>();
        found.add(waiting.line);
        Work inner = waiting.work;
        while (inner != null) {
            Turn outer = null;
            for (Turn turn : all) {
                if (turn.isHeld() && turn.work != null && turn.work != inner && turn.work.endsWith(inner)) {
                    outer = turn;
                }
            }
            if (outer == null || found.contains(outer)) {
                break;
            }
            found.add(outer);
            found.add(outer.line);
            inner = outer.work;
        }
        return found;
    }
}
