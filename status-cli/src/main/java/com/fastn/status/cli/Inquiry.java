package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusFormatException;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusJson.ReadLimits;
import com.fastn.context.status.StatusSnapshot;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Gets the status that somebody asks for out of the nodes of this machine.
 *
 * <p>A node that its cluster cannot hear is asked directly when it lives here: its status port answers while every event loop of
 * its application is blocked, and then it is the one that matters.
 */
final class Inquiry {
    private static final ReadLimits LIMITS = ReadLimits.DEFAULT.withMaxLength(StatusPorts.LARGEST_ANSWER);

    private final List<LocalNode> nodes;
    private final StatusPorts ports;
    private final List<String> notes = new ArrayList<>();

    /**
     * Makes an inquiry.
     *
     * @param nodes the nodes of this machine
     * @param ports asks them
     */
    Inquiry(List<LocalNode> nodes, StatusPorts ports) {
        this.nodes = List.copyOf(nodes);
        this.ports = ports;
    }

    /** {@return sentences on nodes that should have answered and did not} */
    List<String> notes() {
        return List.copyOf(notes);
    }

    /**
     * Asks one node about itself.
     *
     * @param node whom
     * @return its status
     * @throws Trouble if it does not answer
     */
    Answer node(LocalNode node) {
        return new Answer.OfNode(snapshot(node));
    }

    /**
     * Asks for the whole cluster. Nodes of this machine that their neighbour's answer does not list belong to another cluster, and
     * are asked too.
     *
     * @return one answer for each cluster
     * @throws Trouble if no node answers
     */
    List<Answer> clusters() {
        List<Answer> answers = new ArrayList<>();
        List<Trouble> troubles = new ArrayList<>();
        Map<String, LocalNode> unheard = new TreeMap<>();
        nodes.forEach(node -> unheard.put(node.incarnation(), node));
        for (LocalNode node : nodes) {
            if (!unheard.containsKey(node.incarnation())) {
                continue;
            }
            try {
                ClusterStatus cluster = cluster(node, "scope=cluster");
                unheard.remove(node.incarnation());
                cluster.nodes().forEach(row -> unheard.remove(row.node().incarnation()));
                answers.add(new Answer.OfCluster(completed(cluster)));
            } catch (Trouble trouble) {
                troubles.add(trouble);
            }
        }
        if (answers.isEmpty()) {
            throw worst(troubles);
        }
        // A node that its cluster lists is shown there, with the reason for its silence.
        unheard.values().forEach(node -> notes.add(node.described() + " does not answer, and no other node lists it"));
        return answers;
    }

    /**
     * Asks for some nodes of a cluster.
     *
     * @param names aliases or beginnings of incarnations
     * @return their status
     * @throws Trouble if no node answers, or none knows all the names
     */
    Answer named(List<String> names) {
        String query = "nodes="
                + names.stream()
                        .map(name -> URLEncoder.encode(name, StandardCharsets.UTF_8))
                        .collect(Collectors.joining(","));
        List<Trouble> troubles = new ArrayList<>();
        // One that is meant itself is of the right cluster.
        List<LocalNode> best = nodes.stream()
                .sorted(Comparator.comparing(node -> names.stream().noneMatch(node::isNamed)))
                .toList();
        for (LocalNode node : best) {
            try {
                return new Answer.OfCluster(completed(cluster(node, query)));
            } catch (Trouble trouble) {
                troubles.add(trouble);
            }
        }
        throw worst(troubles);
    }

    /** A node that says that it knows no such name tells more than one that says nothing. */
    private static Trouble worst(List<Trouble> troubles) {
        return troubles.stream()
                .min(Comparator.comparing(trouble -> !(trouble instanceof NotFound)))
                .orElseThrow();
    }

    private ClusterStatus completed(ClusterStatus cluster) {
        Map<String, LocalNode> here = nodes.stream()
                .collect(Collectors.toMap(LocalNode::incarnation, Function.identity(), (first, second) -> first));
        List<NodeStatus> silent = cluster.nodes().stream()
                .filter(row ->
                        row.snapshot() == null && here.containsKey(row.node().incarnation()))
                .toList();
        if (silent.isEmpty()) {
            return cluster;
        }
        Map<String, StatusSnapshot> direct = askDirectly(
                silent.stream().map(row -> here.get(row.node().incarnation())).toList());
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
    private Map<String, StatusSnapshot> askDirectly(List<LocalNode> silent) {
        ExecutorService threads = Executors.newFixedThreadPool(Math.min(silent.size(), 16), task -> {
            Thread thread = new Thread(task, "fastn-ask");
            thread.setDaemon(true);
            return thread;
        });
        try {
            Map<String, StatusSnapshot> answers = new TreeMap<>();
            List<CompletableFuture<@Nullable StatusSnapshot>> asked = silent.stream()
                    .map(node -> CompletableFuture.supplyAsync(() -> orNothing(node), threads))
                    .toList();
            for (CompletableFuture<@Nullable StatusSnapshot> answer : asked) {
                StatusSnapshot snapshot = answer.join();
                if (snapshot != null) {
                    answers.put(snapshot.node().incarnation(), snapshot);
                }
            }
            return answers;
        } finally {
            threads.shutdown();
        }
    }

    private @Nullable StatusSnapshot orNothing(LocalNode node) {
        try {
            return snapshot(node);
        } catch (Trouble trouble) {
            return null;
        }
    }

    private StatusSnapshot snapshot(LocalNode node) {
        byte[] body = ports.ask(node, "format=json");
        return understood(node, () -> StatusJson.readSnapshot(body, LIMITS));
    }

    private ClusterStatus cluster(LocalNode node, String query) {
        byte[] body = ports.ask(node, query + "&format=json");
        return understood(node, () -> StatusJson.readCluster(body, LIMITS));
    }

    private static <T> T understood(LocalNode node, java.util.function.Supplier<T> reading) {
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
