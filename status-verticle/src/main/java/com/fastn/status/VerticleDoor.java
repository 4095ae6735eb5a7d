package com.fastn.status;

import com.fastn.context.status.ClusterStatus;
import io.vertx.core.Context;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Leads to the event loop of a verticle. */
final class VerticleDoor implements BusDoor {
    private final Context context;
    private final ClusterQuery cluster;

    VerticleDoor(Context context, ClusterQuery cluster) {
        this.context = context;
        this.cluster = cluster;
    }

    @Override
    public CompletableFuture<@Nullable Void> knock() {
        CompletableFuture<@Nullable Void> opened = new CompletableFuture<>();
        context.runOnContext(now -> opened.complete(null));
        return opened;
    }

    @Override
    public CompletableFuture<ClusterStatus> ask(StatusQuery query) {
        CompletableFuture<ClusterStatus> answer = new CompletableFuture<>();
        context.runOnContext(now -> {
            try {
                cluster.ask(BusQuestion.of(query), true)
                        .onSuccess(answer::complete)
                        .onFailure(answer::completeExceptionally);
            } catch (Throwable t) {
                answer.completeExceptionally(t);
            }
        });
        return answer;
    }
}
