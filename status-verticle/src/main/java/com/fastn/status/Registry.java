package com.fastn.status;

import io.vertx.core.Completable;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.internal.WorkerExecutorInternal;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.NodeInfo;
import io.vertx.core.spi.cluster.RegistrationInfo;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What the cluster manager of a node knows.
 *
 * <p>A cluster manager may answer on a thread that it blocks, Hazelcast's on one of the worker pool of the context that asks, and while
 * it puts a member out was seen not to answer for more than a minute. So these questions are asked on a context that has a small pool
 * of its own, and never twice at once: whoever asks for what is asked for already gets that answer. It belongs to the verticle's
 * context, where its futures complete.
 */
final class Registry {
    private static final int THREADS = 2;
    /** Longer than Hazelcast waits for a member. What is not answered then is lost, and may be asked for anew. */
    private static final long LONGEST_MILLIS = 180_000;

    private final Vertx vertx;
    private final ClusterManager manager;
    private final WorkerExecutor pool;
    private final ContextInternal asking;
    // Mutable state
    private final Map<String, Future<?>> asked = new HashMap<>();

    private Registry(Vertx vertx, VertxInternal internal, ClusterManager manager, String name) {
        this.vertx = vertx;
        this.manager = manager;
        WorkerExecutorInternal own = internal.createSharedWorkerExecutor("fastn-registry-" + name, THREADS);
        this.pool = own;
        this.asking = internal.contextBuilder()
                .withThreadingModel(ThreadingModel.EVENT_LOOP)
                .withWorkerPool(own.pool())
                .build();
    }

    /**
     * {@return that of a Vertx, or {@code null} where that is not clustered}
     *
     * @param name of this node
     */
    static @Nullable Registry of(Vertx vertx, String name) {
        if (!(vertx instanceof VertxInternal internal)) {
            return null;
        }
        ClusterManager manager = internal.clusterManager();
        return manager == null ? null : new Registry(vertx, internal, manager, name);
    }

    /** {@return who this node is for the cluster manager} */
    String ownId() {
        return manager.getNodeId();
    }

    /** {@return who is registered at an address} */
    Future<List<RegistrationInfo>> registrations(String address) {
        // Of one that nobody ever consumed nothing was seen to come.
        return this.<@Nullable List<RegistrationInfo>>ask(
                        "address " + address, (present, answer) -> present.getRegistrations(address, answer))
                .map(all -> all == null ? List.of() : all);
    }

    /** {@return where the event bus of a member listens, or {@code null} or a failure where that is not known} */
    Future<@Nullable NodeInfo> place(String id) {
        return ask("node " + id, (present, answer) -> present.getNodeInfo(id, answer));
    }

    /** Tells the cluster manager once more where this node is. */
    Future<Void> tellThisNode() {
        NodeInfo own = manager.getNodeInfo();
        return own == null
                ? Future.succeededFuture()
                : ask("tell", (present, answer) -> present.setNodeInfo(own, answer));
    }

    private <T> Future<T> ask(String what, BiConsumer<ClusterManager, Completable<T>> question) {
        @SuppressWarnings("unchecked") // of one question the answers are of one type
        Future<T> known = (Future<T>) asked.get(what);
        if (known != null) {
            return known;
        }
        Promise<T> told = SelfCheck.promise(vertx);
        Future<T> answer = told.future().timeout(LONGEST_MILLIS, TimeUnit.MILLISECONDS);
        asked.put(what, answer);
        Promise<T> there = asking.promise();
        there.future().onSuccess(told::tryComplete).onFailure(told::tryFail);
        ContextInternal before = asking.beginDispatch();
        try {
            question.accept(manager, there);
        } catch (RuntimeException e) {
            there.tryFail(e);
        } finally {
            asking.endDispatch(before);
        }
        return answer.onComplete(done -> asked.remove(what, answer));
    }

    Future<Void> close() {
        return pool.close();
    }
}
