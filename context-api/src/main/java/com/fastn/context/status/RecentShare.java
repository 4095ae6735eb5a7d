package com.fastn.context.status;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Which of the contexts that ended are told where there is no room for all: the newest, but those that failed or were cancelled
 * have half of the room, as they have half of the list of their node.
 */
final class RecentShare {
    private RecentShare() {}

    /**
     * {@return those that are told, the newest first}
     *
     * @param newestFirst all that there are
     * @param beginning is given them in the order of their worth, and gives as many of the first ones as there is room for
     */
    static List<FinishedContext> of(List<FinishedContext> newestFirst, UnaryOperator<List<FinishedContext>> beginning) {
        Set<FinishedContext> told = Collections.newSetFromMap(new IdentityHashMap<>());
        told.addAll(beginning.apply(byWorth(newestFirst)));
        return newestFirst.stream().filter(told::contains).toList();
    }

    /** The first of this order, however many, are those that so many places are for: one place more is for one more. */
    private static List<FinishedContext> byWorth(List<FinishedContext> newestFirst) {
        List<FinishedContext> completed = new ArrayList<>();
        List<FinishedContext> troubled = new ArrayList<>();
        for (FinishedContext finished : newestFirst) {
            (isCompleted(finished) ? completed : troubled).add(finished);
        }
        List<FinishedContext> order = new ArrayList<>(newestFirst.size());
        int troubledOfNewest = 0;
        int troubledSoFar = 0;
        for (int places = 1; places <= newestFirst.size(); places++) {
            troubledOfNewest += isCompleted(newestFirst.get(places - 1)) ? 0 : 1;
            int share = Math.max(troubledOfNewest, Math.min(places / 2, troubled.size()));
            if (share > troubledSoFar) {
                order.add(troubled.get(troubledSoFar));
                troubledSoFar++;
            } else {
                order.add(completed.get(places - 1 - troubledSoFar));
            }
        }
        return order;
    }

    private static boolean isCompleted(FinishedContext finished) {
        return finished.outcome() instanceof FinishedContext.Completed;
    }
}
