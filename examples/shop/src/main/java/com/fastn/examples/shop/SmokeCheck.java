package com.fastn.examples.shop;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusFormatException;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Asks each node of a running shop for the cluster's status, until it shows what goes on there or the time is up.
 *
 * <p>{@code SmokeCheck /run/user/1000/fastn 45 http://127.0.0.1:41234/orders}: the folder with the descriptors of the three
 * nodes, how many seconds the shop has for something to go wrong in it and each node to tell it, and where it takes orders. Then
 * one of those that are stuck is given up, if need be after the next audit has begun. The process ends with 0 if all three nodes
 * told the whole story, and nothing was left of that order.
 */
public final class SmokeCheck {
    private static final Duration PAUSE = Duration.ofMillis(200);
    /** After which a question is asked again. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    /** Of what is asked once: a machine that is busy is no reason to give up. */
    private static final Duration LONG_PATIENCE = Duration.ofSeconds(60);
    /** More than one audit and the peace after it, so that another audit begins meanwhile. */
    private static final Duration AUDIT_AND_PEACE = Duration.ofSeconds(40);

    private static final Set<String> NODES = Set.of("alice", "bob", "carol");

    private static final List<Expectation> STORY = List.of(
            new Expectation("alice, bob and carol are up", SmokeCheck::allAreUp),
            new Expectation("orders are counted on alice", cluster -> counted(cluster, "alice", "orders") > 0),
            new Expectation("a message on bob names its caller on alice", SmokeCheck::namesItsCaller),
            new Expectation("bob's audit holds the lock \"stock\", and somebody waits for it", SmokeCheck::stockIsHeld),
            new Expectation("a warning says that this takes too long", SmokeCheck::isWarnedOf));

    private final HttpClient http = HttpClient.newHttpClient();
    private final Duration patience;

    private SmokeCheck(Duration patience) {
        this.patience = patience;
    }

    /**
     * Checks a shop.
     *
     * @param arguments the folder with the descriptors, the seconds that the shop has, and where it takes orders
     * @throws Exception if the folder cannot be read, or this is interrupted
     */
    public static void main(String[] arguments) throws Exception {
        Map<String, URI> ports = statusPorts(Path.of(arguments[0]));
        if (!ports.keySet().equals(NODES)) {
            System.err.println("there are descriptors of " + ports.keySet() + ", and not of " + NODES);
            System.exit(1);
        }
        STORY.forEach(expectation -> System.out.println("  - " + expectation.sentence()));
        SmokeCheck check = new SmokeCheck(Duration.ofSeconds(Long.parseLong(arguments[1])));
        for (Map.Entry<String, URI> port : ports.entrySet()) {
            if (!check.tellsTheStory(port.getKey(), port.getValue())) {
                System.exit(1);
            }
        }
        if (!check.givesUpAnOrder(ports.get("alice"), arguments[2])) {
            System.exit(1);
        }
        System.exit(0);
    }

    /** {@return where the status ports of the nodes listen, by alias} */
    private static Map<String, URI> statusPorts(Path folder) throws IOException {
        Map<String, URI> ports = new TreeMap<>();
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(folder, "*.json")) {
            for (Path descriptor : descriptors) {
                JsonObject node = new JsonObject(Files.readString(descriptor));
                ports.put(node.getString("alias"), URI.create(node.getString("url")));
            }
        }
        return ports;
    }

    private boolean tellsTheStory(String node, URI port) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            String answer = "nothing";
            List<String> missing;
            try {
                ClusterStatus cluster = ask(port);
                answer = cluster.toString();
                missing = STORY.stream()
                        .filter(expectation -> !expectation.holds().test(cluster))
                        .map(Expectation::sentence)
                        .toList();
            } catch (IOException | StatusFormatException e) {
                missing = List.of("the answer can be read: " + e);
            }
            if (missing.isEmpty()) {
                System.out.println("  ok: " + node + " tells all of it");
                return true;
            }
            if (System.nanoTime() - deadline > 0) {
                System.err.println("the last answer of " + node + " was\n" + answer + "\nand it does not show that");
                missing.forEach(sentence -> System.err.println("  " + sentence));
                return false;
            }
            Thread.sleep(PAUSE.toMillis());
        }
    }

    /** {@return whether an order that waits behind the audit was given up, and all that was done for it has stopped} */
    private boolean givesUpAnOrder(URI alice, String orders) throws IOException, InterruptedException {
        // What was asked before may have used up the audit, and then nobody waits until the next one.
        long until = System.nanoTime() + AUDIT_AND_PEACE.toNanos();
        while (true) {
            for (String order : stuckOrders(alice)) {
                HttpResponse<String> answer = http.send(
                        HttpRequest.newBuilder(URI.create(orders + "/" + order))
                                .DELETE()
                                .timeout(LONG_PATIENCE)
                                .build(),
                        BodyHandlers.ofString());
                // It may have been fulfilled just now; then there is another one.
                if (answer.statusCode() == 200) {
                    String report = new JsonObject(answer.body()).getString("report");
                    System.out.println("  " + order + " waited behind the audit, and was given up: " + report);
                    return report.equals("all stopped");
                }
            }
            if (System.nanoTime() - until > 0) {
                System.err.println("no order waits behind the audit, so none could be given up");
                return false;
            }
            Thread.sleep(PAUSE.toMillis());
        }
    }

    /** {@return the orders that wait for the stock; none where alice is late for an answer, which is asked again then} */
    private List<String> stuckOrders(URI alice) throws InterruptedException {
        ClusterStatus cluster;
        try {
            cluster = ask(alice);
        } catch (IOException | StatusFormatException e) {
            return List.of();
        }
        return contexts(cluster, "alice").stream()
                .filter(context -> context.operations().stream()
                        .anyMatch(operation -> operation.name().equals("reserve stock")))
                .map(context -> String.valueOf(context.data().get("order")))
                .toList();
    }

    private ClusterStatus ask(URI port) throws IOException, InterruptedException {
        HttpRequest question = HttpRequest.newBuilder(port.resolve("/status?scope=cluster&format=json"))
                .timeout(PATIENCE)
                .build();
        HttpResponse<byte[]> answer = http.send(question, BodyHandlers.ofByteArray());
        if (answer.statusCode() != 200) {
            throw new IOException("HTTP status " + answer.statusCode());
        }
        return StatusJson.readCluster(answer.body());
    }

    private static boolean allAreUp(ClusterStatus cluster) {
        Set<String> up = cluster.nodes().stream()
                .filter(node -> node.state() == NodeState.UP && node.snapshot() != null)
                .map(node -> node.node().alias())
                .collect(Collectors.toSet());
        return up.equals(NODES) && cluster.nodes().size() == NODES.size();
    }

    private static long counted(ClusterStatus cluster, String node, String counter) {
        return contexts(cluster, node).stream()
                .mapToLong(context -> context.totalCounters().getOrDefault(counter, 0L))
                .sum();
    }

    private static boolean namesItsCaller(ClusterStatus cluster) {
        return contexts(cluster, "bob").stream()
                .anyMatch(context ->
                        context.caller() != null && context.caller().node().equals("alice"));
    }

    private static boolean stockIsHeld(ClusterStatus cluster) {
        return snapshots(cluster, "bob").stream()
                .flatMap(bob -> bob.activeLocks().stream())
                .anyMatch(lock ->
                        lock.name().equals("stock") && lock.holderPath().leaf().equals("audit") && lock.waiters() > 0);
    }

    private static boolean isWarnedOf(ClusterStatus cluster) {
        return snapshots(cluster, "bob").stream()
                .flatMap(bob -> bob.warnings().stream())
                .anyMatch(warning ->
                        warning.id().equals("lock-long-held") || warning.id().equals("waiter-stuck"));
    }

    private static List<StatusSnapshot> snapshots(ClusterStatus cluster, String node) {
        return cluster.nodes().stream()
                .filter(row -> row.node().alias().equals(node) && row.snapshot() != null)
                .map(NodeStatus::snapshot)
                .toList();
    }

    /** {@return all contexts of a node, in no order} */
    private static List<ContextStatus> contexts(ClusterStatus cluster, String node) {
        List<ContextStatus> contexts = new ArrayList<>();
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        snapshots(cluster, node).forEach(snapshot -> open.push(snapshot.globalContext()));
        while (!open.isEmpty()) {
            ContextStatus context = open.pop();
            contexts.add(context);
            context.children().forEach(open::push);
        }
        return contexts;
    }

    /**
     * Something that the status should show.
     *
     * @param sentence what
     * @param holds whether it does
     */
    private record Expectation(String sentence, Predicate<ClusterStatus> holds) {}
}
