package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.status.ClusterStatus;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The way from the threads of the status port to the event loop of the status verticle, which may be blocked. */
interface BusDoor {
    /** {@return completes when the event loop of the status verticle has time} */
    CompletableFuture<@Nullable Void> knock();

    /**
     * Asks the nodes of the cluster.
     *
     * @param question what to ask
     * @return completes on the event loop of the status verticle
     */
    CompletableFuture<ClusterAnswer> ask(BusQuestion question);

    /** {@return completes, on any thread, with what this node finds when it looks at itself} */
    CompletableFuture<List<NodeCheck>> look();

    /**
     * Hears of the cluster as it changes.
     *
     * @param query which nodes, and which part of their trees
     * @param watcher is told on the event loop of the status verticle
     * @return completes there; closing what it completes with, on any thread, ends it. Fails with a {@link BadQueryException} if
     *     a name fits nobody
     */
    CompletableFuture<Registration> watch(StatusQuery query, Consumer<ClusterStatus> watcher);
}
