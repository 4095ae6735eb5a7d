package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.CancelReport;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextState;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Nothing that comes from another node changes anything, unless the operator said so (rule S4). */
class RemoteCancelTest {
    private static final Duration WAIT = Duration.ofSeconds(5);
    /** For the way there and back, however busy the machine is. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void S4_whereTheOperatorAllowsItASubtreeOfAnotherNodeIsCancelledAndElsewhereItIsRefused() {
        try (TestCluster cluster = TestCluster.of(2)) {
            deploy(cluster.node(0), new StatusOptions().setAlias("alice"));
            deploy(cluster.node(1), new StatusOptions().setAlias("bob").setAllowRemoteCancel(true));
            FastnContext alices = open(cluster.node(0));
            FastnContext bobs = open(cluster.node(1));
            FastnContext slow = bobs.child("slow").open();
            FastnContext quick = bobs.child("quick").open();
            quick.onCancel(reason -> quick.close());
            FastnContext beside = FastnVertx.install(cluster.node(1))
                    .runtime()
                    .root()
                    .child("beside")
                    .open();
            StatusClient client = StatusClient.create(cluster.node(0)).withTimeout(PATIENCE);

            BiConsumer<String, FastnContext> changesNothing = (alias, context) -> {
                refused(client.cancel(alias, context.id(), "enough", WAIT), 403, "lets no other one cancel");
                assertThat(context.isCancelled()).isFalse();
            };
            changesNothing.accept("alice", alices);
            FastnContext open = open(cluster.node(1));
            open.onCancel(reason -> open.close());
            assertThatThrownBy(() -> changesNothing.accept("bob", open))
                    .as("the check has to notice a node that lets others cancel")
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("it succeeded");
            assertThat(open.isCancelled()).isTrue();
            refused(
                    StatusClient.create(cluster.node(1))
                            .withTimeout(PATIENCE)
                            .cancel("alice", alices.id(), "enough", WAIT),
                    403,
                    "set the option \"allowRemoteCancel\"");
            assertThat(alices.isCancelled()).isFalse();

            refused(client.cancel("bob", 1, "enough", WAIT), 403, "the root is the whole application");
            refused(client.cancel("bob", 999_999, "enough", WAIT), 404, "it may have ended");
            refused(client.cancel("bob", bobs.id(), " ", WAIT), 400, "\"reason\" wants");
            refused(client.cancel("bob", bobs.id(), "enough", Duration.ofMinutes(1)), 400, "\"wait_ms\" wants");
            assertThat(bobs.isCancelled()).isFalse();

            String incarnation = FastnVertx.install(cluster.node(1)).node().incarnation();
            CancelReport report =
                    Waiting.result(client.cancel(incarnation, bobs.id(), "it is \u001b[2J late", Duration.ofMillis(1)));
            assertThat(bobs.isCancelled()).isTrue();
            assertThat(slow.isCancelled()).isTrue();
            assertThat(quick.state()).isEqualTo(ContextState.CLOSED);
            assertThat(beside.isCancelled()).isFalse();
            assertThat(requireNonNull(bobs.cancelReason()).message()).contains("late");
            assertThat(report.unstopped())
                    .singleElement()
                    .satisfies(left -> assertThat(left.contextId()).isEqualTo(slow.id()));
            slow.close();
            bobs.close();
            beside.close();
            alices.close();
        }
    }

    @Test
    void S4_whereAnybodyMayHaveJoinedItIsRefusedWhateverTheOptionSays() {
        try (TestCluster cluster = TestCluster.thatLooksOpen(1)) {
            deploy(cluster.node(0), new StatusOptions().setAlias("alice").setAllowRemoteCancel(true));
            FastnContext context = open(cluster.node(0));
            refused(
                    StatusClient.create(cluster.node(0))
                            .withTimeout(PATIENCE)
                            .cancel("alice", context.id(), "enough", WAIT),
                    403,
                    "do not prove who they are");
            assertThat(context.isCancelled()).isFalse();
            // Whoever does not want to know what became of it gets nothing done either.
            cluster.node(0).eventBus().send("fastn.status.cancel.alice", RemoteCancel.order(context.id(), "x", WAIT));
            refused(
                    cluster.node(0).eventBus().request("fastn.status.cancel.alice", new JsonObject().put("contxt", 1)),
                    403,
                    "do not prove who they are");
            assertThat(context.isCancelled()).isFalse();
            context.close();
        }
    }

    private static FastnContext open(Vertx vertx) {
        return FastnVertx.install(vertx).runtime().root().child("order").open();
    }

    private static void deploy(Vertx vertx, StatusOptions options) {
        Waiting.result(vertx.deployVerticle(
                new StatusVerticle(options.setHttp(false).setDescriptors(false).setSystemMetrics(false))));
    }

    private static void refused(Future<?> asked, int code, String sentence) {
        assertThat(Waiting.failure(asked))
                .isInstanceOfSatisfying(
                        ReplyException.class, e -> assertThat(e.failureCode()).isEqualTo(code))
                .hasMessageContaining(sentence);
    }
}
