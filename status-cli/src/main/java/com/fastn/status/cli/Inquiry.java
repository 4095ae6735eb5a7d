package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusFormatException;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusJson.ReadLimits;
import com.fastn.context.status.StatusSnapshot;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Gets the status that somebody asks for.
 *
 * <p>A node that its cluster cannot hear is asked directly when it lives here: its status port answers while every event loop of
 * its application is blocked, and then it is the one that matters.
 */
final class Inquiry {
    /** What is accepted of a node. */
    static final ReadLimits LIMITS = ReadLimits.DEFAULT.withMaxLength(StatusPorts.LARGEST_ANSWER);

    private static final int MOST_AT_ONCE = 16;

    private final List<LocalNode> local;
    private final StatusPorts ports;
    private final String view;
    private final Supplier<Instant> clock;
    private final List<String> notes = new ArrayList<>();

    /**
     * Makes an inquiry.
     *
     * @param local the nodes of this machine
     * @param ports asks them
     * @param view which part is wanted, as a query that is empty or ends with an ampersand
     * @param clock tells the time, for answers that are put together here
     */
    Inquiry(List<LocalNode> local, StatusPorts ports, String view, Supplier<Instant> clock) {
        this.local = List.copyOf(local);
        this.ports = ports;
        this.view = view;
        this.clock = clock;
    }

    /** {@return sentences on nodes that should have answered and did not} */
    List<String> notes() {
        return List.copyOf(notes);
    }

    /**
     * Asks for whoever is meant. Where several nodes are asked, one that is silent is a row.
     *
     * @param meant who
     * @return one answer, or one for each cluster
     * @throws Trouble if nobody answers, or nobody knows the names
     */
    List<Answer> about(List<Meant> meant) {
        if (meant.size() == 1) {
            Meant only = meant.get(0);
            if (only instanceof Meant.Node node) {
                return List.of(node(node.endpoint()));
            }
            if (only instanceof Meant.Through through) {
                return List.of(named(through));
            }
            return clusters(((Meant.Clusters) only).ways());
        }
        List<Trouble> troubles = new ArrayList<>();
        List<NodeStatus> rows = new ArrayList<>();
        Map<Meant, Object> answers = atOnce(meant, this::answerOrTrouble);
        for (Meant each : meant) {
            Object came = answers.get(each);
            if (came instanceof NotFound unknown) {
                throw unknown;
            }
            if (came instanceof Answer answer) {
                rows.addAll(answer.rows());
            } else if (came instanceof Trouble trouble) {
                troubles.add(trouble);
                rows.addAll(silent(each, trouble));
            }
        }
        if (troubles.size() == meant.size()) {
            throw troubles.get(0);
        }
        return List.of(new Answer.OfCluster(new ClusterStatus(clock.get(), "fastn", rows)));
    }

    private Object answerOrTrouble(Meant meant) {
        try {
            return meant instanceof Meant.Node node ? node(node.endpoint()) : named((Meant.Through) meant);
        } catch (Trouble trouble) {
            return trouble;
        }
    }

    /** {@return rows in the place of nodes that are not heard} */
    static List<NodeStatus> silent(Meant meant, Trouble trouble) {
        List<String> names =
                meant instanceof Meant.Node node ? List.of(node.endpoint().alias()) : ((Meant.Through) meant).names();
        return names.stream()
                .map(name -> new NodeStatus(
                        new NodeIdentity(name, "unknown"), NodeState.DOWN, Duration.ZERO, trouble.why(), null, null))
                .toList();
    }

    private Answer node(Endpoint node) {
        return new Answer.OfNode(snapshot(node));
    }

    /** Nodes that their neighbour's answer does not list belong to another cluster, and are asked too. */
    private List<Answer> clusters(List<Endpoint> nodes) {
        List<Answer> answers = new ArrayList<>();
        List<Trouble> troubles = new ArrayList<>();
        Map<String, Endpoint> unheard = new TreeMap<>();
        nodes.forEach(node -> unheard.put(key(node), node));
        Map<Endpoint, Object> ahead = Map.of();
        for (Endpoint node : nodes) {
            if (!unheard.containsKey(key(node))) {
                continue;
            }
            Object came = ahead.containsKey(node) ? ahead.get(node) : clusterOrTrouble(node);
            if (came instanceof ClusterStatus cluster) {
                unheard.remove(key(node));
                cluster.nodes().forEach(row -> unheard.remove(row.node().incarnation()));
                answers.add(new Answer.OfCluster(completed(cluster)));
            } else if (came instanceof Trouble trouble) {
                troubles.add(trouble);
                List<Endpoint> rest = nodes.subList(nodes.indexOf(node) + 1, nodes.size()).stream()
                        .filter(next -> unheard.containsKey(key(next)))
                        .toList();
                // Where one is hung there are often more, and each of them would cost a timeout.
                ahead = ahead.isEmpty() && !rest.isEmpty() ? atOnce(rest, this::clusterOrTrouble) : ahead;
            }
        }
        if (answers.isEmpty()) {
            throw worst(troubles);
        }
        // A node that its cluster lists is shown there, with the reason for its silence.
        unheard.values().forEach(node -> notes.add(node.described() + " does not answer, and no other node lists it"));
        return answers;
    }

