package com.fastn.verification.cluster;

import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.MultiMapConfig;
import com.hazelcast.config.MultiMapConfig.ValueCollectionType;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.json.JsonObject;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;

/**
 * A clustered Vertx whose cluster does not leave this machine: on loopback, or on an address of a network that is made for a
 * test. Knows nothing of the library that is tested.
 */
final class LoopbackCluster {
    private static final String LOOPBACK = "127.0.0.1";

    private LoopbackCluster() {}

    /**
     * Joins, or begins, a cluster: {@code cluster} is its name, {@code host} and {@code port} are this node's, {@code members}
     * are all, as ports of loopback or as addresses, {@code vertx} are options of Vert.x, if there are any. */
    static Future<Vertx> join(JsonObject settings) {
        return Vertx.builder()
                .with(new VertxOptions(settings.getJsonObject("vertx", new JsonObject()))
                        .setEventBusOptions(new EventBusOptions().setHost(host(settings))))
                .withClusterManager(new HazelcastClusterManager(config(settings)))
                .buildClustered();
    }

    private static String host(JsonObject settings) {
        return settings.getString("host", LOOPBACK);
    }

    private static Config config(JsonObject settings) {
        Config config = new Config();
        config.setClusterName(settings.getString("cluster"));
        config.setProperty("hazelcast.phone.home.enabled", "false");
        config.setProperty("hazelcast.socket.bind.any", "false");
        config.setProperty("hazelcast.logging.type", "slf4j");
        config.setProperty("hazelcast.shutdownhook.enabled", "false");
        config.setProperty("hazelcast.wait.seconds.before.join", "0");
        // A node that stands still is put out after five seconds, and finds back within a few.
        config.setProperty("hazelcast.heartbeat.interval.seconds", "1");
        config.setProperty("hazelcast.max.no.heartbeat.seconds", "5");
        config.setProperty("hazelcast.merge.first.run.delay.seconds", "2");
        config.setProperty("hazelcast.merge.next.run.delay.seconds", "2");
        config.getMetricsConfig().setEnabled(false);
        config.getJetConfig().setEnabled(false);

        config.getNetworkConfig().setPort(settings.getInteger("port")).setPortAutoIncrement(false);
        config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface(host(settings));
        JoinConfig join = config.getNetworkConfig().getJoin();
        join.getAutoDetectionConfig().setEnabled(false);
        join.getMulticastConfig().setEnabled(false);
        join.getTcpIpConfig().setEnabled(true).setConnectionTimeoutSeconds(1);
        for (Object member : settings.getJsonArray("members")) {
            join.getTcpIpConfig().addMember(member instanceof Integer ? LOOPBACK + ":" + member : member.toString());
        }
        config.addMultiMapConfig(
                new MultiMapConfig("__vertx.subs").setBackupCount(1).setValueCollectionType(ValueCollectionType.SET));
        return config;
    }
}
