package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextRef;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.RootCause;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ExplanationsTest {
    private static final NodeIdentity NODE = new NodeIdentity("alice", "1-a");

    /** Of one of many that wait behind a root, the twenty names that an explanation has at most. */
    private static Explanation behind(int root, int stuck, String name) {
        return new Explanation(
                context(1_000 + stuck),
                List.of(),
                new RootCause(context(root), CauseKind.IDLE, "", Duration.ofSeconds(9), "is idle", List.of()),
                40,
                IntStream.range(0, 20).mapToObj(i -> name + i).toList());
    }

    private static ContextRef context(int id) {
        return new ContextRef(NODE, id, "global.c" + id, "C", "c" + id);
    }

    private static List<Integer> namesWritten(byte[] json) {
        JsonArray list = new JsonObject(Buffer.buffer(json)).getJsonArray("explanations");
        return list.stream()
                .map(each -> ((JsonObject) each).getJsonArray("first_freed").size())
                .toList();
    }

    @Test
    void ofEachRootTheNamesBehindItAreWrittenWithItsFirstExplanationAndAFewWithTheOthers() {
        List<Explanation> all = List.of(behind(1, 1, "x"), behind(1, 2, "x"), behind(2, 3, "y"), behind(1, 4, "x"));
        assertThat(namesWritten(Explanations.json(all))).containsExactly(20, 5, 20, 5);
    }

    @Test
    void S13_allThatIsWrittenOfManyRootsWithLongNamesIsLessThanAnAnswerMayHave() {
        List<Explanation> all = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            all.add(behind(i, i, "n".repeat(1_000)));
        }
        byte[] json = Explanations.json(all);
        assertThat(json.length).isLessThan(1 << 20);
        assertThat(namesWritten(json)).hasSize(100).startsWith(20, 20).endsWith(5);
    }

    @Test
    void D9_whatNodesOfBeforeSayOfThoseWhoAreStuckIsReadTooAndWhatIsNewerThanThisIsRefused() {
        JsonObject json = new JsonObject(Buffer.buffer(Explanations.json(List.of(behind(1, 1, "x")))))
                .put("answered_by", "alice")
                .put("complete", false);
        ClusterExplanations read = Explanations.read(json.copy());
        assertThat(read.explanations()).containsExactly(behind(1, 1, "x"));
        assertThat(read.count()).isEqualTo(1);
        assertThat(read.complete()).isFalse();
        assertThat(read.unanswered()).isEmpty();
        assertThatThrownBy(() -> Explanations.read(json.copy().put("min_schema", 2)))
                .hasMessageContaining("upgrade");
        assertThatThrownBy(() -> Explanations.read(json.copy().put("kind", "episodes")))
                .hasMessageContaining("upgrade");
    }

    @Test
    void D4_ofTwoNodesWithOneAliasTheOneThatSaidThatNothingIsThereIsNotUnansweredSinceTheOtherIs() {
        NodeStatus said = silent("1-a");
        NodeStatus saidNothing = silent("1-b");
        ClusterAnswer answer = new ClusterAnswer(
                new ClusterStatus(Fixtures.NOW, "bob", List.of(said, saidNothing)),
                List.of(new ClusterAnswer.Gap(saidNothing.node(), BadQueryException.UNKNOWN, saidNothing.reason())));
        assertThat(Explanations.read(Explanations.json(List.of(), answer)).unanswered())
                .containsExactly(saidNothing);
    }

    private static NodeStatus silent(String incarnation) {
        return new NodeStatus(
                new NodeIdentity("alice", incarnation), NodeState.CONFLICT, Duration.ZERO, "no answer", null, null);
    }

    @Test
    void S13_ofManyNodesThatDidNotAnswerTheFirstAreWritten() {
        List<NodeStatus> rows = IntStream.range(0, 900)
                .mapToObj(i -> new NodeStatus(
                        new NodeIdentity("node-" + i, "incarnation-" + i),
                        NodeState.DOWN,
                        Duration.ofSeconds(40),
                        "no answer within 1000 ms",
                        null,
                        null))
                .toList();
        ClusterAnswer answer = ClusterAnswer.of(new ClusterStatus(Fixtures.NOW, "alice", rows));
        ClusterExplanations read = Explanations.read(Explanations.json(List.of(), answer));
        assertThat(read.complete()).isFalse();
        assertThat(read.unanswered()).isEqualTo(rows.subList(0, 100));
        assertThat(Explanations.text(List.of(), answer, StatusQuery.all())).contains("+800 more");
        assertThat(answer.missing("x").sentence()).contains("+895 more").hasSizeLessThan(1_000);
    }
}
