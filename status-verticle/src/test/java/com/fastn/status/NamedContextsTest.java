package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Contexts that are asked for by their names are found, however many others there are (rule M10). */
class NamedContextsTest {
    private static final int MANY = 9_000;
    private static final String ODD = "caf\u00e9 \ud83d\ude00\r\n: x";
    private static final Duration LONG = Duration.ofSeconds(60);

    /** A node of which another one hears: alice asks it by what is handed on here, as a cluster would. */
    private static final Vertx BOB = Vertx.vertx();

    private static final Vertx ALICE = Vertx.vertx();
    /** Has the default runtime, which outlives this class: those of the nodes are closed with all their contexts. */
    private static final Vertx FIRST = Vertx.vertx();

    private static volatile boolean knowsOfNames = true;
    private static volatile boolean silent;

    @BeforeAll
    static void deploy() {
        FastnVertx.install(FIRST);
        deploy(BOB, "bob");
        deploy(ALICE, "alice");
        for (Vertx vertx : List.of(BOB, ALICE)) {
            FastnContext root = FastnVertx.install(vertx).runtime().root();
            for (int i = 0; i < MANY; i++) {
                root.child("c" + i).open();
            }
            FastnContext deep = root;
            for (int i = 0; i < 60; i++) {
                deep = deep.child("d" + i).open();
            }
        }
        FastnVertx.install(BOB).runtime().root().child("only-bob").open();
        FastnVertx.install(BOB).runtime().root().child(ODD).open();
        NodeIdentity bob = FastnVertx.install(BOB).node();
        ALICE.eventBus().consumer(Addresses.node(bob.incarnation()), NamedContextsTest::handOn);
        ALICE.eventBus()
                .publish(HelloExchange.ADDRESS, new JsonObject(new Hello(bob, 1, Hello.Kind.NEWCOMER, null).toMap()));
        Waiting.await("bob is known")
                .until(() -> Waiting.result(client().status()).nodes().size() == 2);
    }

    private static void deploy(Vertx vertx, String alias) {
        Waiting.result(vertx.deployVerticle(new StatusVerticle(new StatusOptions()
                .setAlias(alias)
                .setHttp(false)
                .setDescriptors(false)
                .setTrustCluster(true)
                .setSystemMetrics(false)
                .setQueryTimeout(30_000))));
    }

    private static void handOn(Message<Object> question) {
        if (silent) {
            question.fail(-1, "in a moment");
            return;
        }
        DeliveryOptions options = new DeliveryOptions();
        question.headers().forEach((name, value) -> {
            if (knowsOfNames || !name.equals(ClusterQuery.NAMED_HEADER)) {
                options.addHeader(name, value);
            }
        });
        BOB.eventBus()
                .request(question.address(), question.body(), options)
                .onSuccess(reply -> {
                    DeliveryOptions back = new DeliveryOptions();
                    reply.headers().forEach(back::addHeader);
                    question.reply(reply.body(), back);
                })
                .onFailure(failure -> question.fail(((ReplyException) failure).failureCode(), failure.getMessage()));
    }

    @AfterAll
    static void close() {
        Waiting.result(ALICE.close());
        Waiting.result(BOB.close());
        Waiting.result(FIRST.close());
    }

    @ParameterizedTest
    @ValueSource(strings = {"global.c10", "global.c3000", "global.c8999", "c8999", "global.only-bob", "only-bob@bob"})
    void M10_aContextOfALargeTreeIsFoundByItsName(String name) {
        Explanation found = requireNonNull(Waiting.result(client().explain(name)));
        assertThat(found.stuck().path()).endsWith(name.replace("@bob", ""));
        assertThat(explained(name).getJsonArray("explanations")).hasSize(1);
        assertThat(requireNonNull(Waiting.result(
                                client().explain(String.valueOf(found.stuck().contextId()))))
                        .stuck()
                        .contextId())
                .isEqualTo(found.stuck().contextId());
    }

    @Test
    void M10_aContextThatIsDeeperThanAnyAnswerIsFoundByItsName() {
        assertThat(requireNonNull(Waiting.result(client().explain("d59")))
                        .stuck()
                        .path())
                .endsWith("d57.d58.d59");
    }

    @Test
    void M10_anOddNameFindsItsWayToOtherNodes() {
        Explanation found = requireNonNull(Waiting.result(client().explain("global." + ODD)));
        assertThat(found.stuck().node().alias()).isEqualTo("bob");
    }

    @Test
    void M10_aNameThatIsOpenNowhereIsToldSoOnlyWhereAllNodesLookedForIt() {
        assertThat(Waiting.result(client().explain("global.nope"))).isNull();
        knowsOfNames = false;
        try {
            refused("global.nope", 503, "bob: its tree is larger than what it told of it");
            assertThat(Waiting.result(client().explain("global.c10"))).isNotNull();
        } finally {
            knowsOfNames = true;
        }
    }

