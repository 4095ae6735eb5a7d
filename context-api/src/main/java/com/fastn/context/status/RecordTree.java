package com.fastn.context.status;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A tree that consists of records already. */
final class RecordTree implements FoldableTree {
    private final List<ContextStatus> order = new ArrayList<>();
    private final int[] parents;

    RecordTree(ContextStatus root) {
        List<Integer> above = new ArrayList<>();
        order.add(root);
        above.add(-1);
        for (int i = 0; i < order.size(); i++) {
            for (ContextStatus child : order.get(i).children()) {
                order.add(child);
                above.add(i);
            }
        }
        parents = above.stream().mapToInt(Integer::intValue).toArray();
    }

    @Override
    public int size() {
        return parents.length;
    }

    @Override
    public int parent(int index) {
        return parents[index];
    }

    @Override
    public long id(int index) {
        return order.get(index).id();
    }

    @Override
    public String name(int index) {
        return order.get(index).name();
    }

    @Override
    public long ageNanos(int index) {
        return nanos(order.get(index).duration());
    }

    @Override
    public long quietNanos(int index) {
        return nanos(order.get(index).lastActivity());
    }

    /** A peer of before does not tell of it, but its records do to some extent. */
    @Override
    public @Nullable ContextTrouble trouble(int index) {
        ContextStatus context = order.get(index);
        for (OperationStatus operation : context.operations()) {
            if (operation.stuck()) {
                return ContextTrouble.STUCK;
            }
        }
        ContextTrouble told = context.trouble();
        boolean stopping = context.isCancelled() && context.state() != ContextState.CLOSED;
        return told == null && stopping ? ContextTrouble.STOPPING : told;
    }

    @Override
    public FoldedChildren folded(int index) {
        return order.get(index).foldedChildren();
    }

    @Override
    public ContextStatus row(int index) {
        return order.get(index);
    }

    /** Another node may claim any age. */
    private static long nanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException longerThanTime) {
            return duration.isNegative() ? 0 : Long.MAX_VALUE;
        }
    }
}
