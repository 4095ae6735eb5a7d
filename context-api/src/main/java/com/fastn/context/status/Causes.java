package com.fastn.context.status;

import java.util.List;

/**
 * What a node knows of who holds up whom, beside its locks and operations.
 *
 * @param deadlocks the contexts that wait for each other, proven ones first
 * @param blocked the event loops and worker pools that stand still
 * @param episodes the times in which contexts were stuck, the newest first; empty unless they were asked for
 */
public record Causes(List<DeadlockReport> deadlocks, List<BlockedPlace> blocked, List<WaitEpisode> episodes) {
    /** Nothing. */
    public static final Causes NONE = new Causes(List.of(), List.of(), List.of());

    /** Copies the lists. */
    public Causes {
        deadlocks = List.copyOf(deadlocks);
        blocked = List.copyOf(blocked);
        episodes = List.copyOf(episodes);
    }

    /** {@return whether there is nothing to tell} */
    public boolean isNone() {
        return deadlocks.isEmpty() && blocked.isEmpty() && episodes.isEmpty();
    }

    /**
     * Makes a copy with other episodes.
     *
     * @param others the episodes, the newest first
     * @return the copy
     */
    public Causes withEpisodes(List<WaitEpisode> others) {
        return new Causes(deadlocks, blocked, others);
    }
}
