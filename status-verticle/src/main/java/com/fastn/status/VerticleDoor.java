package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.status.ClusterStatus;
import io.vertx.core.Context;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Leads to the event loop of a verticle. */
final class VerticleDoor implements BusDoor {
    private final Context context;
    private final ClusterQuery cluster;
    private final Watches watches;
    private final NodeChecks checks;

    VerticleDoor(Context context, ClusterQuery cluster, Watches watches, NodeChecks checks) {
        this.context = context;
        this.cluster = cluster;
        this.watches = watches;
        this.checks = checks;
    }

    @Override
    public CompletableFuture<@Nullable Void> knock() {
        CompletableFuture<@Nullable Void> opened = new CompletableFuture<>();
        context.runOnContext(now -> opened.complete(null));
        return opened;
    }

    @Override
    public CompletableFuture<ClusterAnswer> ask(BusQuestion question) {
        CompletableFuture<ClusterAnswer> answer = new CompletableFuture<>();
        context.runOnContext(now -> {
            try {
                cluster.answer(question, true).onSuccess(answer::complete).onFailure(answer::completeExceptionally);
            } catch (Throwable t) {
                answer.completeExceptionally(t);
            }
        });
        return answer;
    }

    @Override
    public CompletableFuture<List<NodeCheck>> look() {
        CompletableFuture<List<NodeCheck>> found = new CompletableFuture<>();
        context.runOnContext(now -> {
            try {
                checks.look().onSuccess(found::complete).onFailure(found::completeExceptionally);
            } catch (Throwable t) {
                found.completeExceptionally(t);
            }
        });
        return found;
    }

    @Override
    public CompletableFuture<Registration> watch(StatusQuery query, Consumer<ClusterStatus> watcher) {
        CompletableFuture<Registration> begun = new CompletableFuture<>();
        context.runOnContext(now -> {
            try {
                Registration watching = watches.cluster(query, watcher);
                begun.complete(() -> context.runOnContext(then -> watching.close()));
            } catch (Throwable t) {
                begun.completeExceptionally(t);
            }
        });
        return begun;
    }
}
