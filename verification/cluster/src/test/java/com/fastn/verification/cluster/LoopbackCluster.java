package com.fastn.verification.cluster;

import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.MultiMapConfig;
import com.hazelcast.config.MultiMapConfig.ValueCollectionType;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.PfxOptions;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A clustered Vertx whose cluster does not leave this machine: on loopback, or on an address of a network that is made for a
 * test. Knows nothing of the library that is tested.
 */
final class LoopbackCluster {
    /** Of a file of keys. */
    static final String PASSWORD = "loopback";

    private static final String LOOPBACK = "127.0.0.1";

    /** What makes one cluster of several JVMs. */
    enum Manager {
        HAZELCAST,
        INFINISPAN;

        /** {@return the one of this name, in letters of any case; Hazelcast for none} */
        static Manager named(@Nullable String name) {
            return name == null || name.isEmpty() ? HAZELCAST : valueOf(name.toUpperCase(Locale.ROOT));
        }
    }

    private LoopbackCluster() {}

    /**
     * Joins, or begins, a cluster: {@code cluster} is its name, {@code host} and {@code port} are this node's, {@code members}
     * are all, as ports of loopback or as addresses, {@code manager} is the {@link Manager}, {@code keys}, if there are any,
     * a file of a key with which nodes prove to each other who they are, and which they trust, {@code trustAll} has them believe
     * everybody in spite of that, and {@code vertx} are options of Vert.x.
     */
    static Future<Vertx> join(JsonObject settings) {
        return Vertx.builder()
                .with(new VertxOptions(settings.getJsonObject("vertx", new JsonObject()))
                        .setEventBusOptions(bus(settings)))
                .withClusterManager(ManagerWatch.watched(
                        switch (Manager.named(settings.getString("manager"))) {
                            case HAZELCAST -> new HazelcastClusterManager(config(settings));
                            case INFINISPAN -> Infinispan.manager(settings);
                        }))
                .buildClustered();
    }

    private static EventBusOptions bus(JsonObject settings) {
        EventBusOptions bus = new EventBusOptions().setHost(host(settings));
        String keys = settings.getString("keys");
        if (keys != null) {
            PfxOptions known = new PfxOptions().setPath(keys).setPassword(PASSWORD);
            boolean trustAll = trustsAll(settings);
            bus.setSsl(true)
                    .setKeyCertOptions(known)
                    .setTrustOptions(known)
                    .setClientAuth(trustAll ? ClientAuth.NONE : ClientAuth.REQUIRED)
                    .setTrustAll(trustAll);
        }
        return bus;
    }

    /** Whether who has a key is not asked whose it is. */
    static boolean trustsAll(JsonObject settings) {
        return settings.getBoolean("trustAll", false);
    }

    static String host(JsonObject settings) {
        return settings.getString("host", LOOPBACK);
    }

    /** All nodes, as hosts with ports. */
    static List<String> members(JsonObject settings) {
        return settings.getJsonArray("members").stream()
                .map(member -> member instanceof Integer ? LOOPBACK + ":" + member : member.toString())
                .toList();
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
        members(settings).forEach(join.getTcpIpConfig()::addMember);
        config.addMultiMapConfig(
                new MultiMapConfig("__vertx.subs").setBackupCount(1).setValueCollectionType(ValueCollectionType.SET));
        return config;
    }
}
