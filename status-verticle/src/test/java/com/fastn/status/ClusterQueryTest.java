package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ManualTicker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What becomes of answers that are more than there is room for. */
class ClusterQueryTest {
    private static final BusQuestion WHOLE = BusQuestion.of(StatusQuery.all());

    private final Vertx vertx = Vertx.vertx();
    private final FastnVertx fastn = FastnVertx.install(vertx);
    private final WorkerExecutor worker = vertx.createSharedWorkerExecutor("query", 2);
    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final NodeDirectory directory = new NodeDirectory(fastn.node(), 1, Duration.ofHours(1), ticker);
    private final PeerBytes bytes = new PeerBytes(ticker);
    private final ClusterQuery query = new ClusterQuery(
            vertx,
            worker,
            new LocalStatus(fastn.runtime(), null, List.of()),
            directory,
            ClusterTrust.of(vertx, true),
            30_000,
            bytes,
            ticker);

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
    }

    @Test
    void S16_anAnswerThatFindsNoRoomIsLeftOutWithAWord() {
        node(0, 10);
        assertThat(bytes.take(PeerBytes.MOST - 100)).isTrue();
        NodeStatus row = rowOf("node-0", Waiting.result(query.ask(WHOLE, true)));
        assertThat(row.state()).isEqualTo(NodeState.UP);
        assertThat(row.reason()).contains("more than 64 MB together");
        assertThat(bytes.dropped()).isEqualTo(1);

        bytes.give(PeerBytes.MOST - 100);
        assertThat(rowOf("node-0", Waiting.result(query.ask(WHOLE, true))).snapshot())
                .isNotNull();
        assertThat(bytes.kept()).as("given back").isZero();
    }

    @Test
    void S16_ofManyNodesNoMoreIsKeptThanAnAnswerHasRoomFor() {
        for (int i = 0; i < 200; i++) {
            node(i, 400);
        }
        ClusterStatus status = Waiting.result(query.ask(WHOLE, true));
        assertThat(status.isComplete()).isTrue();
        NodeStatus row = rowOf("node-7", status);
        assertThat(NodeSummary.of(requireNonNull(row.snapshot())).contexts())
                .as("what is left out is counted")
                .isEqualTo(401);
        assertThat(requireNonNull(row.snapshot()).globalContext().children()).hasSizeLessThan(8_192 * 4 / 200);
        assertThat(requireNonNull(row.summary()).contexts()).isEqualTo(401);
        assertThat(bytes.kept()).isZero();
    }

    private void node(int number, int contexts) {
        NodeIdentity node = new NodeIdentity("node-" + number, "incarnation-" + number);
        directory.heard(new Hello(node, 100, Hello.Kind.NEWCOMER, null));
        ContextStatus[] children = new ContextStatus[contexts];
        for (int i = 0; i < contexts; i++) {
            children[i] = Fixtures.context(2 + i, "global.c" + i);
        }
        byte[] answer = Answers.wire(Fixtures.snapshot(node, 1, Fixtures.context(1, "global", children)));
        vertx.eventBus().consumer(Addresses.node(node.incarnation()), asked -> asked.reply(Buffer.buffer(answer)));
    }

    private static NodeStatus rowOf(String alias, ClusterStatus status) {
        return status.nodes().stream()
                .filter(row -> row.node().alias().equals(alias))
                .findFirst()
                .orElseThrow();
    }
}
