package com.fastn.examples.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.NetClient;
import io.vertx.ext.web.client.WebClient;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The shop under customers who order, order nonsense, leave before they are served, and are cancelled wherever they are; while
 * the mailer is deployed anew and the audit holds up everybody. When they have gone, nothing of them is left.
 *
 * <p>{@code -Dsoak.seconds=3600} goes on for an hour; {@code -Dsoak.seed=17} repeats the choices of a run.
 */
@Timeout(value = 2, unit = TimeUnit.HOURS)
class ShopSoakTest {
    private static final Duration LENGTH = Duration.ofSeconds(Long.getLong("soak.seconds", 6));
    private static final int AT_ONCE = 40;
    /** So that customers come on a machine, too, that takes all of the time for something else. */
    private static final int LEAST_TURNS = 300;

    private final long seed = Long.getLong("soak.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final Vertx shop = Vertx.vertx();
    private final ContextRuntime runtime = FastnVertx.install(shop).runtime();
    private final FrontVerticle front = new FrontVerticle(0);
    private String mailer = "";

    private final AtomicInteger underway = new AtomicInteger();
    private final AtomicInteger placed = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private int left;
    private int cancelled;
    private int redeployed;

    @BeforeEach
    void open() {
        result(shop.deployVerticle(new StatusVerticle(
                new StatusOptions().setAlias("soak").setDescriptors(false).setHttp(false))));
        result(shop.deployVerticle(front));
        result(shop.deployVerticle(
                new InventoryVerticle(),
                new DeploymentOptions()
                        .setConfig(new JsonObject().put("auditEvery", 700L).put("auditTakes", 300L))));
        result(shop.deployVerticle(
                PaymentVerticle::new,
                new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER).setInstances(4)));
        mailer = result(shop.deployVerticle(new MailerVerticle()));
    }

    @AfterEach
    void close() {
        result(shop.close());
    }

    private static <T> T result(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }

    @Test
    void whenAllCustomersHaveGoneNothingOfThemIsLeft() {
        // What is in the tree from its first use on is there by then.
        serve(Duration.ofMillis(300), false);
        Rest before = await().atMost(Duration.ofSeconds(60)).until(this::rest, Rest::isQuiet);

        serve(LENGTH, true);
        await("seed " + seed)
                .atMost(Duration.ofSeconds(90))
                .pollInterval(Duration.ofMillis(100))
                .untilAsserted(() -> assertThat(rest()).isEqualTo(before));

        System.out.printf(
                "soak: %d placed, %d refused, %d failed, %d left, %d cancelled, %d redeployments%n",
                placed.get(), refused.get(), failed.get(), left, cancelled, redeployed);
        assertThat(placed.get()).as("orders that were placed").isPositive();
        assertThat(refused.get()).as("orders that were refused").isPositive();
        assertThat(left).as("customers who left").isPositive();
        assertThat(cancelled).as("contexts that were cancelled").isPositive();
        assertThat(runtime.root().subtreeTotal("cancelled_requests")).isPositive();
        assertThat(runtime.misuses()).as("seed %d", seed).isEmpty();
    }

    /** What is open, held, waited for and counted as live. */
    private record Rest(
            Map<String, Integer> contexts,
            List<String> working,
            List<String> held,
            List<String> waiting,
            List<String> operations,
            Map<String, Long> live) {
        /**
         * Whether nobody is at work, not the audit either, which the shop does by itself, and the shop has heard that its
         * customers have hung up.
         */
        boolean isQuiet() {
            return working.isEmpty() && held.isEmpty() && waiting.isEmpty() && operations.isEmpty() && live.isEmpty();
        }
    }

