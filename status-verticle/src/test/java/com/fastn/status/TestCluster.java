package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.MultiMapConfig;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.internal.VertxInternal;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;

/** Clustered Vertx in one virtual machine, over Hazelcast on loopback, on ports that were free a moment ago. */
final class TestCluster implements AutoCloseable {
    private final String name = "fastn-" + UUID.randomUUID();
    private final List<Integer> ports;
    private final String host;
    private final List<Vertx> nodes = new ArrayList<>();

    private final Function<Config, HazelcastClusterManager> managers;

    private TestCluster(List<Integer> ports, String host, Function<Config, HazelcastClusterManager> managers) {
        this.ports = ports;
        this.host = host;
        this.managers = managers;
    }

    static TestCluster of(int size) {
        return of(size, "127.0.0.1", HazelcastClusterManager::new);
    }

    /** A cluster whose managers are made by somebody else. */
    static TestCluster of(int size, Function<Config, HazelcastClusterManager> managers) {
        return of(size, "127.0.0.1", managers);
    }

    /** A cluster whose nodes cannot know that they are on loopback: the address is one, and does not look like it. */
    static TestCluster thatLooksOpen(int size) {
        return of(size, "::ffff:127.0.0.1", HazelcastClusterManager::new);
    }

    private static TestCluster of(int size, String host, Function<Config, HazelcastClusterManager> managers) {
        TestCluster cluster = new TestCluster(freePorts(size), host, managers);
        try {
            for (int i = 0; i < size; i++) {
                cluster.nodes.add(cluster.start(cluster.ports.get(i)));
            }
            // Who was there first is told of the last one while that begins to work.
            Waiting.await("each node knows all nodes")
                    .until(() -> cluster.nodes.stream().allMatch(node -> members(node) == size));
        } catch (Throwable t) {
            cluster.close();
            throw t;
        }
        return cluster;
    }

    /**
     * Waits until each of these nodes knows all of them. Their deployments are done when it does, or after two seconds, which is
     * too short for a busy machine.
     */
    void untilMet(int... withStatusVerticle) {
        for (int index : withStatusVerticle) {
            StatusClient client = StatusClient.create(node(index)).withTimeout(Duration.ofSeconds(60));
            Waiting.await("node " + index + " knows the others")
                    .until(() -> Waiting.result(client.status()).nodes().size() >= withStatusVerticle.length);
        }
    }

    private static int members(Vertx node) {
        return requireNonNull(((VertxInternal) node).clusterManager())
                .getNodes()
                .size();
    }

    Vertx node(int index) {
        return nodes.get(index);
    }

    private Vertx start(int port) {
        EventBusOptions bus = new EventBusOptions().setHost("127.0.0.1").setClusterPublicHost(host);
        return Waiting.result(Vertx.builder()
                .with(new VertxOptions().setEventBusOptions(bus))
                .withClusterManager(managers.apply(config(port)))
                .buildClustered());
    }

    private Config config(int port) {
        Config config = new Config();
        config.setClusterName(name);
        config.setProperty("hazelcast.phone.home.enabled", "false");
        config.setProperty("hazelcast.socket.bind.any", "false");
        config.setProperty("hazelcast.wait.seconds.before.join", "0");
        config.setProperty("hazelcast.logging.type", "slf4j");
        config.setProperty("hazelcast.shutdownhook.enabled", "false");
        config.getNetworkConfig().setPort(port).setPortAutoIncrement(false);
        config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface("127.0.0.1");
        JoinConfig join = config.getNetworkConfig().getJoin();
        join.getAutoDetectionConfig().setEnabled(false);
        join.getMulticastConfig().setEnabled(false);
        join.getTcpIpConfig().setEnabled(true).setConnectionTimeoutSeconds(1);
        ports.forEach(each -> join.getTcpIpConfig().addMember("127.0.0.1:" + each));
        config.getMetricsConfig().setEnabled(false);
        config.getJetConfig().setEnabled(false);
        config.addMultiMapConfig(new MultiMapConfig("__vertx.subs")
                .setBackupCount(1)
                .setValueCollectionType(MultiMapConfig.ValueCollectionType.SET));
        return config;
    }

    /** Below those that the system hands out: a connection of anybody may take one of these before a node gets there. */
    static List<Integer> freePorts(int count) {
        Set<Integer> free = new LinkedHashSet<>();
        while (free.size() < count) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                free.add(socket.getLocalPort());
            } catch (IOException e) {
                // Taken; the next one may be free.
            }
        }
        return List.copyOf(free);
    }

    @Override
    public void close() {
        Waiting.result(Future.join(nodes.stream().map(Vertx::close).toList()));
    }
}
