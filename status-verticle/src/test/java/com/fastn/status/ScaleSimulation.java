package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ManualTicker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.NodeDirectory.Answer;
import com.fastn.status.NodeDirectory.Peer;
import com.fastn.status.stream.Inbox;
import com.fastn.status.stream.Outbox;
import com.fastn.status.stream.StreamFrame;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Many nodes with many contexts each, as one of them follows all others: the streams, the judgement and the answer, without
 * sockets. {@code main} takes the numbers and prints what it costs.
 */
final class ScaleSimulation {
    private final List<Node> nodes = new ArrayList<>();
    private final NodeDirectory directory = new NodeDirectory(
            new NodeIdentity("self", "self-1"), 1, Duration.ofHours(1), new ManualTicker(Fixtures.NOW));
    private final int contexts;
    private long streamedBytes;

    ScaleSimulation(int count, int contexts) {
        this.contexts = contexts;
        for (int i = 0; i < count; i++) {
            Node node = new Node(new NodeIdentity("node-" + i, "incarnation-" + i));
            nodes.add(node);
            directory.heard(new Hello(node.identity, i, Hello.Kind.NEWCOMER, null));
        }
    }

    /** Each node tells its stream; in the first round the whole, in a later one what changed: one context in a hundred. */
    void round(long number) {
        for (Node node : nodes) {
            StatusSnapshot snapshot = node.snapshot(number);
            NodeStatus row = new NodeStatus(
                    node.identity, NodeState.UP, Duration.ZERO, null, NodeSummary.of(snapshot), snapshot);
            ClusterStatus status = new ClusterStatus(snapshot.timestamp(), node.identity.alias(), List.of(row));
            for (StreamFrame frame : node.outbox.tell(status)) {
                streamedBytes += frame.body().length;
                if (node.inbox.take(frame) == Inbox.Outcome.GAP) {
                    throw new AssertionError(node.inbox.reason());
                }
            }
            node.outbox.acknowledge(node.inbox.epoch(), node.inbox.sequence());
        }
    }

    ClusterStatus sum() {
        List<Answer> answers = new ArrayList<>();
        for (Node node : nodes) {
            StatusSnapshot snapshot =
                    requireNonNull(node.inbox.view()).nodes().get(0).snapshot();
            answers.add(new Answer(new Peer(node.identity, 1), true, true, null, snapshot));
        }
        return new ClusterStatus(Fixtures.NOW, "self", directory.judge(answers));
    }

    /** {@return the bytes of all frames since it was asked last} */
    long streamed() {
        long bytes = streamedBytes;
        streamedBytes = 0;
        return bytes;
    }

    /** What the nodes are is made for each round and not kept, apart from what an outbox keeps. */
    private final class Node {
        private final NodeIdentity identity;
        private final Inbox inbox = new Inbox();
        private final Outbox outbox = new Outbox();

        Node(NodeIdentity identity) {
            this.identity = identity;
        }

        StatusSnapshot snapshot(long number) {
            ContextStatus[] children = new ContextStatus[contexts - 1];
            for (int i = 0; i < children.length; i++) {
                boolean changes = i % 100 == 0;
                children[i] = Fixtures.context(
                        2 + i + (changes ? number * contexts : 0), ContextPath.of("global", "job"), List.of());
            }
            ContextStatus root = counted(Fixtures.context(1, "global", children));
            return Fixtures.snapshot(identity, number, root);
        }

        private ContextStatus counted(ContextStatus root) {
            return new ContextStatus(
                    root.id(),
                    root.name(),
                    root.label(),
                    root.path(),
                    root.kind(),
                    root.state(),
                    null,
                    root.trouble(),
                    root.duration(),
                    root.lastActivity(),
                    null,
                    false,
                    null,
                    root.operations(),
                    root.metrics(),
                    root.data(),
                    Map.of("orders", 7L),
                    Map.of(),
                    Map.of("orders", 7L),
                    Map.of(),
                    root.children(),
                    root.foldedChildren());
        }
    }

    /** Run with the number of nodes and the number of contexts of each. */
    public static void main(String[] arguments) {
        int nodes = Integer.parseInt(arguments[0]);
        int contexts = Integer.parseInt(arguments[1]);
        ScaleSimulation simulation = new ScaleSimulation(nodes, contexts);
        long before = usedBytes();
        measured("the whole from every node", () -> simulation.round(0));
        System.out.printf("  streamed: %,d bytes%n", simulation.streamed());
        for (int i = 1; i <= 3; i++) {
            int number = i;
            measured("one context in a hundred is another", () -> simulation.round(number));
            System.out.printf("  streamed: %,d bytes%n", simulation.streamed());
        }
        ClusterStatus[] status = new ClusterStatus[1];
        measured("judged and summed up", () -> status[0] = simulation.sum());
        System.out.printf("  heap of both ends: %,d bytes%n", usedBytes() - before);
        byte[][] answer = new byte[1][];
        measured("written as an answer", () -> answer[0] = Answers.json(status[0]));
        System.out.printf(
                "  answer: %,d bytes, %d rows%n",
                answer[0].length, status[0].nodes().size());
    }

    private static void measured(String what, Runnable work) {
        long began = System.nanoTime();
        work.run();
        System.out.printf("%s: %,d ms%n", what, (System.nanoTime() - began) / 1_000_000);
    }

    private static long usedBytes() {
        ManagementFactory.getMemoryMXBean().gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