    private Rest rest() {
        StatusSnapshot status = runtime.status();
        Map<String, Integer> contexts = new TreeMap<>();
        List<String> working = new ArrayList<>();
        List<String> operations = new ArrayList<>();
        Deque<ContextStatus> toVisit = new ArrayDeque<>(List.of(status.globalContext()));
        for (ContextStatus context = toVisit.poll(); context != null; context = toVisit.poll()) {
            contexts.merge(context.path().toString(), 1, Integer::sum);
            if (context.kind() != ContextKind.ROOT && context.kind() != ContextKind.SERVICE) {
                working.add(context.path().toString());
            }
            context.operations().forEach(operation -> operations.add(operation.name()));
            toVisit.addAll(context.children());
        }
        Map<String, Long> live = new TreeMap<>();
        runtime.counters().flat(runtime.root().path()).forEach((name, value) -> {
            if (name.substring(name.lastIndexOf('.') + 1).startsWith("live_") && value != 0) {
                live.put(name, value);
            }
        });
        return new Rest(
                contexts,
                working,
                status.activeLocks().stream().map(LockStatus::name).toList(),
                status.lockWaiters().stream().map(waiter -> waiter.lockName()).toList(),
                operations,
                live);
    }

    /** Serves customers for some time, and waits until the last of them has gone. */
    private void serve(Duration time, boolean trouble) {
        Vertx town = FastnVertx.withoutContexts(Vertx::vertx);
        try {
            WebClient orders = WebClient.create(town);
            NetClient impatient = town.createNetClient();
            long end = System.nanoTime() + time.toNanos();
            for (int turn = 0; turn < LEAST_TURNS || System.nanoTime() - end < 0; turn++) {
                if (underway.get() < AT_ONCE) {
                    come(orders, impatient, trouble);
                }
                if (trouble && turn % 4 == 0) {
                    cancelSomebody();
                }
                if (trouble && turn % 300 == 299) {
                    result(shop.undeploy(mailer));
                    mailer = result(shop.deployVerticle(new MailerVerticle()));
                    redeployed++;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(3));
            }
            await("the last customer of " + seed).atMost(Duration.ofSeconds(60)).until(() -> underway.get() == 0);
        } finally {
            result(town.close());
        }
    }

    private void come(WebClient orders, NetClient impatient, boolean trouble) {
        int kind = trouble ? random.nextInt(10) : 9;
        if (kind == 0) {
            leave(impatient);
        } else {
            underway.incrementAndGet();
            JsonObject order = kind == 1
                    ? new JsonObject().put("customer", "")
                    : new JsonObject().put("customer", "ann").put("item", "tea").put("quantity", 1);
            orders.postAbs(front.url())
                    .timeout(kind == 2 ? 1L + random.nextInt(100) : 40_000L)
                    .sendJsonObject(order)
                    .onSuccess(answer -> (answer.statusCode() == 201 ? placed : refused).incrementAndGet())
                    .onFailure(gone -> failed.incrementAndGet())
                    .onComplete(done -> underway.decrementAndGet());
        }
    }

    /** Orders, and closes the connection before there is an answer. */
    private void leave(NetClient impatient) {
        left++;
        underway.incrementAndGet();
        URI shopDoor = URI.create(front.url());
        long patience = 1L + random.nextInt(80);
        String order = "{\"customer\":\"ben\",\"item\":\"tea\",\"quantity\":1}";
        impatient
                .connect(shopDoor.getPort(), shopDoor.getHost())
                .compose(socket -> socket.write(
                                "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
                                        + "Content-Length: " + order.length() + "\r\n\r\n" + order)
                        .compose(sent -> shop.timer(patience, TimeUnit.MILLISECONDS))
                        .compose(tired -> socket.close()))
                .onComplete(gone -> underway.decrementAndGet());
    }

    /** Cancels a request, a message, or a part of one, wherever it is. */
    private void cancelSomebody() {
        List<FastnContext> open = new ArrayList<>();
        Deque<FastnContext> toVisit = new ArrayDeque<>(runtime.root().children());
        for (FastnContext context = toVisit.poll(); context != null; context = toVisit.poll()) {
            if (context.kind() != ContextKind.SERVICE) {
                open.add(context);
            }
            toVisit.addAll(context.children());
        }
        if (!open.isEmpty()) {
            open.get(random.nextInt(open.size())).cancel("the soak");
            cancelled++;
        }
    }
}
