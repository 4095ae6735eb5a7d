package com.fastn.status;

import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.NodeInfo;
import io.vertx.core.spi.cluster.RegistrationInfo;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks whether the cluster manager still tells the others where this node is, and registers it anew when it does not: one of
 * them was seen to forget a node for good after a pause (rule D10).
 *
 * <p>It asks the cluster manager and does not send itself a message, because a bus delivers that without asking anybody. It
 * belongs to the verticle's context.
 */
final class SelfCheck {
    /** The id of the warning. */
    static final String WARNING_ID = "not-reachable-through-cluster";

    private static final long TIMEOUT_MILLIS = 2_000;
    /** Then it is looked at again, and repaired once more if need be. */
    private static final long LONGEST_REPAIR_MILLIS = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(SelfCheck.class);

    private final @Nullable ClusterManager manager;
    private final String address;
    private final Supplier<Future<Void>> registerAnew;
    private final Reachability reachability = new Reachability();

    // Mutable state
    private boolean checking;
    // Read by whoever takes a snapshot.
    private volatile boolean lost;

    /**
     * Makes one.
     *
     * @param vertx the Vertx of this node
     * @param address an address that only this node has
     * @param registerAnew takes all addresses of this node back and registers them again
     */
    SelfCheck(Vertx vertx, String address, Supplier<Future<Void>> registerAnew) {
        this.manager = vertx instanceof VertxInternal internal ? internal.clusterManager() : null;
        this.address = address;
        this.registerAnew = registerAnew;
    }

    /** Looks once; what is wrong is mended by itself. */
    void look() {
        ClusterManager present = manager;
        if (present == null || checking) {
            return;
        }
        checking = true;
        isFound(present)
                .compose(found -> {
                    if (found) {
                        reachability.found();
                        return Future.succeededFuture();
                    }
                    return reachability.missed() ? repair(present) : Future.succeededFuture();
                })
                .onComplete(done -> {
                    checking = false;
                    lost = reachability.isLost();
                    if (done.failed()) {
                        LOG.warn("the addresses of this node could not be registered anew", done.cause());
                    }
                });
    }

    private Future<Boolean> isFound(ClusterManager present) {
        Promise<List<RegistrationInfo>> registrations = Promise.promise();
        Promise<NodeInfo> info = Promise.promise();
        try {
            present.getRegistrations(address, registrations);
            present.getNodeInfo(present.getNodeId(), info);
        } catch (RuntimeException e) {
            registrations.tryFail(e);
        }
        return registrations
                .future()
                .compose(all -> info.future()
                        .map(known -> known != null
                                && all != null
                                && all.stream().anyMatch(r -> r.nodeId().equals(present.getNodeId()))))
                .timeout(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .otherwise(failure -> {
                    LOG.debug("the cluster manager does not say where this node is", failure);
                    return false;
                });
    }

    private Future<Void> repair(ClusterManager present) {
        LOG.warn("the cluster manager does not know this node any more, so its addresses are registered anew");
        Promise<Void> told = Promise.promise();
        NodeInfo own = present.getNodeInfo();
        if (own == null) {
            told.complete();
        } else {
            present.setNodeInfo(own, told);
        }
        return soon(told.future())
                .compose(known -> registerAnew.get())
                .timeout(LONGEST_REPAIR_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * {@return completes with what is awaited, or without it} A cluster manager that has just merged was seen never to say that a
     * registration is gone; what is to come then does not wait for it.
     */
    static Future<Void> soon(Future<?> awaited) {
        return awaited.timeout(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .<Void>mapEmpty()
                .otherwiseEmpty();
    }

    /** {@return a warning while registering anew does not help, or {@code null}} */
    @Nullable
    StatusWarning warning(String rootPath) {
        if (!lost) {
            return null;
        }
        return new StatusWarning(
                WARNING_ID,
                WarningSeverity.CRITICAL,
                "this node is not reachable through the cluster manager, and registering it anew did not help",
                rootPath,
                "restart this node; until then ask it through its status port");
    }

    /** {@return how often addresses were registered anew} */
    long repairs() {
        return reachability.repairs();
    }
}
