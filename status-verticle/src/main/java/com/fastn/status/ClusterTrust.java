package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.fastn.status.http.HttpSettings;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.NodeInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whether this node may tell the others all that it knows (rule S4). The bus of Vert.x believes whoever reaches its port, so
 * data values are told only where nobody else can reach it, as far as can be seen, or where the operator says so.
 */
final class ClusterTrust {
    /** The id of the warning. */
    static final String WARNING_ID = "cluster-not-authenticated";

    private final boolean trusted;

    private ClusterTrust(boolean trusted) {
        this.trusted = trusted;
    }

    static ClusterTrust of(Vertx vertx, boolean trustCluster) {
        ClusterManager manager = vertx instanceof VertxInternal internal ? internal.clusterManager() : null;
        if (manager == null || trustCluster) {
            return new ClusterTrust(true);
        }
        NodeInfo own = manager.getNodeInfo();
        return new ClusterTrust(own != null && HttpSettings.isLoopback(own.host()));
    }

    /** {@return whether everything is told} */
    boolean isTrusted() {
        return trusted;
    }

    /** {@return the warning that belongs into every status, or {@code null} where there is nothing to warn of} */
    @Nullable
    StatusWarning warning(String rootPath) {
        if (trusted) {
            return null;
        }
        return new StatusWarning(
                WARNING_ID,
                WarningSeverity.WARNING,
                "the nodes of this cluster do not prove who they are, so data values are not told to other nodes",
                rootPath,
                "give the event bus mutual TLS or an isolated network, and then set the option \"trustCluster\"");
    }

    /** {@return the snapshot as others may see it: names, times, counters and locks, without data values and notes} */
    StatusSnapshot forOthers(StatusSnapshot snapshot) {
        return trusted ? snapshot : snapshot.withGlobalContext(withoutData(snapshot.globalContext()));
    }

    private static ContextStatus withoutData(ContextStatus root) {
        List<ContextStatus> order = new ArrayList<>(List.of(root));
        for (int i = 0; i < order.size(); i++) {
            order.addAll(order.get(i).children());
        }
        // From the leaves up, without recursion: a tree may be deep.
        Map<Long, ContextStatus> bare = new HashMap<>();
        for (int i = order.size() - 1; i >= 0; i--) {
            ContextStatus context = order.get(i);
            List<ContextStatus> children = new ArrayList<>();
            for (ContextStatus child : context.children()) {
                ContextStatus done = bare.remove(child.id());
                if (done != null) {
                    children.add(done);
                }
            }
            bare.put(
                    context.id(),
                    context.withChildren(children, context.foldedChildren()).withData(Map.of()));
        }
        return requireNonNull(bare.get(root.id()));
    }
}
