package com.fastn.verification.cluster;

import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.ext.cluster.infinispan.InfinispanClusterManager;
import java.util.stream.Collectors;

/** Infinispan as cluster manager, over TCP to members that are known, by {@code jgroups-loopback.xml} or {@code jgroups-tls.xml}. */
final class Infinispan {
    private Infinispan() {}

    /** By the settings of {@link LoopbackCluster#join}. It takes its configuration from properties of the system: one a JVM. */
    static ClusterManager manager(JsonObject settings) {
        String keys = settings.getString("keys");
        boolean open = keys == null || LoopbackCluster.trustsAll(settings);
        System.setProperty("vertx.jgroups.config", open ? "jgroups-loopback.xml" : "jgroups-tls.xml");
        System.setProperty("rig.keys", keys == null ? "" : keys);
        System.setProperty("rig.password", LoopbackCluster.PASSWORD);
        System.setProperty("rig.host", LoopbackCluster.host(settings));
        System.setProperty("rig.port", settings.getInteger("port").toString());
        System.setProperty(
                "rig.members",
                LoopbackCluster.members(settings).stream()
                        .map(member -> member.replaceFirst(":(\\d+)$", "[$1]"))
                        .collect(Collectors.joining(",")));
        return new InfinispanClusterManager();
    }
}
