package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusPage;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What one node is asked for again and again: what changed since, and page after page. */
class NodeQuestionsTest {
    private static final String NODE = "fastn.status.node.alice";
    private static final Vertx VERTX = Vertx.vertx();

    @BeforeAll
    static void deploy() {
        Waiting.result(VERTX.deployVerticle(new StatusVerticle(new StatusOptions()
                .setAlias("alice")
                .setHttp(false)
                .setDescriptors(false)
                .setSystemMetrics(false))));
    }

    @AfterAll
    static void close() {
        Waiting.result(VERTX.close());
    }

    @Test
    void whoSaysWhichStatusItHasIsToldWhatChangedSince() {
        FastnContext many = root().child("many").open();
        List<FastnContext> jobs = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            jobs.add(many.child("job-" + i).open());
        }
        JsonObject whole = ask(new JsonObject().put("since_version", -1));
        assertThat(whole.getString("kind")).isEqualTo("status_snapshot");
        StatusSnapshot known = untilUnchanged(NODE, new JsonObject(), true);

        for (int round = 0; round < 3; round++) {
            jobs.get(round).incrementTotal("orders");
            FastnContext late = many.child("late-" + round).open();
            JsonObject answer = ask(since(known));
            assertThat(answer.getString("kind")).isEqualTo("status_delta");
            assertThat(answer.encode().length()).isLessThan(whole.encode().length() / 4);
            SnapshotDelta delta = StatusJson.readDelta(answer.encode());
            known = delta.apply(known);
            ContextStatus shown = child(known, "many");
            assertThat(shown.children()).hasSize(51 + round);
            assertThat(shown.children().get(round).totalCounters()).containsEntry("orders", 1L);
            jobs.add(late);
        }

