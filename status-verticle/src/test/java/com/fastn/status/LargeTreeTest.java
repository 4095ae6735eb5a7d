package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.ReadStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A hundred thousand contexts on one node. What an event loop does for a question is measured in processor time of its thread,
 * which other work of the machine does not add to: no turn of it can have been longer than all of them together. Of seven times
 * the one in the middle counts, for the first runs code that is not compiled yet.
 */
@Timeout(300)
@SuppressWarnings("MustBeClosedChecker") // the runtime ends with the test
class LargeTreeTest {
    private static final int CONTEXTS = 100_000;
    private static final int ROUNDS = 7;
    private static final Duration LONGEST = Duration.ofMillis(10);
    private static final DeliveryOptions BYTES =
            new DeliveryOptions().setSendTimeout(60_000).addHeader(ClusterQuery.WIRE_HEADER, ClusterQuery.WIRE_VERSION);
    private static final DeliveryOptions PATIENT = new DeliveryOptions().setSendTimeout(60_000);
    private static final Vertx VERTX = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final AtomicInteger onWorkers = new AtomicInteger();
    private static final AtomicInteger onEventLoops = new AtomicInteger();

    private static String url = "";

    @BeforeAll
    static void grow() {
        StatusVerticle verticle = new StatusVerticle(new StatusOptions()
                .setAlias("large")
                .setDescriptors(false)
                .setSystemMetrics(false)
                .setQueryTimeout(60_000));
        Waiting.result(VERTX.deployVerticle(verticle));
        url = requireNonNull(verticle.url());
        FastnVertx fastn = FastnVertx.install(VERTX);
        FastnContext batch = fastn.runtime().root();
        for (int i = 0; i < CONTEXTS; i++) {
            if (i % 100 == 0) {
                batch = fastn.runtime().root().child("batch-" + i).open();
            } else {
                batch.child("job-" + i).open().addMetric("items", i);
            }
        }
        // Whoever takes a snapshot asks for these.
        var unused = fastn.runtime().setSystemMetrics(() -> {
            (Context.isOnEventLoopThread() ? onEventLoops : onWorkers).incrementAndGet();
            return null;
        });
    }

    @AfterAll
    static void close() {
        Waiting.result(VERTX.close());
    }

    @Test
    void S22_noQuestionAboutAHundredThousandContextsHoldsAnEventLoopForTenMilliseconds() {
        StatusClient client = StatusClient.create(VERTX).withTimeout(Duration.ofSeconds(60));
        Map<String, Supplier<Future<?>>> questions = new LinkedHashMap<>();
        questions.put("bytes for a node", () -> ask("fastn.status.node.large", new JsonObject(), BYTES));
        questions.put("bytes for a program", () -> ask("fastn.status.query", new JsonObject(), BYTES));
        questions.put("json", () -> ask("fastn.status", new JsonObject(), PATIENT));
        questions.put("text", () -> ask("fastn.status", new JsonObject().put("format", "text"), PATIENT));
        questions.put("a part", () -> ask("fastn.status", new JsonObject().put("path", "global.batch-500"), PATIENT));
        questions.put("why", () -> ask("fastn.status", new JsonObject().put("explain", true), PATIENT));
        questions.put("the first page of all", () -> ask("fastn.status.node.large", page(), BYTES));
        questions.put("StatusClient.status()", client::status);
        questions.put("the begin of a stream", () -> firstOf(client));

        List<String> figures = new ArrayList<>();
        questions.forEach((name, question) -> {
            List<Duration> took = new ArrayList<>();
            for (int i = 0; i < ROUNDS; i++) {
                took.add(onEventLoop(() -> Waiting.result(question.get())));
            }
            took.sort(Comparator.naturalOrder());
            Duration median = took.get(ROUNDS / 2);
            figures.add(String.format(
                    "%-24s %6.2f ms, %6.2f ms at most",
                    name, median.toNanos() / 1e6, took.get(ROUNDS - 1).toNanos() / 1e6));
            assertThat(median).as(name).isLessThan(LONGEST);
        });
        figures.add(String.format(
                "%-24s %6.2f ms",
                "over HTTP", onEventLoop(LargeTreeTest::overHttp).toNanos() / 1e6));
        System.out.println("processor time of the event loop for a question about " + CONTEXTS + " contexts:");
        figures.forEach(System.out::println);

        assertThat(onWorkers.get()).isPositive();
        assertThat(onEventLoops).hasValue(0);
    }

    private static void overHttp() {
        for (String target : List.of("/status?format=json", "/status?scope=cluster&format=json", "/status/explain")) {
            RawHttp.Response response = RawHttp.get(url, target);
            assertThat(response.status()).as(target).isEqualTo(200);
            if (target.contains("json")) {
                assertThat(response.body().length()).isLessThanOrEqualTo(StatusJson.ReadLimits.DEFAULT.maxLength());
            }
        }
    }

    private static JsonObject page() {
        return new JsonObject().put("page", "first");
    }

    private static Future<?> ask(String address, JsonObject question, DeliveryOptions options) {
        return VERTX.eventBus().request(address, question, options).onSuccess(reply -> {
            if (options.equals(BYTES)) {
                assertThat(((Buffer) reply.body()).length()).isPositive();
            }
        });
    }

    private static Future<ClusterStatus> firstOf(StatusClient client) {
        Promise<ClusterStatus> first = Promise.promise();
        ReadStream<ClusterStatus> stream = client.stream();
        stream.handler(status -> {
            if (first.tryComplete(status)) {
                stream.handler(null);
            }
        });
        return first.future();
    }

    /** {@return how long the event loop ran while something was done} It has a single one. */
    private static Duration onEventLoop(Runnable work) {
        long id = eventLoop();
        long before = THREADS.getThreadCpuTime(id);
        work.run();
        return Duration.ofNanos(THREADS.getThreadCpuTime(id) - before);
    }

    private static long eventLoop() {
        Promise<Long> id = Promise.promise();
        VERTX.runOnContext(now -> id.complete(Thread.currentThread().getId()));
        return Waiting.result(id.future());
    }
}