    @Test
    void D7_whatIsExplainedTellsWhichNodesDidNotAnswer() {
        ClusterExplanations all = Waiting.result(client().explain());
        assertThat(all.complete()).isTrue();
        assertThat(all.unanswered()).isEmpty();
        assertThat(all.answeredBy()).isEqualTo("alice");
        assertThat(all.toString()).doesNotContain("Not all nodes answered");
        silent = true;
        try {
            ClusterExplanations some = Waiting.result(client().explain());
            assertThat(some.complete()).isFalse();
            assertThat(some.unanswered()).hasSize(1);
            assertThat(some.unanswered().get(0).node().alias()).isEqualTo("bob");
            assertThat(some.unanswered().get(0).reason()).contains("in a moment");
            assertThat(some.toString()).contains("Not all nodes answered", "bob: in a moment");
            String text = (String) Waiting.result(ALICE.eventBus()
                            .request(
                                    Addresses.STATUS,
                                    new JsonObject().put("explain", true).put("format", "text")))
                    .body();
            assertThat(text).contains("Not all nodes answered", "bob: in a moment");
            refused("global.nope", 503, "bob: in a moment");
            JsonObject told = Waiting.result(ALICE.eventBus()
                            .<JsonObject>request(Addresses.STATUS, new JsonObject().put("explain", true)))
                    .body();
            assertThat(told.getJsonArray("unanswered")).hasSize(1);
            Schemas.fits("explanations", told.encode());
        } finally {
            silent = false;
        }
    }

    @Test
    void S13_aStatusThatShowsWhoIsNamedIsNoLargerThanOthers() {
        Message<Object> reply = Waiting.result(BOB.eventBus()
                .request(
                        "fastn.status.node.bob",
                        new JsonObject(),
                        new DeliveryOptions()
                                .addHeader(ClusterQuery.WIRE_HEADER, ClusterQuery.WIRE_VERSION)
                                .addHeader(ClusterQuery.NAMED_HEADER, "global.c8999")));
        Buffer body = (Buffer) reply.body();
        assertThat(body.length()).isLessThanOrEqualTo(Answers.MOST_WIRE_BYTES);
        assertThat(reply.headers().get(ClusterQuery.NAMED_HEADER)).isEqualTo("1");
        StatusSnapshot snapshot = StatusJson.readSnapshot(body.getBytes());
        ContextStatus root = snapshot.globalContext();
        assertThat(root.children()).anyMatch(child -> child.name().equals("c8999"));
        assertThat(root.children().size() + root.foldedChildren().count())
                .as("each is shown or counted, and none is both")
                .isEqualTo(FastnVertx.install(BOB)
                        .runtime()
                        .status()
                        .globalContext()
                        .children()
                        .size());
    }

    @ParameterizedTest
    @CsvSource({"global.p.c1.x, 2, 2, 1, 1", "global.p.c1, 1, 1, 1, 2", "global.p.c1.x.y, 2, 3, 0, 0", "c2, 1, 3, 0, 0"
    })
    void M10_whoIsShownIsNotCountedAmongTheOnesThatAreFoldedAndNobodyElseIsCountedTwice(
            String name, long children, long contexts, long below, long contextsBelow) {
        ContextStatus y = Fixtures.context(5, "global.p.c1.x.y");
        ContextStatus c1 = Fixtures.context(3, "global.p.c1", Fixtures.context(4, "global.p.c1.x", y));
        ContextStatus p = Fixtures.context(2, "global.p", c1, Fixtures.context(6, "global.p.c2"));
        StatusSnapshot whole = Fixtures.snapshot(new NodeIdentity("alice", "a-1"), 1, Fixtures.context(1, "global", p));
        ContextStatus folded = p.withChildren(List.of(), new FoldedChildren(2, 4, Duration.ZERO, 0));

        StatusSnapshot shown =
                NamedContexts.shown(whole, name, all -> all.withGlobalContext(Fixtures.context(1, "global", folded)));

        ContextStatus above = shown.globalContext().children().get(0);
        assertThat(above.children()).hasSize(1);
        assertThat(above.foldedChildren()).isEqualTo(new FoldedChildren(children, contexts, Duration.ZERO, 0));
        assertThat(above.children().get(0).foldedChildren())
                .isEqualTo(new FoldedChildren(below, contextsBelow, Duration.ZERO, 0));
        assertThat(NodeSummary.of(shown)).isEqualTo(NodeSummary.of(whole));
    }

    private static StatusClient client() {
        return StatusClient.create(ALICE).withTimeout(LONG);
    }

    private static JsonObject explained(String name) {
        return Waiting.result(ALICE.eventBus()
                        .<JsonObject>request(
                                Addresses.STATUS,
                                new JsonObject()
                                        .put("explain", name)
                                        .put(
                                                "nodes",
                                                new JsonArray().add("alice").add("bob"))))
                .body();
    }

    private static void refused(String name, int code, String sentence) {
        assertThat(Waiting.failure(client().explain(name)))
                .isInstanceOfSatisfying(
                        ReplyException.class, e -> assertThat(e.failureCode()).isEqualTo(code))
                .hasMessageContaining(sentence);
    }
}
