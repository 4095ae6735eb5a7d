package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AnswersTest {
    private static final NodeIdentity ALICE = new NodeIdentity("alice", "i-1");

    @Test
    void D7_aStatusOfNobodyIsNotComplete() {
        assertThat(new ClusterStatus(Fixtures.NOW, "alice", List.of()).isComplete())
                .isFalse();
    }

    @Test
    void M10_aLargeTreeIsFoldedUntilItFitsAndItsPartsAddUp() {
        StatusSnapshot large = large(ALICE, 20_000);

        byte[] json = Answers.json(large);
        byte[] wire = Answers.wire(large);

        assertThat(json).hasSizeLessThanOrEqualTo(1 << 20);
        assertThat(wire).hasSizeLessThanOrEqualTo(256 << 10);
        for (byte[] answer : List.of(json, wire)) {
            ContextStatus root = StatusJson.readSnapshot(answer).globalContext();
            assertThat(root.children()).as("it does not fold more than it must").hasSizeGreaterThan(100);
            assertThat(root.children().size() + root.foldedChildren().count()).isEqualTo(20_000);
        }
    }

    @Test
    void M10_aLargeClusterIsFoldedEvenlyUntilItFits() {
        List<NodeStatus> nodes = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            NodeIdentity node = new NodeIdentity("node" + i, "i-" + i);
            nodes.add(new NodeStatus(node, NodeState.UP, Duration.ZERO, null, null, large(node, 5_000)));
        }

        byte[] json = Answers.json(new ClusterStatus(Fixtures.NOW, "node0", nodes));

        assertThat(json).hasSizeLessThanOrEqualTo(1 << 20);
        assertThat(StatusJson.readCluster(json).nodes()).hasSize(10).allSatisfy(node -> {
            StatusSnapshot snapshot = requireNonNull(node.snapshot());
            assertThat(snapshot.globalContext().children()).isNotEmpty();
        });
    }

    @Test
    void M10_ofSoManyNodesThatTheirRootsDoNotFitTheRowsAreToldAndBeyondThatTheAnswerIsRefused() {
        for (int nodes : new int[] {3_000, 40_000}) {
            List<NodeStatus> rows = new ArrayList<>();
            for (int i = 0; i < nodes; i++) {
                NodeIdentity node = new NodeIdentity("node" + i, "i-" + i);
                StatusSnapshot snapshot = Fixtures.snapshot(node, 1, Fixtures.context(1, "global"));
                rows.add(new NodeStatus(node, NodeState.UP, Duration.ZERO, null, null, snapshot));
            }
            ClusterStatus status = new ClusterStatus(Fixtures.NOW, "node0", rows);
            if (nodes == 3_000) {
                byte[] json = Answers.json(status);
                assertThat(json).hasSizeLessThanOrEqualTo(1 << 20);
                assertThat(StatusJson.readCluster(json).nodes()).hasSize(nodes).allSatisfy(row -> {
                    assertThat(row.reason()).contains("so many nodes");
                    assertThat(requireNonNull(row.summary()).contexts()).isEqualTo(1);
                });
            } else {
                assertThatThrownBy(() -> Answers.json(status))
                        .isInstanceOfSatisfying(
                                BadQueryException.class,
                                e -> assertThat(e.code()).isEqualTo(413))
                        .hasMessageContaining("ask for some of the nodes");
            }
        }
    }

    @Test
    void M10_whatIsPublishedToEverybodyIsNoLargerThanWhatOneNodeTellsAnother() {
        List<NodeStatus> nodes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            NodeIdentity node = new NodeIdentity("node" + i, "i-" + i);
            nodes.add(new NodeStatus(node, NodeState.UP, Duration.ZERO, null, null, large(node, i * 2_000)));
        }
        byte[] json = Answers.published(new ClusterStatus(Fixtures.NOW, "node0", nodes));
        assertThat(json).hasSizeBetween(100 << 10, 256 << 10);
        assertThat(StatusJson.readCluster(json).isComplete()).isTrue();
    }

    @Test
    void M10_rowsThatArePublishedAreToldWithoutWhatDoesNotFitOrNotAtAll() {
        for (int reason : List.of(100, 400, 1_200)) {
            byte[] json = Answers.published(silent(36, "x".repeat(reason)));
            assertThat(json).hasSizeBetween(100 << 10, 256 << 10);
            ClusterStatus read = StatusJson.readCluster(json);
            assertThat(read.nodes()).hasSize(1_000);
            assertThat(read.nodes().get(0).reason() == null).isEqualTo(reason >= 400);
        }
        assertThatThrownBy(() -> Answers.published(silent(256, "silent")))
                .isInstanceOf(BadQueryException.class)
                .hasMessageContaining("262144 is the limit");
    }

    private static ClusterStatus silent(int alias, String reason) {
        List<NodeStatus> nodes = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            NodeIdentity node = new NodeIdentity("n".repeat(alias - 4) + (1_000 + i), "01a210f0a144-" + i);
            nodes.add(new NodeStatus(
                    node, NodeState.STALE, Duration.ofSeconds(4), reason, new NodeSummary(700, 1, 1, 1), null));
        }
        return new ClusterStatus(Fixtures.NOW, "node", nodes);
    }

    @Test
    void M10_aDrawingFitsToo() {
        StringBuilder name = new StringBuilder();
        name.append("\u732b".repeat(200));
        ContextStatus[] children = new ContextStatus[8_000];
        for (int i = 0; i < children.length; i++) {
            children[i] = Fixtures.context(i + 2, ContextPath.of("global", name.toString() + i), List.of());
        }
        StatusSnapshot wide = Fixtures.snapshot(ALICE, 1, Fixtures.context(1, "global", children));
        String drawn = Answers.text(wide, StatusQuery.of(Map.of("format", "text", "lines", 0)));
        assertThat(drawn.getBytes(StandardCharsets.UTF_8)).hasSizeBetween(200_000, 1 << 20);
        String usual = Answers.text(wide, StatusQuery.of(Map.of("format", "text")));
        assertThat(usual.lines().filter(line -> line.contains("\u732b"))).hasSizeBetween(50, 60);
        assertThat(usual).contains("+7,94");
        assertThat(wide.toString().lines().filter(line -> line.contains("\u732b")))
                .hasSizeBetween(50, 60);
    }

    @Test
    void M10_longListsOfWaitersFitToo() {
        List<LockWaiter> waiters = new ArrayList<>();
        for (int i = 0; i < 50_000; i++) {
            waiters.add(Fixtures.waiter(9, i, "global.shop.request"));
        }
        StatusSnapshot crowded =
                Fixtures.snapshot(ALICE, 1, Fixtures.context(1, "global"), List.of(), waiters, List.of());

        assertThat(Answers.wire(crowded)).hasSizeLessThanOrEqualTo(256 << 10);
        assertThat(StatusJson.readSnapshot(Answers.wire(crowded)).lockWaiters()).hasSizeGreaterThan(50);
    }

    @Test
    void S13_theDeepestTreeThatIsSentCanBeRead() {
        ContextPath path = ContextPath.of("global");
        List<ContextPath> paths = new ArrayList<>(List.of(path));
        for (int i = 1; i < 200; i++) {
            path = path.child("level" + i);
            paths.add(path);
        }
        ContextStatus tree = Fixtures.context(200, paths.get(199), List.of());
        for (int i = 198; i >= 0; i--) {
            tree = Fixtures.context(i + 1, paths.get(i), List.of(), tree);
        }
        StatusSnapshot deep = Fixtures.snapshot(ALICE, 1, tree);
        NodeStatus node = new NodeStatus(ALICE, NodeState.UP, Duration.ZERO, null, null, deep);

        assertThat(StatusJson.readSnapshot(Answers.json(deep)).node()).isEqualTo(ALICE);
        ClusterStatus cluster =
                StatusJson.readCluster(Answers.json(new ClusterStatus(Fixtures.NOW, "alice", List.of(node))));
        ContextStatus each = requireNonNull(cluster.nodes().get(0).snapshot()).globalContext();
        int levels = 1;
        while (!each.children().isEmpty()) {
            each = each.children().get(0);
            levels++;
        }
        assertThat(levels).isEqualTo(SnapshotView.DEEPEST);
        assertThat(each.foldedChildren().count()).isEqualTo(1);
    }

    private static StatusSnapshot large(NodeIdentity node, int contexts) {
        ContextStatus[] children = new ContextStatus[contexts];
        for (int i = 0; i < contexts; i++) {
            children[i] = Fixtures.context(i + 2, "global.request" + i);
        }
        return Fixtures.snapshot(node, 1, Fixtures.context(1, "global", children));
    }
}