        jobs.forEach(FastnContext::close);
        many.close();
        JsonObject other = since(known).put("since_timestamp", "2026-01-01T00:00:00Z");
        assertThat(ask(other).getString("kind")).as("nobody knows that one").isEqualTo("status_snapshot");
        JsonObject deep = since(known).put("depth", 1);
        assertThat(ask(deep).getString("kind")).as("another part").isEqualTo("status_snapshot");
    }

    @Test
    void D3_thatNothingChangedIsSaidOfThisLifeAloneAndOfAPartThatIsOpen() {
        FastnContext job = root().child("since-job").open();
        String here = "fastn.status.node." + FastnVertx.install(VERTX).node().incarnation();
        untilUnchanged(here, new JsonObject(), false);
        // Of what this node told lately it knows that it told it.
        StatusSnapshot known = untilUnchanged(NODE, new JsonObject(), true);
        JsonObject bare = new JsonObject().put("since_version", known.version());
        assertThat(ask(NODE, bare).getString("kind"))
                .as("the same number, maybe of another life of that alias")
                .isEqualTo("status_snapshot");
        JsonObject formerLife = bare.copy().put("since_timestamp", "2026-01-01T00:00:00Z");
        assertThat(ask(NODE, formerLife).getString("kind")).isEqualTo("status_snapshot");

        JsonObject part = new JsonObject().put("path", "global.since-job");
        untilUnchanged(here, part, false);
        assertThat(ask(NODE, since(known).mergeIn(part)).getString("kind"))
                .as("of the whole it told that one, and not of that part")
                .isEqualTo("status_snapshot");
        refused(here, bare.copy().put("path", "global.nope"), 404, "nothing is open at \"global.nope\"");
        refused(NODE, since(known).put("path", "global.nope"), 404, "nothing is open at \"global.nope\"");

        assertThat(ask(here, bare.copy().put("recent", true)).getString("kind")).isEqualTo("status_snapshot");
        assertThat(ask(here, bare.copy().put("episodes", true)).getString("kind"))
                .isEqualTo("status_snapshot");
        assertThat(ask(here, bare.copy().put("explain", true)).getString("kind"))
                .as("time alone makes stuck")
                .isEqualTo("explanations");
        job.close();
    }

    @Test
    void whatIsKeptForThoseWhoAskAgainIsBounded() {
        StatusSnapshot first = StatusJson.readSnapshot(
                ask(new JsonObject().put("since_version", -1)).encode());
        for (int i = 0; i < 9; i++) {
            root().incrementTotal("changes");
            ask(new JsonObject().put("since_version", -1));
        }
        assertThat(ask(since(first)).getString("kind")).isEqualTo("status_snapshot");
    }

    @Test
    void everyContextStandsOnOnePageBehindItsParent() {
        List<FastnContext> jobs = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            jobs.add(root().child("job-" + i).open());
        }
        Set<Long> ids = new HashSet<>();
        String which = TreePages.FIRST;
        int pages = 0;
        while (which != null) {
            JsonObject page = ask(new JsonObject().put("page", which));
            assertThat(page.getString("kind")).isEqualTo("status_page");
            assertThat(page.encode().length()).isLessThanOrEqualTo(256 << 10);
            if (pages == 1) {
                // What ends while somebody reads stands on its page all the same.
                jobs.forEach(FastnContext::close);
            }
            JsonArray contexts = page.getJsonArray("contexts");
            for (Object each : contexts) {
                JsonObject row = (JsonObject) each;
                Long parent = row.getLong("parent_id");
                assertThat(parent == null ? ids.isEmpty() : ids.contains(parent))
                        .isTrue();
                assertThat(ids.add(row.getJsonObject("context").getLong("id"))).isTrue();
            }
            which = page.getString("next");
            pages++;
            assertThat(which == null).isEqualTo(ids.size() == page.getInteger("total_contexts"));
        }
        assertThat(pages).isGreaterThan(3);
        assertThat(ids).hasSizeGreaterThan(2_000);
    }

    @Test
    void whatIsWrongWithSuchAQuestionIsToldWithACodeAndASentence() {
        refused(NODE, new JsonObject().put("page", "first").put("depth", 1), 400, "\"page\" stands alone");
        refused(NODE, new JsonObject().put("page", 7), 400, "wants \"first\"");
        refused(NODE, new JsonObject().put("page", "second"), 400, "wants \"first\"");
        refused(NODE, new JsonObject().put("page", "99.7"), 410, "these pages are over");
        refused(NODE, new JsonObject().put("page", "x.y"), 410, "these pages are over");
        refused(NODE, new JsonObject().put("since_timestamp", "now"), 400, "beside \"since_version\"");
        refused(
                NODE,
                new JsonObject().put("since_version", 1).put("since_timestamp", "now"),
                400,
                "wants the \"timestamp\"");
        refused("fastn.status", new JsonObject().put("since_version", 1), 400, "a version is of one node");
        refused(
                "fastn.status.subscribe",
                new JsonObject().put("address", StreamWire.READER_PREFIX + "x").put("path", 7),
                400,
                "\"path\" wants the names");
        refused(
                "fastn.status.subscribe",
                new JsonObject().put("address", StreamWire.READER_PREFIX + "x").put("depth", 0),
                400,
                "\"depth\" wants a whole number");
        refused(
                "fastn.status.subscribe",
                new JsonObject().put("address", StreamWire.READER_PREFIX + "x").put("format", "text"),
                400,
                "a stream takes");
        refused(
                "fastn.status.subscribe",
                new JsonObject()
                        .put("address", StreamWire.READER_PREFIX + "x")
                        .put("nodes", new JsonArray().add("alicia")),
                404,
                "did you mean \"alice\"");
    }

    @Test
    void readingsThatNobodyEndsAreAtMostSoMany() {
        ContextRuntime runtime = ContextRuntime.builder().alias("alice").build();
        ManualTicker ticker = new ManualTicker(Fixtures.NOW);
        TreePages pages = new TreePages(runtime, ClusterTrust.of(VERTX, true), ticker);
        for (int i = 0; i < 3_000; i++) {
            // Some pages, so that the reading does not end with the first two.
            runtime.root().child("left-open-" + i).open();
        }
        StatusPage first = pages.page(TreePages.FIRST);
        for (int i = 0; i < 7; i++) {
            pages.page(TreePages.FIRST);
        }
        assertThatThrownBy(() -> pages.page(TreePages.FIRST))
                .isInstanceOfSatisfying(
                        BadQueryException.class, e -> assertThat(e.code()).isEqualTo(429));

        ticker.advance(TreePages.LEASE);
        String next = requireNonNull(pages.page(requireNonNull(first.next())).next());
        ticker.advance(Duration.ofSeconds(1));
        for (int i = 0; i < 7; i++) {
            pages.page(TreePages.FIRST);
        }
        assertThatThrownBy(() -> pages.page(TreePages.FIRST)).isInstanceOf(BadQueryException.class);
        pages.page(next);
        ticker.advance(TreePages.LEASE.plusSeconds(1));
        assertThat(pages.forgetSilent()).isFalse();
        assertThatThrownBy(() -> pages.page(next)).hasMessageContaining("these pages are over");
        runtime.close();
    }

    /** What the deployment itself changed may come late. */
    private static StatusSnapshot untilUnchanged(String address, JsonObject part, boolean withTimestamp) {
        return Waiting.await("nothing changes any more")
                .until(
                        () -> StatusJson.readSnapshot(ask(address, part.copy().put("since_version", -1))
                                .encode()),
                        known -> ask(
                                        address,
                                        (withTimestamp
                                                        ? since(known)
                                                        : new JsonObject().put("since_version", known.version()))
                                                .mergeIn(part))
                                .getString("kind")
                                .equals("status_unchanged"));
    }

    private static JsonObject since(StatusSnapshot known) {
        return new JsonObject()
                .put("since_version", known.version())
                .put("since_timestamp", known.timestamp().toString());
    }

    private static ContextStatus child(StatusSnapshot snapshot, String name) {
        return snapshot.globalContext().children().stream()
                .filter(child -> child.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static FastnContext root() {
        return FastnVertx.install(VERTX).runtime().root();
    }

    private static JsonObject ask(JsonObject question) {
        return ask(NODE, question);
    }

    private static JsonObject ask(String address, JsonObject question) {
        return Waiting.result(VERTX.eventBus().<JsonObject>request(address, question))
                .body();
    }

    private static void refused(String address, JsonObject question, int code, String sentence) {
        assertThat(Waiting.failure(VERTX.eventBus().request(address, question)))
                .as(question.encode())
                .isInstanceOfSatisfying(
                        ReplyException.class, e -> assertThat(e.failureCode()).isEqualTo(code))
                .hasMessageContaining(sentence);
    }
}
