package com.fastn.status;

import com.fastn.context.status.ClusterStatus;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The way from the threads of the status port to the event loop of the status verticle, which may be blocked. */
interface BusDoor {
    /** {@return completes when the event loop of the status verticle has time} */
    CompletableFuture<@Nullable Void> knock();

    /**
     * Asks the nodes of the cluster.
     *
     * @param query what to ask
     * @return completes on the event loop of the status verticle
     */
    CompletableFuture<ClusterStatus> ask(StatusQuery query);
}
