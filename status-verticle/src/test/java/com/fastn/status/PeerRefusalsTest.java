package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.NodeIdentity;
import com.fastn.context.vertx.Addresses;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With which code a question fails when another node refuses it, or says nothing (rule D7: what nobody knows is not gone). */
class PeerRefusalsTest {
    private static final NodeIdentity BOB = new NodeIdentity("bob", "01a210f0a144-bbbbbbbbbbbbbbbb");
    private static final String NOTHING_THERE = "nothing is open at \"global.x\" on bob; a path begins with ..";

    private static final int SHORT = 100;
    /** Nobody waits for so long; only who answers is waited for. */
    private static final int LONG = 60_000;

    private final Vertx vertx = Vertx.vertx();
    private volatile Consumer<Message<Object>> bob = question -> {};

    private void deploy(int queryTimeout) {
        Waiting.result(vertx.deployVerticle(new StatusVerticle(new StatusOptions()
                .setAlias("alice")
                .setHttp(false)
                .setDescriptors(false)
                .setSystemMetrics(false)
                .setQueryTimeout(queryTimeout))));
        vertx.eventBus().consumer(Addresses.node(BOB.incarnation()), question -> bob.accept(question));
        refuse(429);
        Hello hello = new Hello(BOB, 1, Hello.Kind.NEWCOMER, null);
        vertx.eventBus().publish(HelloExchange.ADDRESS, new JsonObject(hello.toMap()));
        Waiting.await("bob is known")
                .until(() -> ask(new JsonObject()).getJsonArray("nodes").size() == 2);
    }

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
    }

    @Test
    void D9_aNodeThatSpeaksANewerSchemaIsARowThatSaysSoHoweverLittleOfItIsRead() {
        deploy(LONG);
        JsonObject newer = new JsonObject().put("schema", 2).put("min_schema", 2);
        vertx.eventBus().publish(HelloExchange.ADDRESS, newer);
        vertx.eventBus().publish(HelloExchange.ADDRESS, newer.copy().put("alias", "carol"));
        Waiting.await("they are rows")
                .until(() -> ask(new JsonObject()).getJsonArray("nodes").size() == 4);
        JsonObject answer = ask(new JsonObject());
        assertThat(answer.getBoolean("complete")).isFalse();
        for (String alias : new String[] {"(unnamed)", "carol"}) {
            assertThat(reasonOf(alias, answer)).startsWith("it speaks a newer schema: upgrade needed on this side; ");
        }
        assertThat(reasonOf("bob", answer)).isEqualTo("bob is busy");
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 429, 500, 0})
    void D7_thatNothingIsOpenAtAPathIsNotSaidOfANodeThatRefusesOrIsSilent(int code) {
        deploy(code == 0 ? SHORT : LONG);
        refuse(code);
        for (JsonObject question : new JsonObject[] {path(), path().put("nodes", new JsonArray().add("bob"))}) {
            JsonObject answer = ask(question);
            assertThat(answer.getBoolean("complete")).isFalse();
            assertThat(reasonOf("bob", answer)).contains(code == 0 ? "no answer within" : "bob is busy");
        }
        assertThat(reasonOf("alice", ask(path()))).contains("nothing is open at \"global.x\" on alice");
    }

    @Test
    void D7_thatNothingIsOpenAtAPathIsSaidWhereEveryNodeSaidSoItself() {
        deploy(LONG);
        bob = question -> question.fail(404, NOTHING_THERE);
        refused(path(), 404, "nothing is open at \"global.x\" on alice");
        refused(path().put("nodes", new JsonArray().add("bob")), 404, NOTHING_THERE);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 429, 500})
    void D7_aNameThatNobodyShowsKeepsTheCodeOfTheNodeThatRefusedToLook(int code) {
        deploy(LONG);
        refuse(code);
        refused(new JsonObject().put("explain", "global.x"), code, "bob: bob is busy");
        refused(
                new JsonObject().put("explain", "global.x").put("format", "text"),
                code,
                "no node that answered has a context open that is called \"global.x\"");
    }

    @Test
    void D7_aNameThatNobodyShowsMayBeOpenOnANodeThatIsSilent() {
        deploy(SHORT);
        refuse(0);
        refused(new JsonObject().put("explain", "global.x"), 503, "bob: no answer within 100 ms");
        refused(new JsonObject().put("explain", "global.x"), 503, "not all nodes answered");
    }

    @Test
    void D7_aNameThatNobodyShowsIsNotThereWhereAllNodesTold() {
        deploy(LONG);
        bob = question -> question.fail(404, NOTHING_THERE);
        refused(path().put("explain", "global.x"), 404, "nothing is open at \"global.x\" on alice");
        refused(new JsonObject().put("explain", "global.x"), 404, "no context is open that is called");
    }

    @Test
    void D7_whoSaysThatNothingIsOpenAtAPathHasAnsweredWhereItIsExplainedToo() {
        deploy(LONG);
        bob = question -> question.fail(404, NOTHING_THERE);
        JsonObject question = new JsonObject().put("path", "global").put("explain", true);
        JsonObject told = ask(question);
        assertThat(told.getJsonArray("unanswered")).isEmpty();
        assertThat(told.getBoolean("complete")).isTrue();

        refuse(500);
        told = ask(question);
        assertThat(told.getJsonArray("unanswered")).hasSize(1);
        assertThat(told.getBoolean("complete")).isFalse();
    }

    private void refuse(int code) {
        bob = question -> {
            if (code != 0) {
                question.fail(code, "bob is busy");
            }
        };
    }

    private static JsonObject path() {
        return new JsonObject().put("path", "global.x");
    }

    private static String reasonOf(String alias, JsonObject answer) {
        return answer.getJsonArray("nodes").stream()
                .map(JsonObject.class::cast)
                .filter(row -> row.getJsonObject("node").getString("alias").equals(alias))
                .map(row -> row.getString("reason"))
                .findFirst()
                .orElseThrow();
    }

    private JsonObject ask(JsonObject question) {
        return Waiting.result(vertx.eventBus().<JsonObject>request(Addresses.STATUS, question))
                .body();
    }

    private void refused(JsonObject question, int code, String sentence) {
        assertThat(Waiting.failure(vertx.eventBus().request(Addresses.STATUS, question)))
                .as(question.encode())
                .isInstanceOfSatisfying(
                        ReplyException.class, e -> assertThat(e.failureCode()).isEqualTo(code))
                .hasMessageContaining(sentence);
    }
}
