package com.fastn.status;

import static com.fastn.status.Waiting.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Thresholds;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class StatusPortTest {
    private static final Vertx VERTX = Vertx.vertx();
    private static String url = "";

    @BeforeAll
    static void open() {
        StatusVerticle verticle = new StatusVerticle(new StatusOptions().setAlias("alice"));
        Waiting.result(VERTX.deployVerticle(verticle));
        url = requireNonNull(verticle.url());
    }

    @AfterAll
    static void close() {
        Waiting.result(VERTX.close());
    }

    @Test
    void textIsTheDefaultAndJsonComesOnRequest() {
        RawHttp.Response text = RawHttp.get(url, "/status");
        assertThat(text.status()).isEqualTo(200);
        assertThat(text.headers()).containsEntry("content-type", "text/plain; charset=utf-8");
        assertThat(text.body()).contains("Global Context").doesNotContain("\u001b[");
        assertThat(RawHttp.get(url, "/status", "Accept: text/html,*/*").body()).contains("Global Context");
        assertThat(RawHttp.get(url, "/status", "Accept: */*").body())
                .startsWith(text.body().substring(0, 5));

        for (RawHttp.Response json : List.of(
                RawHttp.get(url, "/status?format=json"), RawHttp.get(url, "/status", "Accept: application/json"))) {
            assertThat(json.headers()).containsEntry("content-type", "application/json; charset=utf-8");
            assertThat(new JsonObject(json.body()).getString("kind")).isEqualTo("status_snapshot");
        }
        assertThat(RawHttp.get(url, "/status?format=ansi&width=60").body()).contains("\u001b[");
    }

    @Test
    void theClusterAndChosenNodesAreAskedOnRequest() {
        JsonObject cluster = new JsonObject(
                RawHttp.get(url, "/status?scope=cluster&format=json").body());
        assertThat(cluster.getString("kind")).isEqualTo("cluster_status");
        JsonObject chosen = new JsonObject(
                RawHttp.get(url, "/status?nodes=alice&format=json").body());
        assertThat(chosen.getJsonArray("nodes")).hasSize(1);
        RawHttp.Response unknown = RawHttp.get(url, "/status?nodes=bob");
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.body()).contains("unknown node \"bob\"").contains("alice");
    }

    @Test
    void whatIsNotUnderstoodIsSaid() {
        assertThat(RawHttp.get(url, "/status?formt=json").status()).isEqualTo(400);
        assertThat(RawHttp.get(url, "/status?formt=json").body()).contains("did you mean \"format\"");
        assertThat(RawHttp.get(url, "/status?format=json&format=text").status()).isEqualTo(400);
        assertThat(RawHttp.get(url, "/status?scope=galaxy").status()).isEqualTo(400);
        assertThat(RawHttp.get(url, "/status?path=global.nobody").status()).isEqualTo(404);
        assertThat(RawHttp.get(url, "/status?depth=x").status()).isEqualTo(400);
        assertThat(RawHttp.get(url, "/nothing").status()).isEqualTo(404);
        assertThat(RawHttp.get(url, "/status/").status()).isIn(200, 404);
    }

    @Test
    void aPercentSignThatStandsForNothingIsNotUnderstoodAndNoFaultOfTheNode() {
        String log = logOf(() -> {
            for (String target :
                    List.of("/status?depth=%zz", "/status?%", "/status/stream?depth=%zz", "/metrics?%c3%zz", "/%zz")) {
                RawHttp.Response answer = RawHttp.get(url, target);
                assertThat(answer.status()).as(target).isEqualTo(400);
                assertThat(answer.body()).isEqualTo("this request is not understood\n");
            }
        });
        // Others may log exceptions of theirs meanwhile, such as that a thread is late.
        assertThat(log)
                .doesNotContain("a request for status failed", "Unhandled exception", "IllegalArgumentException");
    }

    /** {@return what is logged meanwhile} The logger of the tests writes to the standard error stream. */
    private static String logOf(Runnable code) {
        PrintStream before = System.err;
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        try (PrintStream log = new PrintStream(written, true, StandardCharsets.UTF_8)) {
            System.setErr(log);
            code.run();
        } finally {
            System.setErr(before);
        }
        return written.toString(StandardCharsets.UTF_8);
    }

    @Test
    void M10_jsonForADrawingHasWhatIsDrawnAndNoMore() {
        FastnContext crowd =
                FastnVertx.install(VERTX).runtime().root().child("crowd").open();
        List<FastnContext> members = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            members.add(crowd.child("one-" + i % 7).open());
        }
        StatusSnapshot whole =
                StatusJson.readSnapshot(RawHttp.get(url, "/status?format=json").body());
        StatusSnapshot some = StatusJson.readSnapshot(
                RawHttp.get(url, "/status?format=json&lines=20").body());
        assertThat(count(whole.globalContext())).isGreaterThan(300);
        assertThat(count(some.globalContext())).isLessThanOrEqualTo(40);
        StatusRenderer narrow = StatusRenderer.plain().maxTreeLines(20);
        assertThat(names(narrow.render(some))).isEqualTo(names(narrow.render(whole)));
        ClusterStatus cluster = StatusJson.readCluster(
                RawHttp.get(url, "/status?scope=cluster&format=json&lines=20").body());
        assertThat(count(requireNonNull(cluster.nodes().get(0).snapshot()).globalContext()))
                .isLessThanOrEqualTo(40);
        members.forEach(FastnContext::close);
        crowd.close();
    }

    private static long count(ContextStatus root) {
        long count = 0;
        Deque<ContextStatus> open = new ArrayDeque<>(List.of(root));
        while (!open.isEmpty()) {
            count++;
            open.pop().children().forEach(open::push);
        }
        return count;
    }

    /** The tree without its times. */
    private static List<String> names(String drawn) {
        return drawn.lines()
                .filter(line -> line.contains("── "))
                .map(line -> line.replaceAll("( \\(\\D.*|, oldest).*", ""))
                .map(line -> line.replaceAll(" \\(\\d.*", ""))
                .toList();
    }

    @Test
    void healthSaysWhoAnswers() {
        RawHttp.Response health = RawHttp.get(url, "/health");
        assertThat(health.status()).isEqualTo(200);
        JsonObject body = new JsonObject(health.body());
        assertThat(body.getString("status")).isEqualTo("UP");
        assertThat(body.getString("alias")).isEqualTo("alice");
    }

    @Test
    void aHeadRequestIsAnsweredWithoutABody() {
        RawHttp.Response head =
                RawHttp.send(url, "HEAD /status HTTP/1.1\r\nHost: " + authority() + "\r\nConnection: close\r\n\r\n");
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        assertThat(Integer.parseInt(head.headers().get("content-length"))).isPositive();
    }

    @Test
    void S8_theSecurityHeadersAreOnEveryAnswer() {
        List<RawHttp.Response> answers = List.of(
                RawHttp.get(url, "/status"),
                RawHttp.get(url, "/status?format=json"),
                RawHttp.get(url, "/status?scope=cluster"),
                RawHttp.get(url, "/status?bad=1"),
                RawHttp.get(url, "/health"),
                RawHttp.get(url, "/nothing"),
                RawHttp.get(url, "/%zz"),
                RawHttp.get(url, "/status", "Host: evil.com"),
                RawHttp.get(url, "/status", "Origin: http://evil.com"),
                RawHttp.get(url, "/" + "x".repeat(5_000)),
                RawHttp.send(url, "POST /status HTTP/1.1\r\nHost: " + authority() + "\r\nConnection: close\r\n\r\n"));
        assertThat(answers).allSatisfy(answer -> {
            assertThat(answer.headers())
                    .as("status " + answer.status())
                    .containsEntry("cache-control", "no-store")
                    .containsEntry("x-content-type-options", "nosniff")
                    .containsEntry("referrer-policy", "no-referrer")
                    .containsEntry("cross-origin-resource-policy", "same-origin")
                    .hasEntrySatisfying(
                            "content-security-policy",
                            csp -> assertThat(csp)
                                    .contains("default-src 'none'")
                                    .contains("frame-ancestors 'none'"));
            assertThat(answer.headers()).doesNotContainKey("access-control-allow-origin");
        });
    }

    @Test
    void S9_aForeignHostIsMisdirected() {
        int port = Integer.parseInt(url.substring(url.lastIndexOf(':') + 1));
        for (String host : List.of(
                "evil.com",
                "127.0.0.1.evil.com:" + port,
                "localhost.:" + port,
                "127.0.0.1:" + (port ^ 1),
                "127.0.0.1")) {
            assertThat(RawHttp.get(url, "/status", "Host: " + host).status())
                    .as(host)
                    .isEqualTo(421);
        }
        assertThat(RawHttp.get(url, "/status", "host:none").status()).isEqualTo(421);
        assertThat(RawHttp.get(url, "/status", "Host: " + authority(), "Host: evil.com")
                        .status())
                .isIn(400, 421);
        assertThat(RawHttp.get(url, "/status", "Host: localhost:" + port).status())
                .isEqualTo(200);
    }

    @Test
    void S10_pagesOfOtherOriginsAreRefused() {
        assertThat(RawHttp.get(url, "/status", "Origin: http://evil.com").status())
                .isEqualTo(403);
        assertThat(RawHttp.get(url, "/status", "Origin: null").status()).isEqualTo(403);
        assertThat(RawHttp.get(url, "/status", "Sec-Fetch-Site: cross-site").status())
                .isEqualTo(403);
        assertThat(RawHttp.get(url, "/status", "Origin: " + url).status()).isEqualTo(200);
    }

    @Test
    void S11_onlyGetAndHeadAreAnswered() {
        for (String method : List.of("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW", "CONNECT")) {
            RawHttp.Response answer = RawHttp.send(
                    url,
                    method + " /status HTTP/1.1\r\nHost: " + authority()
                            + "\r\nX-Http-Method-Override: GET\r\nConnection: close\r\n\r\n");
            assertThat(answer.status()).as(method).isEqualTo(405);
            assertThat(answer.headers()).containsEntry("allow", "GET, HEAD");
        }
    }

    @Test
    void S12_longLinesLargeHeadersAndBodiesAreRefused() {
        assertThat(RawHttp.get(url, "/status?x=" + "y".repeat(2_000)).status()).isEqualTo(414);
        assertThat(RawHttp.get(url, "/status", "X-Large: " + "y".repeat(9_000)).status())
                .isEqualTo(431);
        assertThat(RawHttp.send(
                                url,
                                "GET /status HTTP/1.1\r\nHost: " + authority()
                                        + "\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
                        .status())
                .isEqualTo(413);
    }

    @Test
    void S12_moreConnectionsThanSixtyFourAreClosedAndTheOthersAreServed() throws IOException {
        URI uri = URI.create(url);
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < 80; i++) {
                sockets.add(new Socket(uri.getHost(), uri.getPort()));
            }
            await().until(() ->
                    sockets.stream().filter(StatusPortTest::isClosedByPeer).count() >= 16);
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        await().untilAsserted(
                        () -> assertThat(RawHttp.get(url, "/health").status()).isEqualTo(200));
    }

    private static boolean isClosedByPeer(Socket socket) {
        try {
            socket.setSoTimeout(1);
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static String authority() {
        return url.substring("http://".length());
    }

    @Test
    void whyAndSinceWhenSomethingIsStuckIsTold() {
        FastnContext root = FastnVertx.install(VERTX).runtime().root();
        FastnContext holder = root.child("keeper").open();
        FastnContext waiter = root.child("patient")
                .withSetting(Thresholds.WAITER_STUCK, Duration.ofMillis(1))
                .open();
        var held = holder.mutex("stock").tryLock();
        try (holder;
                waiter;
                held) {
            assertThat(held).isNotNull();
            assertThat(RawHttp.get(url, "/status/explain?context=global.patient")
                            .status())
                    .isEqualTo(200);
            assertThat(RawHttp.get(url, "/status/explain?context=nobody").status())
                    .isEqualTo(404);
            RawHttp.Response all = RawHttp.get(url, "/status/explain?format=json");
            assertThat(new JsonObject(all.body()).getString("kind")).isEqualTo("explanations");
            assertThat(RawHttp.get(url, "/status/explain?scope=cluster").status())
                    .isEqualTo(200);
            RawHttp.Response episodes = RawHttp.get(url, "/status/episodes?format=json");
            assertThat(new JsonObject(episodes.body()).getJsonArray("episodes")).isNotNull();
            assertThat(RawHttp.get(url, "/status/episodes").status()).isEqualTo(200);
        }
    }

    @Test
    void whyIsDrawnOverHttpAsOnTheBusEachRootOnceHoweverManyWaitForIt() {
        FastnContext root = FastnVertx.install(VERTX).runtime().root();
        FastnContext clerk = root.child("clerk").open();
        ContextMutex<?> scale = clerk.mutex("scale");
        LockGuard<?> guard = requireNonNull(scale.tryLock());
        List<FastnContext> customers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            FastnContext customer = root.child("customer-" + i)
                    .withSetting(Thresholds.WAITER_STUCK, Duration.ofMillis(1))
                    .open();
            customers.add(customer);
            try (ContextScope ignored = customer.makeCurrent()) {
                scale.lock();
            }
        }
        await().until(() ->
                new JsonObject(RawHttp.get(url, "/status/explain?format=json").body()).getInteger("count") >= 3);
        for (String drawn : List.of(
                RawHttp.get(url, "/status/explain").body(),
                RawHttp.get(url, "/status/explain?scope=cluster").body(),
                String.valueOf(Waiting.result(VERTX.eventBus()
                                .request(
                                        "fastn.status",
                                        new JsonObject().put("explain", true).put("format", "text")))
                        .body()))) {
            assertThat(drawn.lines().filter(line -> line.startsWith("clerk")))
                    .as(drawn)
                    .hasSize(1);
            assertThat(drawn).contains("3 contexts wait behind it");
        }
        assertThat(RawHttp.get(url, "/status/explain?format=ansi").body()).contains("\u001b[31m");
        customers.forEach(FastnContext::cancel);
        customers.forEach(FastnContext::close);
        guard.close();
        clerk.close();
    }

    @Test
    void metricsAreToldToWhoCollectsThem() {
        RawHttp.Response plain = RawHttp.get(url, "/metrics");
        assertThat(plain.status()).isEqualTo(200);
        assertThat(plain.headers()).containsEntry("content-type", MetricsText.PROMETHEUS_TYPE);
        assertThat(plain.body()).contains("fastn_node{alias=\"alice\"");
        RawHttp.Response open = RawHttp.get(url, "/metrics", "Accept: application/openmetrics-text;version=1.0.0");
        assertThat(open.headers()).containsEntry("content-type", MetricsText.OPEN_METRICS_TYPE);
        assertThat(open.body()).endsWith("# EOF\n");
    }
}
