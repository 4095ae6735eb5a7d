package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.vertx.FastnVertx;
import com.hazelcast.config.Config;
import io.vertx.core.Completable;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.RegistrationInfo;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** A node whose cluster manager takes its time to say who is there. */
class HelloExchangeTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    /** Does not say who listens for hellos, where it is asked for the first time, until it is let go on. */
    private static final class HeldManager extends HazelcastClusterManager {
        final BlockingQueue<Runnable> held = new LinkedBlockingQueue<>();
        private final AtomicBoolean holds = new AtomicBoolean(true);

        HeldManager(Config config) {
            super(config);
        }

        @Override
        public void getRegistrations(String address, Completable<List<RegistrationInfo>> found) {
            if (address.equals(HelloExchange.ADDRESS) && holds.compareAndSet(true, false)) {
                held.add(() -> super.getRegistrations(address, found));
            } else {
                super.getRegistrations(address, found);
            }
        }
    }

    @Test
    void D7_aNodeThatHasSaidGoodbyeSaysNothingMoreThoughItIsToldOnlyThenWhoIsThere() throws InterruptedException {
        try (TestCluster cluster = TestCluster.of(1, HeldManager::new)) {
            Vertx vertx = cluster.node(0);
            HeldManager manager = (HeldManager) ((VertxInternal) vertx).clusterManager();
            List<Object> heard = new CopyOnWriteArrayList<>();
            Waiting.result(vertx.eventBus()
                    .<JsonObject>consumer(
                            HelloExchange.ADDRESS,
                            hello -> heard.add(hello.body().getValue("kind")))
                    .completion());
            FastnVertx fastn = FastnVertx.install(vertx);
            NodeIdentity self = fastn.node();
            WorkerExecutor worker = vertx.createSharedWorkerExecutor("hellos", 1);
            HelloExchange exchange = new HelloExchange(
                    vertx,
                    Registry.of(vertx, "hellos"),
                    worker,
                    new LocalStatus(fastn.runtime(), null, List.of()),
                    new NodeDirectory(self, BootTime.of(self), Duration.ofHours(1), new ManualTicker(Instant.EPOCH)),
                    () -> false,
                    false,
                    () -> {});
            Context context = vertx.getOrCreateContext();
            Future<Future<Void>> started =
                    Future.future(promise -> context.runOnContext(now -> promise.complete(exchange.start(0))));
            Future<Void> meeting = Waiting.result(started);
            Runnable late = manager.held.take();

            Future<Void> stopped = Future.future(
                    promise -> context.runOnContext(now -> exchange.stop().onComplete(promise)));
            Waiting.result(stopped);
            late.run();
            Waiting.result(meeting);

            context.runOnContext(
                    now -> vertx.eventBus().publish(HelloExchange.ADDRESS, new JsonObject().put("kind", "last")));
            await().atMost(SOON).until(() -> heard.contains("last"));
            assertThat(heard).containsExactly("goodbye", "last");
        }
    }

    @Test
    void S16_whoHearsItsOwnGoodbyeSaysAtOnceThatItIsThereAndNotMoreThanTwiceASecond() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnVertx fastn = FastnVertx.install(vertx);
            NodeIdentity self = fastn.node();
            List<Object> heard = new CopyOnWriteArrayList<>();
            Waiting.result(vertx.eventBus()
                    .<JsonObject>consumer(
                            HelloExchange.ADDRESS,
                            hello -> heard.add(hello.body().getValue("kind")))
                    .completion());
            HelloExchange exchange = alone(vertx, fastn, () -> false);
            Context context = vertx.getOrCreateContext();
            Waiting.result(Future.<Void>future(
                    promise -> context.runOnContext(now -> exchange.start(0).onComplete(promise))));

            publish(vertx, new Hello(self, BootTime.of(self), Hello.Kind.GOODBYE, null));
            await().atMost(SOON).until(() -> heard.contains("goodbye"));
            await("who heard the goodbye later than this hears it again")
                    .atMost(SOON)
                    .until(() -> heard.stream().filter("newcomer"::equals).count() == 3);
            assertThat(heard).containsExactly("newcomer", "goodbye", "newcomer", "newcomer");

            heard.clear();
            publish(vertx, new Hello(new NodeIdentity("mallory", self.incarnation()), 1, Hello.Kind.ALIVE, null));
            await().atMost(SOON)
                    .until(() -> heard.stream().filter("newcomer"::equals).count() == 2);

            heard.clear();
            long begun = System.nanoTime();
            for (int i = 0; i < 1_000; i++) {
                publish(vertx, new Hello(self, BootTime.of(self), Hello.Kind.GOODBYE, null));
            }
            vertx.eventBus().publish(HelloExchange.ADDRESS, new JsonObject().put("kind", "last"));
            // It hears on another event loop than this.
            await().atMost(SOON).until(() -> heard.contains("last") && heard.contains("newcomer"));
            long most = 2 * (2 + (System.nanoTime() - begun) / 1_000_000_000);
            assertThat(heard.stream().filter("newcomer"::equals).count()).isBetween(1L, most);
            Waiting.result(Future.<Void>future(
                    promise -> context.runOnContext(now -> exchange.stop().onComplete(promise))));
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void whoIsWatchedSpeaksMoreOftenFromItsNextWordOn() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnVertx fastn = FastnVertx.install(vertx);
            List<Object> heard = new CopyOnWriteArrayList<>();
            Waiting.result(vertx.eventBus()
                    .<JsonObject>consumer(
                            HelloExchange.ADDRESS,
                            hello -> heard.add(hello.body().getValue("kind")))
                    .completion());
            AtomicBoolean watched = new AtomicBoolean();
            HelloExchange exchange = alone(vertx, fastn, watched::get);
            Context context = vertx.getOrCreateContext();
            Waiting.result(Future.<Void>future(promise ->
                    context.runOnContext(now -> exchange.start(3_600_000).onComplete(promise))));
            watched.set(true);
            context.runOnContext(now -> exchange.speak());
            await("the time of the next word was an hour away")
                    .atMost(SOON)
                    .until(() -> heard.stream().filter("alive"::equals).count() >= 2);
            Waiting.result(Future.<Void>future(
                    promise -> context.runOnContext(now -> exchange.stop().onComplete(promise))));
        } finally {
            Waiting.result(vertx.close());
        }
    }

    @Test
    void D7_whoCannotCountItselfForASecondSpeaksAllTheSame() {
        Vertx vertx = Vertx.vertx();
        CountDownLatch busy = new CountDownLatch(1);
        try {
            FastnVertx fastn = FastnVertx.install(vertx);
            List<Boolean> counted = new CopyOnWriteArrayList<>();
            Waiting.result(vertx.eventBus()
                    .<JsonObject>consumer(HelloExchange.ADDRESS, hello -> {
                        if ("alive".equals(hello.body().getString("kind"))) {
                            counted.add(hello.body().containsKey("summary"));
                        }
                    })
                    .completion());
            HelloExchange exchange = alone(vertx, fastn, () -> false);
            Context context = vertx.getOrCreateContext();
            Waiting.result(Future.<Void>future(
                    promise -> context.runOnContext(now -> exchange.start(0).onComplete(promise))));
            Future<Boolean> hanging = vertx.createSharedWorkerExecutor("hellos", 1)
                    .executeBlocking(() -> busy.await(10, TimeUnit.MINUTES), false);

            context.runOnContext(now -> exchange.speak());
            await("its worker hangs").atMost(SOON).until(() -> counted.equals(List.of(false)));

            busy.countDown();
            Waiting.result(hanging);
            await().atMost(SOON).until(() -> {
                context.runOnContext(now -> exchange.speak());
                return counted.contains(true);
            });
            Waiting.result(Future.<Void>future(
                    promise -> context.runOnContext(now -> exchange.stop().onComplete(promise))));
        } finally {
            busy.countDown();
            Waiting.result(vertx.close());
        }
    }

    /** Its bearer hears what is told to all, and answers; what is told to one node alone it cannot contradict. */
    @Test
    void S16_whatANodeTellsAllIsNotBelievedWhereOneAloneIsToldIt() {
        Vertx vertx = Vertx.vertx();
        try {
            FastnVertx fastn = FastnVertx.install(vertx);
            NodeDirectory directory = directoryOf(fastn.node());
            HelloExchange exchange = alone(vertx, fastn, directory, () -> false);
            Context context = vertx.getOrCreateContext();
            Waiting.result(Future.<Void>future(
                    promise -> context.runOnContext(now -> exchange.start(0).onComplete(promise))));
            String direct = HelloExchange.ADDRESS + "." + fastn.node().incarnation();
            NodeIdentity bob = new NodeIdentity("bob", "bbbb-1");
            NodeIdentity carol = new NodeIdentity("carol", "cccc-1");
            NodeIdentity dave = new NodeIdentity("dave", "dddd-1");
            publish(vertx, new Hello(bob, 1, Hello.Kind.NEWCOMER, null));

            for (String to : List.of(HelloExchange.ADDRESS, direct)) {
                send(vertx, to, new Hello(new NodeIdentity("mallory", "bbbb-1"), 1, Hello.Kind.NEWCOMER, null));
                send(vertx, to, new Hello(bob, 1, Hello.Kind.GOODBYE, null));
            }
            send(
                    vertx,
                    HelloExchange.ADDRESS,
                    new Hello(new NodeIdentity("erin", "eeee-1"), 1, Hello.Kind.ALIVE, null));
            publish(vertx, new Hello(carol, 1, Hello.Kind.ALIVE, null));
            send(vertx, direct, new Hello(dave, 1, Hello.Kind.ALIVE, null));

            await("what came before these was heard too")
                    .atMost(SOON)
                    .until(() -> directory.isKnown(carol) && directory.isKnown(dave));
            assertThat(directory.peers()).extracting(NodeDirectory.Peer::node).containsExactly(bob, carol, dave);
            Waiting.result(Future.<Void>future(
                    promise -> context.runOnContext(now -> exchange.stop().onComplete(promise))));
        } finally {
            Waiting.result(vertx.close());
        }
    }

    private static void send(Vertx vertx, String to, Hello hello) {
        vertx.eventBus().send(to, new JsonObject(hello.toMap()));
    }

    private static NodeDirectory directoryOf(NodeIdentity self) {
        return new NodeDirectory(self, BootTime.of(self), Duration.ofHours(1), new ManualTicker(Instant.EPOCH));
    }

    private static void publish(Vertx vertx, Hello hello) {
        vertx.eventBus().publish(HelloExchange.ADDRESS, new JsonObject(hello.toMap()));
    }

    private static HelloExchange alone(Vertx vertx, FastnVertx fastn, BooleanSupplier watched) {
        return alone(vertx, fastn, directoryOf(fastn.node()), watched);
    }

    private static HelloExchange alone(
            Vertx vertx, FastnVertx fastn, NodeDirectory directory, BooleanSupplier watched) {
        return new HelloExchange(
                vertx,
                null,
                vertx.createSharedWorkerExecutor("hellos", 1),
                new LocalStatus(fastn.runtime(), null, List.of()),
                directory,
                watched,
                false,
                () -> {});
    }
}
