package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.context.vertx.VertxContextOptions;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class StatusPortStreamTest {
    private static final PortTempo QUICK = new PortTempo(Duration.ofMillis(250), Duration.ofMillis(300));

    private final Vertx vertx = Vertx.vertx();
    /** What the tests leave open has no work that could stop when the Vertx is closed. */
    private final ContextRuntime runtime = FastnVertx.builder()
            .options(new VertxContextOptions().setGrace(Duration.ofMillis(1)))
            .install(vertx)
            .runtime();

    private String url = "";

    @BeforeEach
    void open() {
        StatusVerticle verticle = new StatusVerticle(new StatusOptions().setAlias("alice"), QUICK);
        Waiting.result(vertx.deployVerticle(verticle));
        url = requireNonNull(verticle.url());
    }

    @AfterEach
    void close() {
        Waiting.result(vertx.close());
    }

    @Test
    void anEventCarriesTheWholeStatusAndItsVersion() {
        try (OpenStream stream = new OpenStream(url, "/status/stream")) {
            assertThat(stream.header("content-type")).isEqualTo("text/event-stream; charset=utf-8");
            assertThat(stream.header("cache-control")).isEqualTo("no-store");
            Map<String, String> first = stream.event();
            assertThat(first).containsEntry("event", "status");
            StatusSnapshot snapshot = StatusJson.readSnapshot(requireNonNull(first.get("data")));
            assertThat(snapshot.node().alias()).isEqualTo("alice");
            assertThat(first).containsEntry("id", String.valueOf(snapshot.version()));
        }
    }

    @Test
    void aChangeIsToldAtOnceAndTheNextOneAPaceLater() {
        try (OpenStream stream = new OpenStream(url, "/status/stream?format=ndjson")) {
            assertThat(stream.header("content-type")).isEqualTo("application/x-ndjson; charset=utf-8");
            StatusSnapshot first = snapshot(stream);
            assertThat(first.globalContext().children())
                    .noneMatch(child -> child.name().equals("one"));

            FastnContext one = runtime.root().child("one").open();
            await("the stream rests after its first")
                    .pollDelay(QUICK.pace().plusMillis(50))
                    .until(() -> true);
            List<Instant> taken = new ArrayList<>();
            List<String> seen = new ArrayList<>();
            one.child("two").open();
            while (!seen.contains("four")) {
                StatusSnapshot next = snapshot(stream);
                taken.add(next.timestamp());
                next.globalContext().children().stream()
                        .filter(child -> child.name().equals("one"))
                        .flatMap(child -> child.children().stream())
                        .forEach(child -> seen.add(child.name()));
                if (!seen.contains("three")) {
                    one.child("three").open();
                } else if (!seen.contains("four")) {
                    one.child("four").open();
                }
            }
            assertThat(seen).contains("two", "three", "four");
            // When they come depends on the machine; they are taken a pace apart, by a clock that is read later. So the
            // first
            // may say as much as a pace too late, if its thread stood still in between.
            assertThat(Duration.between(taken.get(0), taken.get(taken.size() - 1)))
                    .as("%d snapshots", taken.size())
                    .isGreaterThanOrEqualTo(QUICK.pace().multipliedBy(taken.size() - 2L));
        }
    }

    @Test
    void aPaceIsASecondForEverybodyElse() {
        assertThat(PortTempo.USUAL.pace()).isEqualTo(Duration.ofSeconds(1));
        assertThat(PortTempo.USUAL.rest()).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void deltasBuildUpTheSameSnapshotsAsTheWhole() {
        for (int i = 0; i < 50; i++) {
            runtime.root().child("worker-" + i).open();
        }
        try (OpenStream stream = new OpenStream(url, "/status/stream?deltas=true")) {
            Map<String, String> first = stream.event();
            assertThat(first).containsEntry("event", "status");
            StatusSnapshot mine = StatusJson.readSnapshot(requireNonNull(first.get("data")));
            int deltas = 0;
            for (int i = 0; i < 3; i++) {
                String name = "late-" + i;
                runtime.root().child(name).open();
                while (mine.globalContext().children().stream()
                        .noneMatch(child -> child.name().equals(name))) {
                    Map<String, String> next = stream.event();
                    String data = requireNonNull(next.get("data"));
                    if ("delta".equals(next.get("event"))) {
                        SnapshotDelta delta = StatusJson.readDelta(data);
                        assertThat(data.length())
                                .isLessThan(StatusJson.write(mine).length());
                        mine = delta.apply(mine);
                        deltas++;
                    } else {
                        mine = StatusJson.readSnapshot(data);
                    }
                }
            }
            assertThat(deltas).isPositive();
            assertThat(mine.globalContext().children()).hasSizeGreaterThanOrEqualTo(53);
        }
    }

    @Test
    void aPartAndItsRecentContextsAreWatchedAndItsEndIsTold() {
        FastnContext shop = runtime.root().child("shop").open();
        FastnContext order = shop.child("order").open();
        order.persist();
        try (OpenStream stream = new OpenStream(url, "/status/stream?path=global.shop&recent=true&format=ndjson")) {
            assertThat(snapshot(stream).globalContext().name()).isEqualTo("shop");
            order.close();
            StatusSnapshot then = snapshot(stream);
            while (then.recent().isEmpty()) {
                then = snapshot(stream);
            }
            assertThat(then.recent().get(0).path().toString()).isEqualTo("global.shop.order");
            shop.close();
            JsonObject gone = new JsonObject(stream.document());
            while (!gone.getString("kind").equals("error")) {
                gone = new JsonObject(stream.document());
            }
            assertThat(gone.getString("message")).contains("nothing is open at");
        }
    }

    @Test
    void theClusterIsWatchedToo() {
        try (OpenStream stream = new OpenStream(url, "/status/stream?scope=cluster")) {
            Map<String, String> first = stream.event();
            assertThat(StatusJson.readCluster(requireNonNull(first.get("data"))).nodes())
                    .hasSize(1);
            assertThat(first).doesNotContainKey("id");
        }
    }

    @Test
    void whatCannotBeStreamedIsSaid() {
        assertThat(RawHttp.get(url, "/status/stream?format=xml").status()).isEqualTo(400);
        assertThat(RawHttp.get(url, "/status/stream?deltas=yes").status()).isEqualTo(400);
        assertThat(RawHttp.get(url, "/status/stream?deltas=true&scope=cluster").body())
                .contains("deltas are of one node's tree");
        assertThat(RawHttp.get(url, "/status/stream?dephts=1").body()).contains("did you mean");
    }

    @Test
    void aWarningThatTimeAloneMakesIsToldWithoutAChange() {
        FastnContext slow = runtime.root()
                .child("slow")
                .withSetting("fastn.operation-slow", Duration.ofMillis(300))
                .open();
        var unused = slow.operation("think");
        try (OpenStream stream = new OpenStream(url, "/status/stream?format=ndjson")) {
            StatusSnapshot next = snapshot(stream);
            while (next.warnings().stream().noneMatch(w -> w.id().equals("operation-slow"))) {
                next = snapshot(stream);
            }
        }
    }

    @Test
    void nothingIsListenedToWhenNobodyWatchesAnyMore() {
        try (OpenStream stream = new OpenStream(url, "/status/stream")) {
            stream.event();
        }
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                        .as("the timer of the port has nothing to do, and its thread goes away")
                        .noneMatch(thread -> thread.getName().equals("fastn-status-port-timer")));
    }

    private static StatusSnapshot snapshot(OpenStream stream) {
        return StatusJson.readSnapshot(stream.document(), StatusJson.ReadLimits.DEFAULT.withMaxLength(4 << 20));
    }
}
