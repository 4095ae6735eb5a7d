package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeStatus;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What is watched: one {@link NodeWatch} and one {@link ClusterFeed} for each different part of the trees, however many watch
 * it. They belong to the verticle's context.
 */
final class Watches {
    private final Vertx vertx;
    private final WorkerExecutor worker;
    private final LocalStatus local;
    private final NodeDirectory directory;
    private final PeerBytes bytes;
    private final Ticker ticker;

    // Mutable state
    private Supplier<Registration> measuring = () -> () -> {};
    private final Map<StatusQuery, NodeWatch> nodes = new HashMap<>();
    private final Map<StatusQuery, ClusterFeed> clusters = new HashMap<>();

    Watches(
            Vertx vertx,
            WorkerExecutor worker,
            LocalStatus local,
            NodeDirectory directory,
            PeerBytes bytes,
            Ticker ticker) {
        this.vertx = vertx;
        this.worker = worker;
        this.local = local;
        this.directory = directory;
        this.bytes = bytes;
        this.ticker = ticker;
    }

    /**
     * Watches this node.
     *
     * @param query the part of its tree
     * @param watcher is told on the verticle's context; where nothing is open at the path, a row with that reason
     * @return closing it, on that context, ends it
     */
    Registration node(StatusQuery query, Consumer<NodeStatus> watcher) {
        StatusQuery part = query.part();
        NodeWatch watch = nodes.computeIfAbsent(part, this::made);
        return ending(watch.watchRow(watcher), watch::isWatched, () -> nodes.remove(part, watch));
    }

    private NodeWatch made(StatusQuery part) {
        NodeWatch watch = new NodeWatch(vertx, worker, local, part, ticker);
        watch.whileWatched(measuring);
        return watch;
    }

    /** Has something measured while somebody watches this node; what this begins is closed afterwards. */
    void whileWatched(Supplier<Registration> begins) {
        measuring = begins;
    }

    /**
     * Watches the cluster.
     *
     * @param query which nodes, and which part of their trees
     * @param watcher is told on the verticle's context
     * @return closing it, on that context, ends it
     * @throws BadQueryException if a name fits nobody
     */
    Registration cluster(StatusQuery query, Consumer<ClusterStatus> watcher) {
        StatusQuery part = query.part();
        ClusterFeed known = clusters.get(part);
        ClusterFeed feed = known != null ? known : new ClusterFeed(vertx, worker, this, part, directory, bytes, ticker);
        Registration watching = feed.watch(query.nodes(), watcher);
        // A node that nobody knows was refused there.
        clusters.put(part, feed);
        return ending(watching, feed::isWatched, () -> clusters.remove(part, feed));
    }

    private static Registration ending(Registration watching, BooleanSupplier isWatched, Runnable remove) {
        return () -> {
            watching.close();
            if (!isWatched.getAsBoolean()) {
                remove.run();
            }
        };
    }

    /** {@return whether anybody watches the cluster} */
    boolean isClusterWatched() {
        return clusters.values().stream().anyMatch(ClusterFeed::isWatched);
    }

    /** Says that the status of this node may have turned though nothing in its tree changed. */
    void turned() {
        nodes.values().forEach(NodeWatch::turned);
    }
}