    private Object clusterOrTrouble(Endpoint node) {
        try {
            return cluster(node, "scope=cluster");
        } catch (Trouble trouble) {
            return trouble;
        }
    }

    private static String key(Endpoint node) {
        return node instanceof LocalNode here ? here.incarnation() : node.described();
    }

    private Answer named(Meant.Through through) {
        List<Trouble> troubles = new ArrayList<>();
        for (Endpoint node : through.ways()) {
            try {
                return new Answer.OfCluster(completed(cluster(node, nodesQuery(through.names()))));
            } catch (Trouble trouble) {
                troubles.add(trouble);
            }
        }
        throw worst(troubles);
    }

    /** {@return the part of a query that asks for some nodes} */
    static String nodesQuery(List<String> names) {
        return "nodes="
                + names.stream()
                        .map(name -> URLEncoder.encode(name, StandardCharsets.UTF_8))
                        .collect(Collectors.joining(","));
    }

    /** A node that says that it knows no such name, or not what is asked, tells more than one that says nothing. */
    private static Trouble worst(List<Trouble> troubles) {
        return troubles.stream()
                .min(Comparator.comparing((Trouble trouble) -> !(trouble instanceof NotFound))
                        .thenComparing(trouble -> !(trouble instanceof NotUnderstood)))
                .orElseThrow();
    }

    /** {@return the same, with what nodes of this machine say themselves that their cluster does not hear} */
    ClusterStatus completed(ClusterStatus cluster) {
        Map<String, LocalNode> here = local.stream()
                .collect(Collectors.toMap(LocalNode::incarnation, Function.identity(), (first, second) -> first));
        List<LocalNode> silent = cluster.nodes().stream()
                .filter(row -> row.snapshot() == null)
                .map(row -> here.get(row.node().incarnation()))
                .filter(java.util.Objects::nonNull)
                .toList();
        if (silent.isEmpty()) {
            return cluster;
        }
        Map<String, StatusSnapshot> direct = new HashMap<>();
        atOnce(silent, this::answerOrNothing).values().forEach(came -> {
            if (came instanceof StatusSnapshot snapshot) {
                direct.put(snapshot.node().incarnation(), snapshot);
            }
        });
        List<NodeStatus> rows = cluster.nodes().stream()
                .map(row -> withDirect(row, direct.get(row.node().incarnation())))
                .toList();
        return new ClusterStatus(cluster.timestamp(), cluster.answeredBy(), rows);
    }

    private static NodeStatus withDirect(NodeStatus row, @Nullable StatusSnapshot direct) {
        if (row.snapshot() != null || direct == null) {
            return row;
        }
        String reason = (row.reason() == null ? "did not answer over the event bus" : row.reason())
                + "; its status port on this machine did";
        return new NodeStatus(row.node(), row.state(), row.age(), reason, row.summary(), direct);
    }

    /** At once, so that several hung processes cost one timeout and not one each. */
    static <T> Map<T, Object> atOnce(List<T> whom, Function<T, Object> ask) {
        if (whom.isEmpty()) {
            return Map.of();
        }
        ExecutorService threads = Executors.newFixedThreadPool(Math.min(whom.size(), MOST_AT_ONCE), task -> {
            Thread thread = new Thread(task, "fastn-ask");
            thread.setDaemon(true);
            return thread;
        });
        try {
            Map<T, CompletableFuture<Object>> asked = new LinkedHashMap<>();
            whom.forEach(each ->
                    asked.computeIfAbsent(each, one -> CompletableFuture.supplyAsync(() -> ask.apply(one), threads)));
            Map<T, Object> answers = new LinkedHashMap<>();
            asked.forEach((each, answer) -> answers.put(each, answer.join()));
            return answers;
        } finally {
            threads.shutdown();
        }
    }

    private Object answerOrNothing(LocalNode node) {
        try {
            return snapshot(node);
        } catch (Trouble trouble) {
            return trouble;
        }
    }

    private StatusSnapshot snapshot(Endpoint node) {
        byte[] body = ports.ask(node, "/status?" + view + "format=json");
        return understood(node, () -> StatusJson.readSnapshot(body, LIMITS));
    }

    private ClusterStatus cluster(Endpoint node, String query) {
        byte[] body = ports.ask(node, "/status?" + query + "&" + view + "format=json");
        return understood(node, () -> StatusJson.readCluster(body, LIMITS));
    }

    /** {@return what one line of a stream says} @throws Trouble if it is not understood */
    static Answer read(Endpoint node, String line) {
        return understood(node, () -> answer(line, LIMITS));
    }

    /** {@return what a document says} @throws StatusFormatException if it is not understood */
    static Answer answer(String json, ReadLimits limits) {
        // What a document is stands at its beginning, written by the same writer as everything else in it.
        return json.startsWith("{\"kind\":\"cluster_status\"")
                ? new Answer.OfCluster(StatusJson.readCluster(json, limits))
                : new Answer.OfNode(StatusJson.readSnapshot(json, limits));
    }

    private static <T> T understood(Endpoint node, Supplier<T> reading) {
        try {
            return reading.get();
        } catch (StatusFormatException e) {
            throw new Trouble(
                    ExitCode.ERROR,
                    "the answer of node \"" + Printable.line(node.alias()) + "\" is not understood",
                    Printable.line(e.what() + ": " + e.why()),
                    Printable.line(e.next()));
        }
    }
}
