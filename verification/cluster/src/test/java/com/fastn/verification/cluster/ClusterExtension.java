package com.fastn.verification.cluster;

import static java.util.Objects.requireNonNull;
import static org.awaitility.Awaitility.await;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A cluster of JVMs around each test, or, in a static field, around all tests of a class. Whatever happens, its JVMs are killed
 * in the end; when a test fails, what they said is shown.
 */
final class ClusterExtension implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
    static final String STRANGER = "dave";

    private static final String STATUS = "fastn.status";
    private static final long TIMEOUT = 5_000;
    /** Members of the cluster manager that start at once may begin two clusters, which find together some seconds later. */
    private static final Duration MEETING = Duration.ofMinutes(2);

    private final Class<?> main;
    private final List<String> aliases;
    private final Map<String, Jvm> nodes = new LinkedHashMap<>();
    private final Map<String, Integer> ports = new LinkedHashMap<>();
    private JsonObject settings = new JsonObject();
    private boolean shared;

    ClusterExtension(String... aliases) {
        this(ShopNode.class, aliases);
    }

    /** Of nodes that {@code main} is the program of. */
    ClusterExtension(Class<?> main, String... aliases) {
        this.main = main;
        this.aliases = List.of(aliases);
    }

    Jvm node(String alias) {
        return requireNonNull(nodes.get(alias), alias);
    }

    /** Starts a node again that was killed, under the same alias. */
    Jvm restart(String alias) {
        node(alias).kill();
        Jvm again = start(alias);
        again.facts();
        return again;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        shared = true;
        startAll();
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        if (!shared) {
            startAll();
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (context.getExecutionException().isPresent()) {
            showOutput();
        }
        if (!shared) {
            killAll();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        killAll();
    }

    private void startAll() {
        Set<Integer> free = freePorts(aliases.size());
        List<Integer> each = List.copyOf(free);
        for (int i = 0; i < aliases.size(); i++) {
            ports.put(aliases.get(i), each.get(i));
        }
        settings = new JsonObject().put("cluster", "fastn-" + UUID.randomUUID()).put("members", new JsonArray(each));
        try {
            aliases.forEach(this::start);
            nodes.values().forEach(Jvm::facts);
            awaitMeeting();
        } catch (AssertionError | ConditionTimeoutException e) {
            showOutput();
            killAll();
            throw e;
        }
    }

    /** That a node is there says nothing about whom it has heard of. */
    private void awaitMeeting() {
        Map<String, String> allUp = new LinkedHashMap<>();
        aliases.stream().filter(alias -> !alias.equals(STRANGER)).forEach(alias -> allUp.put(alias, "up"));
        nodes.forEach((alias, node) -> await(alias + " knows the others")
                .atMost(MEETING)
                .until(() -> {
                    JsonObject answer =
                            node.asking(STATUS, null, TIMEOUT).join().getJsonObject("body");
                    return answer != null && Answers.states(answer).equals(allUp);
                }));
    }

    private Jvm start(String alias) {
        boolean stranger = alias.equals(STRANGER);
        Jvm node = Jvm.start(
                alias,
                stranger ? StrangerNode.class : main,
                stranger ? classPathWithoutTheLibrary() : System.getProperty("java.class.path"),
                settings.copy().put("port", ports.get(alias)));
        nodes.put(alias, node);
        return node;
    }

    private void killAll() {
        nodes.values().forEach(Jvm::kill);
        nodes.clear();
    }

    /** To the standard output, which goes where the reports of the tests are. */
    private void showOutput() {
        nodes.values().forEach(node -> System.out.println(node.output()));
    }

    /**
     * Ports below those that the system hands out by itself, because it may hand out a free one to anybody, one of the children
     * included, before the child that it is meant for gets there.
     */
    static Set<Integer> freePorts(int count) {
        Set<Integer> free = new TreeSet<>();
        while (free.size() < count) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                free.add(socket.getLocalPort());
            } catch (IOException e) {
                // Taken; the next one may be free.
            }
        }
        return free;
    }

    /** The class path of the tests without any place that has a class of ours, except that of the tests themselves. */
    private static String classPathWithoutTheLibrary() {
        Path tests = Path.of(StrangerNode.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath());
        List<String> kept = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path place = Path.of(entry);
            if (place.equals(tests) || !hasOurs(place)) {
                kept.add(entry);
            }
        }
        return kept.stream().collect(Collectors.joining(File.pathSeparator));
    }

    private static boolean hasOurs(Path place) {
        if (!Files.isRegularFile(place)) {
            return Files.isDirectory(place.resolve("com/fastn"));
        }
        try (JarFile jar = new JarFile(place.toFile())) {
            return jar.stream().anyMatch(entry -> entry.getName().startsWith("com/fastn/"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
