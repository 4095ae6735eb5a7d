package com.fastn.context.engine;

import static com.fastn.context.Golden.golden;
import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.PermitGuard;
import com.fastn.context.Thresholds;
import com.fastn.context.status.BlockedPlace;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.StatusJson;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Faults that are planted, and the first line of the explanation, which has to name them. */
@SuppressWarnings("MustBeClosedChecker") // that nobody closes is the fault
class FaultScenariosTest {
    private static final Duration LONG = Duration.ofSeconds(12);

    @RegisterExtension
    final TestTree tree = new TestTree();

    private final CountDownLatch atEnd = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();
    private final List<CompletableFuture<?>> open = new ArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        atEnd.countDown();
        tree.root.children().forEach(FastnContext::cancel);
        for (Thread thread : threads) {
            thread.join(20_000);
        }
    }

    /** What is planted, who is asked about, and what the first line has to say. */
    private record Scene(String about, Consumer<FaultScenariosTest> plant, List<String> firstLine) {}

    private static Arguments scene(String name, String about, Consumer<FaultScenariosTest> plant, String... firstLine) {
        return Arguments.of(name, new Scene(about, plant, List.of(firstLine)));
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                scene(
                        "a holder that forgot its guard",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.wants("req", "orders");
                        },
                        "settle: no sign of life for 12s, and holds mutex \"orders\"",
                        "req waits for mutex \"orders\" 12s"),
                scene(
                        "a leaked guard of a context that has ended",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.wants("req", "orders");
                            t.at("settle").close();
                        },
                        "settle: has ended, and never gave back mutex \"orders\", held 12s"),
                scene(
                        "a holder in a slow query",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.at("settle").operation("db-query");
                            t.wants("req", "orders");
                            t.wants("req2", "orders");
                        },
                        "settle: inside of \"db-query\" 12s",
                        "2 contexts wait behind it"),
                scene(
                        "two branches of one context, of which one holds the lock in a slow query",
                        "front",
                        t -> {
                            t.takes("front", "orders");
                            t.at("front").operation("db-query");
                            t.wants("front", "orders");
                            t.wants("req", "orders");
                        },
                        "front: inside of \"db-query\" 12s; this or another branch of it waits for mutex \"orders\" 12s",
                        "1 context waits behind it"),
                scene(
                        "one who asked for a lock that it holds, and does nothing else",
                        "front",
                        t -> {
                            t.takes("front", "orders");
                            t.wants("front", "orders");
                        },
                        "front: no sign of life for 12s, and holds mutex \"orders\"; this or another branch of it waits for mutex"),
                scene(
                        "a slow query beside a message that was sent without waiting",
                        "req",
                        t -> {
                            t.sent("audit", "req");
                            t.at("req").operation("db-query");
                        },
                        "req: inside of \"db-query\" 12s"),
                scene(
                        "a ring of locks",
                        "a",
                        t -> t.ring(3),
                        "deadlock: ",
                        "a holds mutex \"m0\" for 12s and waits for mutex \"m1\"",
                        "c holds mutex \"m2\""),
                scene(
                        "a ring of raw guards",
                        "a",
                        t -> {
                            t.takes("a", "m");
                            t.takes("b", "n");
                            t.wants("a", "n");
                            t.wants("b", "m");
                        },
                        "suspected deadlock: ",
                        "b holds mutex \"n\""),
                scene(
                        "a ring that a timeout will end",
                        "a",
                        t -> {
                            t.takes("a", "m");
                            // What it holds goes back when its wait is out of time; a guard might stay open.
                            var unused = in(
                                    t.at("b"),
                                    () -> t.mutex("n")
                                            .withLock(n -> t.mutex("m")
                                                    .withLock(
                                                            Duration.ofMinutes(5),
                                                            CompletableFuture::completedFuture)));
                            t.wants("a", "n");
                        },
                        "suspected deadlock: ",
                        "resolves by itself within 4m 48s"),
                scene(
                        "a cancelled holder that ignores it",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.at("settle").cancel("the shop closes");
                            t.wants("req", "orders");
                        },
                        "settle: was asked to stop (the shop closes) and has not: no sign of life for 12s"),
                scene(
                        "a cancelled holder that goes on with its query",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.at("settle").operation("db-query");
                            t.at("settle").cancel("enough");
                            t.wants("req", "orders");
                        },
                        "settle: was asked to stop (enough) and has not: inside of \"db-query\" 12s"),
                scene(
                        "a writer starved by a leaked reader",
                        "writer",
                        t -> {
                            t.reads("report", "table");
                            t.writes("writer", "table");
                            t.at("report").close();
                        },
                        "report: has ended, and never gave back rwlock \"table\"",
                        "writer waits to write rwlock \"table\""),
                scene(
                        "a reader behind a writer behind a reader in a slow query",
                        "late",
                        t -> {
                            t.reads("report", "table");
                            t.at("report").operation("scan");
                            t.writes("writer", "table");
                            t.reads("late", "table");
                        },
                        "report: inside of \"scan\" 12s",
                        "late waits to read rwlock \"table\""),
                scene(
                        "permits that were lost",
                        "req",
                        t -> {
                            t.permits("batch", "connections", 2);
                            t.permits("req", "connections", 1);
                            t.at("batch").close();
                        },
                        "batch: has ended, and never gave back 2 of 2 permits of semaphore \"connections\""),
                scene(
                        "a large request at the head that waits for the last permit",
                        "small",
                        t -> {
                            t.permits("busy", "connections", 1);
                            t.at("busy").operation("upload");
                            t.permits("large", "connections", 2);
                            t.permits("small", "connections", 1);
                        },
                        "busy: inside of \"upload\" 12s",
                        "small waits for 1 permit of semaphore \"connections\"",
                        "2 contexts wait behind it"),
                scene(
                        "a knot of permits",
                        "a",
                        FaultScenariosTest::knot,
                        "deadlock: ",
                        "a holds 1 of 2 permits of semaphore \"connections\" for 12s and waits for 1 of 2 permits of"),
                scene(
                        "two requests that each have a connection and want one more",
                        "b",
                        t -> {
                            t.permits("a", "connections", 1);
                            t.permits("b", "connections", 1);
                            t.permits("a", "connections", 1);
                            t.permits("b", "connections", 1);
                        },
                        "suspected deadlock: ",
                        "b holds 1 of 2 permits of semaphore \"connections\" for 12s and waits for 1 of 2 permits of"),
                scene(
                        "two readers that both want to write",
                        "a",
                        t -> {
                            t.reads("a", "table");
                            t.reads("b", "table");
                            t.writes("a", "table");
                            t.writes("b", "table");
                        },
                        "suspected deadlock: ",
                        "a holds rwlock \"table\" for 12s (reading) and waits to write rwlock \"table\""),
                scene(
                        "a permit that was lost beside one of a healthy holder of two hours",
                        "req",
                        t -> {
                            t.permits("nightly", "connections", 1);
                            t.tree.passSeconds(7_200);
                            t.permits("batch", "connections", 1);
                            t.at("batch").close();
                            t.at("nightly").touch();
                            t.permits("req", "connections", 1);
                        },
                        "batch: has ended, and never gave back 1 of 2 permits of semaphore \"connections\", held 12s",
                        "req waits for 1 permit of semaphore \"connections\" 12s"),
                scene(
                        "a reader in a slow query beside an older one that is well",
                        "writer",
                        t -> {
                            t.reads("browse", "table");
                            t.tree.passSeconds(7_200);
                            t.reads("report", "table");
                            t.at("report").operation("scan");
                            t.writes("writer", "table");
                        },
                        "report: inside of \"scan\" 12s",
                        "writer waits to write rwlock \"table\" 12s"),
                scene(
                        "a reader that waits for a leaked lock beside an older one that is well",
                        "writer",
                        t -> {
                            t.reads("browse", "table");
                            t.tree.passSeconds(7_200);
                            t.takes("settle", "orders");
                            t.reads("report", "table");
                            t.wants("report", "orders");
                            t.writes("writer", "table");
                            t.at("settle").close();
                        },
                        "settle: has ended, and never gave back mutex \"orders\"",
                        "writer waits to write rwlock \"table\" 12s"),
                scene(
                        "a circle beside an older holder that is well",
                        "writer",
                        t -> {
                            t.reads("browse", "table");
                            t.tree.passSeconds(7_200);
                            t.knotOver("table");
                            t.writes("writer", "table");
                        },
                        "deadlock: ",
                        "writer waits to write rwlock \"table\" 12s"),
                scene(
                        "a chain over three locks",
                        "fourth",
                        t -> {
                            t.takes("first", "m1");
                            t.at("first").operation("fsync");
                            t.takes("second", "m2");
                            t.wants("second", "m1");
                            t.takes("third", "m3");
                            t.wants("third", "m2");
                            t.wants("fourth", "m3");
                        },
                        "first: inside of \"fsync\" 12s",
                        "fourth waits for mutex \"m3\"",
                        "3 contexts wait behind it"),
                scene(
                        "a request to a slow handler",
                        "req",
                        t -> {
                            t.at("req").operation("request bank.pay");
                            t.serves("bank.pay", "req").operation("ledger");
                        },
                        "bank.pay: inside of \"ledger\" 12s",
                        "req waits for a reply of \"bank.pay\""),
                scene(
                        "a request to a handler that never replies",
                        "req",
                        t -> {
                            t.at("req").operation("request bank.pay");
                            t.serves("bank.pay", "req");
                        },
                        "bank.pay: no sign of life for 12s",
                        "req waits for a reply of \"bank.pay\""),
                scene(
                        "a lock whose holder waits for a request whose handler waits for a lock",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.wants("req", "orders");
                            t.at("settle").operation("request bank.pay");
                            t.takes("audit", "ledger");
                            FastnContext handler = t.serves("bank.pay", "settle");
                            t.open.add(
                                    in(handler, () -> t.mutex("ledger").lock().toCompletableFuture()));
                        },
                        "audit: no sign of life for 12s",
                        "req waits for mutex \"orders\"",
                        "3 contexts wait behind it"),
                scene(
                        "a holder whose child is in a slow query",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.at("settle").child("load").open().operation("db-query");
                            t.wants("req", "orders");
                        },
                        "settle/load: inside of \"db-query\" 12s",
                        "req waits for mutex \"orders\""),
                scene(
                        "a holder that computes on a thread",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.onThread("settle", FaultScenariosTest::computes);
                            t.wants("req", "orders");
                        },
                        "settle: runs on a thread at FaultScenariosTest.java:",
                        "req waits for mutex \"orders\""),
                scene(
                        "a thread that blocks in one lock while it holds another",
                        "req",
                        t -> {
                            t.takes("idle", "inner");
                            t.takes("settle", "orders");
                            t.onThread("settle", () -> t.mutex("inner").lockBlocking());
                            t.wants("req", "orders");
                            await().until(() -> t.mutex("inner").waiters() == 1);
                        },
                        "idle: no sign of life for 12s, and holds mutex \"inner\"",
                        "req waits for mutex \"orders\"",
                        "2 contexts wait behind it"),
                scene(
                        "a slow query without any lock",
                        "report",
                        t -> t.at("report").operation("scan"),
                        "report: inside of \"scan\" 12s"),
                scene(
                        "a blocked event loop",
                        "req",
                        t -> {
                            FastnContext blocker = t.at("blocker");
                            FastnContext service = t.tree.root
                                    .child("front")
                                    .withKind(ContextKind.SERVICE)
                                    .open();
                            service.child("req").open().operation("request stock");
                            t.blocked(CauseKind.EVENT_LOOP, List.of(blocker), List.of(service));
                        },
                        "blocker: event loop blocked 9s at Ledger.java:88",
                        "front/req waits for its event loop"),
                scene(
                        "a worker pool that is full of tasks that wait for the one in its queue",
                        "settle",
                        t -> {
                            t.takes("settle", "orders");
                            t.wants("w1", "orders");
                            t.wants("w2", "orders");
                            t.blocked(CauseKind.POOL, List.of(t.at("w1"), t.at("w2")), List.of(t.at("settle")));
                        },
                        "the pool is full of those that wait for each other",
                        "settle -> w1"),
                scene(
                        "a worker pool that is full of slow tasks",
                        "job",
                        t -> {
                            t.at("slow").operation("resize");
                            t.blocked(CauseKind.POOL, List.of(t.at("slow")), List.of(t.at("job")));
                        },
                        "slow: inside of \"resize\" 12s",
                        "job waits for a place in pool \"pool\""),
                scene(
                        "a holder whose release may be a plain task in the queue of a full pool",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.wants("req", "orders");
                            t.blocked(CauseKind.POOL, List.of(t.at("slow")), List.of(), 3, 3);
                        },
                        "settle: no sign of life for 12s, and holds mutex \"orders\"; pool \"pool\" is full for 9s, with 3"
                                + " tasks in its queue that are not known, of which one may be its release",
                        "req waits for mutex \"orders\" 12s"),
                scene(
                        "a holder that is idle beside a full pool with one task that is not known",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.wants("req", "orders");
                            t.blocked(CauseKind.POOL, List.of(t.at("slow")), List.of(t.at("job")), 2, 1);
                        },
                        "settle: no sign of life for 12s, and holds mutex \"orders\"; pool \"pool\" is full for 9s, with 1"
                                + " task in its queue that is not known and may be its release",
                        "req waits for mutex \"orders\" 12s"),
                scene(
                        "a holder that is idle beside a full pool of which all is known",
                        "req",
                        t -> {
                            t.takes("settle", "orders");
                            t.wants("req", "orders");
                            t.blocked(CauseKind.POOL, List.of(t.at("slow")), List.of(t.at("job")));
                        },
                        "settle: no sign of life for 12s, and holds mutex \"orders\"; req waits for mutex \"orders\" 12s"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void theFirstLineNamesTheRoot(String name, Scene scene) {
        scene.plant.accept(this);
        tree.pass(LONG);
        for (Explanation why :
                List.of(requireNonNull(tree.runtime.explain(scene.about), "explained"), aboutSame(scene.about))) {
            assertThat(why.toString().lines().findFirst().orElse(""))
                    .as("%s%n%s", name, why)
                    .contains(scene.firstLine);
        }
        Explanation why = aboutSame(scene.about);
        if (why.root().kind() == CauseKind.OPERATION && why.freed() == 0) {
            assertThat(tree.runtime.episodes())
                    .as("of what is told when it has ended")
                    .isEmpty();
        } else {
            assertThat(tree.runtime.episodes())
                    .anySatisfy(episode -> assertThat(episode.isOpen()).isTrue());
        }
    }

    private Explanation aboutSame(String about) {
        return tree.runtime.explainAll().stream()
                .filter(why -> why.stuck().path().endsWith("." + about))
                .findFirst()
                .orElseThrow(() -> new AssertionError("nobody explains " + about + ": " + tree.runtime.explainAll()));
    }

    /** All of them as somebody reads them, but for those that show a line of this file. */
    @Test
    void eachFaultIsToldInWordsThatWereRead() throws InterruptedException {
        StringBuilder all = new StringBuilder();
        for (Arguments fault : faults().toList()) {
            FaultScenariosTest fresh = new FaultScenariosTest();
            Scene scene = (Scene) fault.get()[1];
            scene.plant.accept(fresh);
            fresh.tree.pass(LONG);
            String told = String.valueOf(fresh.tree.runtime.explain(scene.about));
            if (!told.contains(getClass().getSimpleName())) {
                all.append(all.isEmpty() ? "" : "\n").append("# ").append(fault.get()[0]);
                all.append('\n').append(told);
            }
            fresh.end();
            fresh.tree.runtime.close();
        }
        golden("explanations-of-faults.txt").matches(all.toString());
    }

    @Test
    void thereAreTwentyFaultsAtLeast() {
        assertThat(faults()).hasSizeGreaterThanOrEqualTo(20);
    }

    // --- what looks like it and is not

    static Stream<Arguments> lookAlikes() {
        return Stream.of(
                scene("a short queue", "", t -> {
                    t.takes("settle", "orders");
                    t.at("settle").operation("db-query");
                    for (int i = 0; i < 50; i++) {
                        t.wants("req" + i, "orders");
                    }
                    t.tree.passSeconds(-8);
                }),
                scene("a lock that is held long, and nobody waits", "", t -> t.takes("settle", "orders")),
                scene(
                        "a server that idles",
                        "",
                        t -> t.tree.root
                                .child("server")
                                .withKind(ContextKind.SERVICE)
                                .open()),
                scene("a long poll that takes as long as it always does", "", t -> {
                    // Those that ended would be episodes, of which nobody can tell that it goes on like this.
                    t.at("poll").setSetting(Thresholds.OPERATION_SLOW, Duration.ofSeconds(15));
                    for (int i = 0; i < 20; i++) {
                        var poll = t.at("poll").operation("long-poll");
                        t.tree.passSeconds(15);
                        poll.close();
                    }
                    t.at("poll").setSetting(Thresholds.OPERATION_SLOW, null);
                    t.at("poll").operation("long-poll");
                }),
                scene(
                        "a child that idles below a busy parent",
                        "",
                        t -> t.at("parent").child("child").open()),
                scene("a semaphore that is used up, and nobody waits", "", t -> t.permits("all", "connections", 2)),
                scene("readers beside each other", "", t -> {
                    t.reads("one", "table");
                    t.reads("two", "table");
                }),
                scene("a request that was sent without waiting", "", t -> t.sent("order.placed", "req")),
                scene("a thread that computes", "", t -> t.onThread("worker", FaultScenariosTest::computes)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lookAlikes")
    void whatIsHealthyIsNotExplained(String name, Scene scene) {
        scene.plant.accept(this);
        tree.pass(LONG);
        assertThat(tree.runtime.explainAll()).as(name).isEmpty();
        assertThat(tree.runtime.episodes()).isEmpty();
    }

    /** Somebody waits at each moment, and nobody for long. */
    static Stream<Arguments> busy() {
        return Stream.of(
                busyOnes(
                        "a mutex that goes round",
                        3,
                        (t, i) -> t.mutex("orders").lock()),
                busyOnes("readers and writers by turns", 6, (t, i) -> {
                    ContextReadWriteLock<Object> table = t.tree.root.readWriteLock("table", (Object) "v");
                    return i % 3 == 0 ? table.writeLock() : table.readLock();
                }),
                busyOnes(
                        "a pool that is used up",
                        6,
                        (t, i) -> t.tree.root.semaphore("connections", 2).acquire(1)),
                busyOnes(
                        "large and small requests at one pool",
                        6,
                        (t, i) -> t.tree.root.semaphore("connections", 3).acquire(1 + i % 3)));
    }

    private interface Ask {
        CompletionStage<? extends AutoCloseable> of(FaultScenariosTest test, int person);
    }

    private static Arguments busyOnes(String name, int people, Ask ask) {
        return Arguments.of(name, people, ask);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("busy")
    void L15_whatIsBusyForAMinuteAndServesEachWithinThreeSecondsIsNotExplained(String name, int people, Ask ask) {
        List<CompletableFuture<? extends AutoCloseable>> asked = new ArrayList<>();
        for (int i = 0; i < people; i++) {
            asked.add(asks(ask, i));
        }
        for (int second = 0; second < 60; second++) {
            assertThat(tree.runtime.status().lockWaiters())
                    .as("%s, %ds", name, second)
                    .isNotEmpty()
                    .allMatch(waiter -> waiter.waitingDuration().compareTo(Duration.ofSeconds(3)) <= 0);
            isAllWell(name + ", " + second + "s");
            tree.passSeconds(1);
            List<Integer> served = IntStream.range(0, people)
                    .filter(i -> asked.get(i).isDone())
                    .boxed()
                    .toList();
            for (int i : served) {
                closeQuietly(asked.get(i).join());
                asked.set(i, asks(ask, i));
            }
        }
        open.addAll(asked);
    }

    private CompletableFuture<? extends AutoCloseable> asks(Ask ask, int person) {
        return in(at("busy" + person), () -> ask.of(this, person)).toCompletableFuture();
    }

    private void isAllWell(String when) {
        assertThat(tree.runtime.status().deadlocks()).as(when).isEmpty();
        assertThat(tree.runtime.explainAll()).as(when).isEmpty();
        assertThat(tree.runtime.episodes()).as(when).isEmpty();
    }

    /** Each asks for the second beside the first, as one does who wants two answers at once, and the pool is never enough. */
    @Test
    void L14_requestsWithTwoQueriesBesideEachOtherAtAUsedUpPoolAreNotSuspected() {
        ContextSemaphore pool = tree.root.semaphore("connections", 2);
        List<CompletableFuture<PermitGuard>> running = new ArrayList<>();
        int suspicious = 0;
        for (int second = 0; second < 60; second++) {
            // Two requests that begin in the same second take a permit each, and then want one more each.
            List<FastnContext> requests = List.of(at("a" + second), at("b" + second));
            for (int query = 0; query < 2; query++) {
                for (FastnContext request : requests) {
                    running.add(in(request, () -> pool.acquire(1).toCompletableFuture()));
                }
            }
            suspicious += running.get(0).isDone() && !running.get(2).isDone() ? 1 : 0;
            tree.passSeconds(1);
            isAllWell(second + "s");
            running.forEach(query -> closeQuietly(query.join()));
            running.clear();
            requests.forEach(FastnContext::close);
        }
        assertThat(suspicious).as("how often each had one and wanted one").isEqualTo(60);
    }

    @Test
    void L15_operationsOfNineSecondsOneAfterTheOtherAreNotExplained() {
        FastnContext batch = at("batch");
        for (int i = 0; i < 67; i++) {
            var step = batch.operation("import");
            for (int second = 0; second < 9; second++) {
                tree.passSeconds(1);
                isAllWell("operation " + i + ", " + second + "s");
            }
            step.close();
        }
        isAllWell("at the end");
    }

    @Test
    void anEpisodeEndsWhenTheLastOneGoesOnAndIsKept() {
        var guard = takes("settle", "orders");
        for (int i = 0; i < 3; i++) {
            wants("req" + i, "orders");
        }
        tree.pass(LONG);
        assertThat(tree.runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.isOpen()).isTrue();
            assertThat(episode.mostWaiters()).isEqualTo(3);
            assertThat(episode.start()).isEqualTo(TestTree.START);
        });
        assertThat(tree.runtime.statusWithRecent().causes().episodes()).hasSize(1);
        assertThat(tree.runtime.statusWithRecent().toString()).contains("Episodes (1):\n - ");
        assertThat(tree.runtime.status().causes().episodes()).isEmpty();
        guard.close();
        for (CompletableFuture<?> each : open) {
            closeQuietly((AutoCloseable) each.join());
        }
        tree.passSeconds(300);
        assertThat(tree.runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.isOpen()).isFalse();
            assertThat(episode.root().shortName()).isEqualTo("settle");
            assertThat(episode.name()).isEqualTo("orders");
            assertThat(episode.text())
                    .isEqualTo("2026-01-01T12:00:00Z to 2026-01-01T12:05:12Z (5m 12s): settle: no sign of life for 12s,"
                            + " and holds mutex \"orders\"; 3 contexts stuck on \"orders\"");
        });
    }

    /** Who has the lock when somebody looks is to blame for nothing. */
    @Test
    void aQueueThatMovesIsOneEpisodeWhoeverHasTheLockAndIsToldAsThat() {
        List<AutoCloseable> guards = new ArrayList<>();
        guards.add(takes("h0", "orders"));
        for (int i = 1; i < 9; i++) {
            wants("h" + i, "orders");
        }
        wants("req", "orders");
        for (int i = 0; i < 6; i++) {
            tree.passSeconds(2);
            closeQuietly(
                    i == 0 ? guards.get(0) : (AutoCloseable) open.get(i - 1).join());
            tree.passSeconds(1);
            var unused = tree.runtime.explainAll();
        }
        // The sixth has it.
        Explanation why = requireNonNull(tree.runtime.explain("req"));
        assertThat(why.headline())
                .startsWith("h6: took mutex \"orders\" 1s ago, as the queue moves; req waits for mutex \"orders\" 18s")
                .doesNotContain("no sign of life");
        assertThat(why.chain()).singleElement().satisfies(step -> {
            assertThat(step.found()).isEqualTo("held 1s by h6, the holder changes, 2 ahead");
            assertThat(step.isOfMovingQueue()).isTrue();
        });
        assertThat(tree.runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.isOpen()).isTrue();
            assertThat(episode.start()).isEqualTo(TestTree.START);
            assertThat(episode.name()).isEqualTo("orders");
            assertThat(episode.rootText()).contains("as the queue moves");
        });

        // What looks like it: one of them keeps it.
        tree.pass(LONG);
        assertThat(requireNonNull(tree.runtime.explain("req")).headline())
                .startsWith("h6: no sign of life for 13s, and holds mutex \"orders\"");
        assertThat(tree.runtime.episodes()).hasSize(1);
        at("h6").close();
        assertThat(requireNonNull(tree.runtime.explain("req")).headline())
                .startsWith("h6: has ended, and never gave back mutex \"orders\"");
    }

    /** The lock stays what it is of while somebody waits for it, also when all who saw it change hands have gone. */
    @Test
    void aQueueThatMovedIsOneEpisodeAlsoWhenOnlyThoseAreLeftWhoCameAfterTheHandOff() {
        AutoCloseableGuard first = takes("h0", "orders");
        wants("h1", "orders");
        wants("req", "orders");
        tree.passSeconds(6);
        first.close();
        tree.passSeconds(1);
        wants("late", "orders");
        assertThat(tree.runtime.episodes())
                .singleElement()
                .satisfies(episode -> assertThat(episode.root().shortName()).isEqualTo("h1"));
        tree.passSeconds(1);
        wants("later", "orders");
        tree.passSeconds(5);
        assertThat(tree.runtime.episodes()).hasSize(1);

        // From here on nobody is left who waited when h1 got it.
        open.get(1).cancel(false);
        tree.passSeconds(1);
        assertThat(requireNonNull(tree.runtime.explain("late")).headline()).doesNotContain("as the queue moves");
        assertThat(tree.runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.isOpen()).isTrue();
            assertThat(episode.start()).isEqualTo(TestTree.START);
        });
        // And it moves once more.
        closeQuietly((AutoCloseable) open.get(0).join());
        tree.passSeconds(1);
        assertThat(tree.runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.root().shortName()).isEqualTo("late");
            assertThat(episode.start()).isEqualTo(TestTree.START);
            assertThat(episode.mostWaiters()).isEqualTo(3);
        });
        closeQuietly((AutoCloseable) open.get(2).join());
        closeQuietly((AutoCloseable) open.get(3).join());
        assertThat(tree.runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.isOpen()).isFalse();
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(15));
        });
    }

    @Test
    void ofManyBehindARootTwentyAreNamedInTheRecordAndFiveInTheDrawing() {
        takes("settle", "orders");
        for (int i = 0; i < 30; i++) {
            wants("req" + i, "orders");
        }
        tree.pass(LONG);
        Explanation why = requireNonNull(tree.runtime.explain("req0"));
        List<String> first = IntStream.range(0, 20).mapToObj(i -> "req" + i).toList();
        assertThat(why.freed()).isEqualTo(30);
        assertThat(why.firstFreed()).isEqualTo(first);
        assertThat(why.toString())
                .contains("behind settle: req0, req1, req2, req3, req4, +25 more\n")
                .doesNotContain("req5");
        assertThat(StatusJson.write(why)).contains("\"req19\"").doesNotContain("\"req20\"");
    }

    @Test
    void twoHoldersThatStayAreTwoEpisodes() {
        takes("a", "orders");
        takes("b", "stock");
        wants("one", "orders");
        wants("two", "stock");
        tree.pass(LONG);
        assertThat(tree.runtime.episodes()).hasSize(2);
    }

    @Test
    void onlyTheLastFiftyEpisodesAreKept() {
        for (int i = 0; i < 60; i++) {
            var held = takes("task" + i, "lock" + i);
            wants("req" + i, "lock" + i);
            tree.pass(LONG);
            assertThat(tree.runtime.episodes().get(0).isOpen()).isTrue();
            held.close();
            closeQuietly((AutoCloseable) open.get(i).join());
            assertThat(tree.runtime.explainAll()).isEmpty();
        }
        assertThat(tree.runtime.episodes()).hasSize(50);
        assertThat(tree.runtime.episodes().get(0).name()).isEqualTo("lock59");
    }

    // --- the pieces

    private static void closeQuietly(AutoCloseable guard) {
        try {
            guard.close();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private FastnContext at(String name) {
        FastnContext known = tree.runtime.find(tree.root.path().child(name));
        return known != null ? known : tree.open(name);
    }

    private static <T> T in(FastnContext context, Supplier<T> code) {
        try (ContextScope ignored = context.makeCurrent()) {
            return code.get();
        }
    }

    private ContextMutex<Object> mutex(String name) {
        return tree.root.mutex(name, (Object) "v");
    }

    private AutoCloseableGuard takes(String who, String lock) {
        var guard = in(at(who), () -> mutex(lock).lock().toCompletableFuture()).join();
        return guard::close;
    }

    private interface AutoCloseableGuard extends AutoCloseable {
        @Override
        void close();
    }

    private void wants(String who, String lock) {
        open.add(in(at(who), () -> mutex(lock).lock().toCompletableFuture()));
    }

    private void reads(String who, String lock) {
        ContextReadWriteLock<Object> table = tree.root.readWriteLock(lock, (Object) "v");
        open.add(in(at(who), () -> table.readLock().toCompletableFuture()));
    }

    private void writes(String who, String lock) {
        ContextReadWriteLock<Object> table = tree.root.readWriteLock(lock, (Object) "v");
        open.add(in(at(who), () -> table.writeLock().toCompletableFuture()));
    }

    private void permits(String who, String lock, int count) {
        ContextSemaphore semaphore = tree.root.semaphore(lock, 2);
        open.add(in(at(who), () -> semaphore.acquire(count).toCompletableFuture()));
    }

    private void ring(int size) {
        List<AutoCloseableGuard> first = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            var guard = mutex("m" + i).lock().toCompletableFuture().join();
            first.add(guard::close);
        }
        for (int i = 0; i < size; i++) {
            FastnContext who = at(String.valueOf((char) ('a' + i)));
            ContextMutex<Object> own = mutex("m" + i);
            ContextMutex<Object> other = mutex("m" + (i + 1) % size);
            open.add(in(
                    who,
                    () -> own.<String>withLock(v -> in(
                                    who, () -> other.<String>withLock(w -> CompletableFuture.completedFuture("done"))))
                            .toCompletableFuture()));
        }
        first.forEach(AutoCloseableGuard::close);
    }

    /** Two that wait for each other, of which one reads what others want to write. */
    private void knotOver(String table) {
        ContextReadWriteLock<Object> read = tree.root.readWriteLock(table, (Object) "v");
        ContextMutex<Object> other = mutex("other");
        var taken = other.lock().toCompletableFuture().join();
        FastnContext a = at("a");
        FastnContext b = at("b");
        open.add(in(
                b,
                () -> other.<String>withLock(v ->
                                in(b, () -> read.<String>withWriteLock(w -> CompletableFuture.completedFuture("done"))))
                        .toCompletableFuture()));
        open.add(in(
                a,
                () -> read.<String>withReadLock(v ->
                                in(a, () -> other.<String>withLock(w -> CompletableFuture.completedFuture("done"))))
                        .toCompletableFuture()));
        taken.close();
    }

    private void knot() {
        ContextSemaphore semaphore = tree.root.semaphore("connections", 2);
        var all = semaphore.acquire(2).toCompletableFuture().join();
        for (String name : List.of("a", "b")) {
            FastnContext who = at(name);
            open.add(in(
                    who,
                    () -> semaphore
                            .<String>withPermit(() -> in(
                                    who,
                                    () -> semaphore.<String>withPermit(
                                            () -> CompletableFuture.completedFuture("done"))))
                            .toCompletableFuture()));
        }
        all.close();
    }

    private FastnContext serves(String address, String caller) {
        return message(address, caller, true);
    }

    private void sent(String address, String caller) {
        var unused = message(address, caller, false);
    }

    private FastnContext message(String address, String caller, boolean owesReply) {
        FastnContext from = at(caller);
        return tree.root.openChild(
                address,
                ContextKind.MESSAGE,
                new CallerLink(
                        tree.runtime.node().alias(),
                        tree.runtime.node().incarnation(),
                        from.id(),
                        from.path().toString(),
                        owesReply));
    }

    private void onThread(String who, Runnable code) {
        FastnContext context = at(who);
        CountDownLatch entered = new CountDownLatch(1);
        Thread thread = new Thread(() -> {
            try (ContextScope ignored = context.makeCurrent()) {
                entered.countDown();
                code.run();
                atEnd.await();
            } catch (InterruptedException | RuntimeException e) {
                // The end of the test.
            }
        });
        thread.start();
        threads.add(thread);
        try {
            entered.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void computes() {}

    private void blocked(CauseKind kind, List<FastnContext> busy, List<FastnContext> waiting) {
        blocked(kind, busy, waiting, waiting.size(), 0);
    }

    private void blocked(CauseKind kind, List<FastnContext> busy, List<FastnContext> waiting, int queued, int unknown) {
        var unused = tree.runtime.setBlockedPlaces(() -> List.of(new BlockedPlace(
                kind,
                "pool",
                Duration.ofSeconds(9),
                kind == CauseKind.POOL ? "" : "Ledger.java:88",
                busy.stream().map(FastnContext::id).toList(),
                waiting.stream().map(FastnContext::id).toList(),
                queued,
                unknown)));
    }
}
