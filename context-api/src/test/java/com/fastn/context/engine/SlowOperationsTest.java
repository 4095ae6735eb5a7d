package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextScope;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.Thresholds;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.WaitEpisode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Operations that were slow while nobody looked. */
@SuppressWarnings("MustBeClosedChecker") // they are closed in the order that a test is about
class SlowOperationsTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    /** What is known without another look. */
    private List<WaitEpisode> known() {
        return tree.runtime.statusWithRecent().causes().episodes();
    }

    private void run(ContextNode context, String name, double seconds) {
        Operation operation = context.operation(name);
        tree.passSeconds(seconds);
        operation.close();
    }

    private CompletableFuture<LockGuard<Integer>> asks(ContextNode context, String lock) {
        try (ContextScope ignored = context.makeCurrent()) {
            return tree.root.mutex(lock, 1).lock().toCompletableFuture();
        }
    }

    @Test
    void anOperationThatWasStuckWhileNobodyLookedIsAnEpisodeOnceItHasEnded() {
        ContextNode settle = tree.open("settle");
        Operation query = settle.operation("db-query");
        tree.passSeconds(12.3);
        assertThat(known()).isEmpty();
        query.close();
        settle.close();
        tree.passSeconds(300);
        assertThat(known()).isEqualTo(tree.runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.kind()).isEqualTo(CauseKind.OPERATION);
            assertThat(episode.root().contextId()).isEqualTo(settle.id());
            assertThat(episode.root().path()).isEqualTo("app.settle");
            assertThat(episode.lasted()).isEqualTo(Duration.ofMillis(12_300));
            assertThat(episode.text())
                    .isEqualTo(
                            "2026-01-01T12:00:00Z to 2026-01-01T12:00:12Z (12.3s): settle: inside of \"db-query\" 12.3s;"
                                    + " 1 context stuck on \"db-query\"");
        });
    }

    @Test
    void oneThatTheEndOfItsContextTookAwayIsAnEpisodeToo() {
        ContextNode settle = tree.open("settle");
        settle.operation("settle");
        settle.operation("db-query");
        tree.passSeconds(60);
        settle.close();
        assertThat(known()).singleElement().satisfies(episode -> {
            assertThat(episode.name()).isEqualTo("db-query");
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(60));
        });
    }

    @Test
    void whatIsSlowIsSaidByTheSettingsOfTheContextAndOfThoseAboveIt() {
        run(tree.open("usual"), "ten", 10);
        ContextNode quick = tree.open("quick");
        quick.setSetting(Thresholds.OPERATION_SLOW, Duration.ofSeconds(1));
        ContextNode below = tree.open(quick, "below");
        run(below, "one", 1);
        run(tree.open("other"), "two", 2);
        ContextNode off = (ContextNode) quick.child("off")
                .withSetting(Thresholds.WARNINGS_OFF, "operation-slow")
                .open();
        run(off, "two", 2);
        ContextNode batch = (ContextNode) quick.child("batch")
                .withSetting(Thresholds.OPERATION_SLOW, Duration.ofMinutes(1))
                .open();
        run(batch, "thirty", 30);
        assertThat(known()).isEmpty();

        run(below, "two", 2);
        run(tree.open("usual"), "eleven", 11);
        run(batch, "sixty", 61);
        assertThat(known()).extracting(WaitEpisode::name).containsExactly("sixty", "eleven", "two");
    }

    @Test
    void thousandsOfOneNameAreOneEpisodeWithTheirNumber() {
        run(tree.open("settle"), "first", 12);
        List<Operation> queries = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            queries.add(tree.open("request").operation("db-query"));
            tree.passSeconds(0.001);
        }
        tree.passSeconds(20);
        for (Operation query : queries) {
            query.close();
            tree.passSeconds(0.002);
        }
        // And once more before that is forgotten.
        run(tree.open("request"), "db-query", 11);
        assertThat(known()).hasSize(2).element(0).satisfies(episode -> {
            assertThat(episode.text())
                    .contains("request: inside of \"db-query\" 25.9s, the longest of 3,001; 3,000 contexts stuck on");
            assertThat(episode.start()).isEqualTo(TestTree.START.plusSeconds(12));
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(3 + 20 + 6 + 11));
        });

        tree.passSeconds(11);
        run(tree.open("request"), "db-query", 11);
        assertThat(known()).extracting(WaitEpisode::name).containsExactly("db-query", "db-query", "first");
    }

    @Test
    void manyNamesPushNoWaitForALockOutAndAreCountedBeyondTheirRate() {
        for (int i = 0; i < EpisodeLog.MOST_ENDED; i++) {
            LockGuard<Integer> held = asks(tree.open("settle"), "lock" + i).join();
            CompletableFuture<LockGuard<Integer>> waits = asks(tree.open("request"), "lock" + i);
            tree.passSeconds(6);
            assertThat(tree.runtime.episodes().get(0).isOpen()).isTrue();
            held.close();
            waits.join().close();
            assertThat(tree.runtime.explainAll()).isEmpty();
        }
        List<Operation> operations = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            operations.add(tree.open("request").operation("GET /" + i));
        }
        tree.passSeconds(12);
        operations.forEach(Operation::close);
        List<WaitEpisode> all = known();
        assertThat(all).hasSize(EpisodeLog.MOST_ENDED);
        assertThat(all.subList(0, SlowOperations.MOST)).allMatch(each -> each.kind() == CauseKind.OPERATION);
        assertThat(all.subList(0, SlowOperations.MOST))
                .filteredOn(each -> each.rootText().endsWith("; 975 slow ones of further names are not told"))
                .hasSize(1);
        assertThat(all.subList(SlowOperations.MOST, all.size()))
                .extracting(WaitEpisode::name)
                .startsWith("lock49", "lock48")
                .endsWith("lock25");

        // A minute later there is room again.
        tree.passSeconds(60);
        run(tree.open("request"), "later", 12);
        assertThat(known())
                .hasSize(EpisodeLog.MOST_ENDED)
                .element(0)
                .satisfies(each -> assertThat(each.name()).isEqualTo("later"));
    }

    /** It moves among the newest and stays there, but counts no longer. */
    @Test
    void oneThatGoesOnForLongDoesNotLiftTheRateOfTheOthers() {
        for (int i = 0; i < 6; i++) {
            run(tree.open("request"), "db-query", 12);
        }
        List<Operation> operations = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            operations.add(tree.open("request").operation("GET /" + i));
        }
        operations.add(tree.open("request").operation("db-query"));
        tree.passSeconds(12);
        for (int i = 0; i < 100; i++) {
            operations.get(i).close();
            if (i == 10) {
                operations.get(100).close();
            }
        }
        List<WaitEpisode> all = known();
        assertThat(all).hasSize(SlowOperations.MOST);
        assertThat(all)
                .extracting(WaitEpisode::name)
                .contains("db-query", "GET /24")
                .doesNotContain("GET /25");
        assertThat(all)
                .filteredOn(each -> each.rootText().endsWith("; 75 slow ones of further names are not told"))
                .hasSize(1);
    }

    @Test
    void aContextInSeveralOfOneNameIsStuckOnce() {
        List<Operation> operations = new ArrayList<>();
        for (ContextNode each : List.of(tree.open("one"), tree.open("two"))) {
            for (int i = 0; i < 3; i++) {
                operations.add(each.operation("db-query"));
            }
        }
        tree.passSeconds(12);
        for (int i : List.of(0, 3, 1, 4, 2, 5)) {
            operations.get(i).close();
        }
        assertThat(known()).singleElement().satisfies(episode -> {
            assertThat(episode.rootText()).endsWith("the longest of 6");
            assertThat(episode.mostWaiters()).isEqualTo(2);
        });
    }

    // --- one stall is told once

    @Test
    void whereSomebodyWasSeenToWaitForItItIsThatEpisode() {
        ContextNode settle = tree.open("settle");
        Operation query = settle.operation("db-query");
        LockGuard<Integer> held = asks(settle, "orders").join();
        tree.passSeconds(3);
        CompletableFuture<LockGuard<Integer>> waits = asks(tree.open("request"), "orders");
        tree.passSeconds(9);
        assertThat(tree.runtime.explainAll()).isNotEmpty();
        query.close();
        assertThat(known()).hasSize(1);
        tree.passSeconds(1);
        held.close();
        waits.join().close();
        assertThat(tree.runtime.episodes()).singleElement().satisfies(episode -> {
            assertThat(episode.name()).isEqualTo("orders");
            assertThat(episode.start()).isEqualTo(TestTree.START);
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(13));
        });
    }

    @Test
    void whereTheWaitsEndedBeforeItItIsThatEpisodeStill() {
        ContextNode settle = tree.open("settle");
        Operation query = settle.operation("db-query");
        LockGuard<Integer> held = asks(settle, "orders").join();
        CompletableFuture<LockGuard<Integer>> waits = asks(tree.open("request"), "orders");
        tree.passSeconds(8);
        assertThat(tree.runtime.explainAll()).isNotEmpty();
        held.close();
        waits.join().close();
        assertThat(tree.runtime.explainAll()).isEmpty();
        tree.passSeconds(5);
        query.close();
        assertThat(known()).singleElement().satisfies(episode -> {
            assertThat(episode.name()).isEqualTo("orders");
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(13));
        });
    }

    @Test
    void whereOthersWaitAndLeaveAndWaitAgainItIsOneEpisode() {
        ContextNode settle = tree.open("settle");
        Operation query = settle.operation("db-query");
        LockGuard<Integer> orders = asks(settle, "orders").join();
        LockGuard<Integer> stock = asks(settle, "stock").join();
        CompletableFuture<LockGuard<Integer>> waits = asks(tree.open("request"), "orders");
        tree.passSeconds(8);
        assertThat(tree.runtime.episodes()).hasSize(1);
        waits.cancel(false);
        tree.passSeconds(4);
        assertThat(tree.runtime.episodes())
                .singleElement()
                .satisfies(each -> assertThat(each.isOpen()).isFalse());
        CompletableFuture<LockGuard<Integer>> others = asks(tree.open("request"), "stock");
        tree.passSeconds(6);
        assertThat(tree.runtime.episodes()).singleElement().satisfies(each -> {
            assertThat(each.isOpen()).isTrue();
            assertThat(each.start()).isEqualTo(TestTree.START);
        });
        query.close();

        // That of another operation of the same context is another one.
        orders.close();
        stock.close();
        others.join().close();
        assertThat(tree.runtime.episodes())
                .singleElement()
                .satisfies(each -> assertThat(each.lasted()).isEqualTo(Duration.ofSeconds(18)));
        tree.passSeconds(1);
        Operation next = settle.operation("db-query");
        LockGuard<Integer> again = asks(settle, "orders").join();
        CompletableFuture<LockGuard<Integer>> last = asks(tree.open("request"), "orders");
        tree.passSeconds(8);
        assertThat(tree.runtime.episodes()).hasSize(2);
        next.close();
        again.close();
        last.join().close();
    }

    @Test
    void whereTheRootIsInNoOperationEachTimeInWhichOthersWaitIsAnEpisode() {
        LockGuard<Integer> held = asks(tree.open("settle"), "orders").join();
        for (int i = 1; i <= 2; i++) {
            CompletableFuture<LockGuard<Integer>> waits = asks(tree.open("request"), "orders");
            tree.passSeconds(8);
            assertThat(tree.runtime.episodes()).hasSize(i);
            waits.cancel(false);
            assertThat(tree.runtime.explainAll()).isEmpty();
        }
        held.close();
    }

    @Test
    void whereOthersAreSeenToWaitForItsContextOnlyAfterwardsThatIsAnEpisodeOfItsOwn() {
        ContextNode settle = tree.open("settle");
        LockGuard<Integer> held = asks(settle, "orders").join();
        Operation query = settle.operation("db-query");
        tree.passSeconds(11);
        CompletableFuture<LockGuard<Integer>> waits = asks(tree.open("request"), "orders");
        tree.passSeconds(1);
        query.close();
        assertThat(known()).hasSize(1);
        tree.passSeconds(8);
        assertThat(tree.runtime.episodes()).hasSize(2).element(0).satisfies(episode -> {
            assertThat(episode.isOpen()).isTrue();
            assertThat(episode.name()).isEqualTo("orders");
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(9));
        });
        held.close();
        waits.join().close();
    }

    /** Of a queue that moves for long the ones that are in it now count, and not those that were in it first. */
    @Test
    void whoStoodInALongQueueIsInItsEpisodeHoweverManyStoodThereBefore() {
        LockGuard<Integer> held = asks(tree.open("settle"), "orders").join();
        CompletableFuture<LockGuard<Integer>> last = asks(tree.open("patient"), "orders");
        ContextNode early = tree.open("early");
        Operation browse = early.operation("browse");
        ContextNode leaves = early;
        for (int left = EpisodeLog.MOST_STUCK_KNOWN + 100; left > 0; left -= 100) {
            List<CompletableFuture<LockGuard<Integer>>> queue = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                queue.add(asks(leaves, "orders"));
                leaves = tree.open("request");
            }
            tree.passSeconds(6);
            assertThat(tree.runtime.explainAll()).hasSizeGreaterThan(100);
            queue.forEach(each -> each.cancel(false));
        }
        ContextNode request = tree.open("request");
        Operation checkout = request.operation("checkout");
        CompletableFuture<LockGuard<Integer>> waits = asks(request, "orders");
        tree.passSeconds(12);
        assertThat(tree.runtime.explainAll()).isNotEmpty();
        checkout.close();
        assertThat(known()).hasSize(1);
        // So many have come since that it is not known any more.
        browse.close();
        assertThat(known()).extracting(WaitEpisode::name).containsExactlyInAnyOrder("orders", "browse");
        held.close();
        last.join().close();
        waits.join().close();
    }

    @Test
    void whoWasSlowBecauseItWaitedForAnotherIsInTheEpisodeOfThatOne() {
        ContextNode settle = tree.open("settle");
        LockGuard<Integer> held = asks(settle, "orders").join();
        ContextNode request = tree.open("request");
        Operation checkout = request.operation("checkout");
        CompletableFuture<LockGuard<Integer>> waits = asks(request, "orders");
        tree.passSeconds(12);
        assertThat(tree.runtime.explainAll()).isNotEmpty();
        held.close();
        waits.join().close();
        tree.passSeconds(2);
        checkout.close();
        assertThat(tree.runtime.episodes())
                .singleElement()
                .satisfies(each -> assertThat(each.root().shortName()).isEqualTo("settle"));

        // What it does for long afterwards is its own doing.
        tree.passSeconds(100);
        LockGuard<Integer> again = asks(settle, "orders").join();
        Operation slow = request.operation("checkout");
        CompletableFuture<LockGuard<Integer>> waitsAgain = asks(request, "orders");
        tree.passSeconds(6);
        assertThat(tree.runtime.explainAll()).isNotEmpty();
        again.close();
        waitsAgain.join().close();
        assertThat(tree.runtime.explainAll()).isEmpty();
        tree.passSeconds(30);
        slow.close();
        assertThat(known()).extracting(each -> each.root().shortName()).containsExactly("request", "settle", "settle");
    }

    @Test
    void oneThatHoldsUpNobodyElseIsToldOnceItHasEndedHoweverOftenSomebodyLooks() {
        ContextNode settle = tree.open("settle");
        Operation outer = settle.operation("settle");
        Operation query = settle.operation("db-query");
        tree.passSeconds(11);
        assertThat(tree.runtime.explainAll()).isNotEmpty();
        assertThat(tree.runtime.episodes()).isEmpty();
        assertThat(tree.runtime.causes().isEpisodeOpen()).isFalse();
        tree.passSeconds(1.3);
        query.close();
        assertThat(tree.runtime.episodes()).hasSize(1);
        tree.passSeconds(1);
        assertThat(tree.runtime.episodes()).hasSize(1);
        outer.close();
        tree.passSeconds(300);
        assertThat(tree.runtime.episodes()).singleElement().satisfies(each -> {
            assertThat(each.isOpen()).isFalse();
            assertThat(each.name()).isEqualTo("db-query");
            assertThat(each.lasted()).isEqualTo(Duration.ofMillis(12_300));
        });
    }

    @Test
    void twoOfOneNameInOneContextAreToldOnceHoweverOftenSomebodyLooks() {
        ContextNode settle = tree.open("settle");
        Operation first = settle.operation("db-query");
        Operation second = settle.operation("db-query");
        tree.passSeconds(12);
        assertThat(tree.runtime.explainAll()).isNotEmpty();
        first.close();
        tree.passSeconds(1);
        assertThat(tree.runtime.episodes()).hasSize(1);
        second.close();
        assertThat(tree.runtime.episodes()).singleElement().satisfies(each -> {
            assertThat(each.rootText()).endsWith("the longest of 2");
            assertThat(each.mostWaiters()).isEqualTo(1);
        });
    }

    @Test
    void aLookAtThousandsThatAreSlowPushesNoOtherEpisodeOut() {
        for (int i = 0; i < EpisodeLog.MOST_ENDED; i++) {
            LockGuard<Integer> held = asks(tree.open("settle"), "lock" + i).join();
            CompletableFuture<LockGuard<Integer>> waits = asks(tree.open("request"), "lock" + i);
            tree.passSeconds(6);
            assertThat(tree.runtime.episodes().get(0).isOpen()).isTrue();
            held.close();
            waits.join().close();
        }
        List<Operation> queries = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            queries.add(tree.open("request").operation("db-query"));
        }
        tree.passSeconds(12);
        assertThat(tree.runtime.episodes())
                .hasSize(EpisodeLog.MOST_ENDED)
                .allMatch(each -> each.name().startsWith("lock"));
        queries.forEach(Operation::close);
        assertThat(tree.runtime.episodes())
                .hasSize(EpisodeLog.MOST_ENDED)
                .filteredOn(each -> each.name().equals("db-query"))
                .hasSize(1);
    }

    /** The snapshot was taken when they were still under way, and is looked at only now. */
    @Test
    void aLookThatIsLateBeginsNoEpisodeOfWhatHasEndedSince() {
        EpisodeLog log = new EpisodeLog();
        List<ContextNode> requests = List.of(tree.open("one"), tree.open("two"));
        List<Operation> queries =
                requests.stream().map(each -> each.operation("db-query")).toList();
        tree.passSeconds(12);
        var seen = tree.runtime.explainAll();
        assertThat(seen).hasSize(2);
        long at = tree.runtime.nanos();
        tree.passSeconds(0.1);
        queries.forEach(Operation::close);
        for (ContextNode each : requests) {
            log.ended(new SlowOperations.Ended(
                    each, "db-query", at - 12_000_000_000L, tree.runtime.nanos(), TestTree.START, 10_000_000_000L));
        }
        log.fold(seen, at, TestTree.START);
        assertThat(log.isAnyOpen()).isFalse();
        assertThat(log.list(tree.runtime.nanos())).hasSize(1);
    }

    @Test
    void anOperationAroundASlowOneIsToldOnlyIfItIsSlowBesides() {
        ContextNode settle = tree.open("settle");
        Operation outer = settle.operation("settle");
        Operation middle = settle.operation("transaction");
        run(settle, "db-query", 12);
        tree.passSeconds(6);
        middle.close();
        tree.passSeconds(3);
        outer.close();
        assertThat(known()).extracting(WaitEpisode::name).containsExactly("db-query");

        tree.passSeconds(100);
        Operation around = settle.operation("settle");
        run(settle, "db-query", 12);
        tree.passSeconds(11);
        around.close();
        assertThat(known()).extracting(WaitEpisode::name).containsExactly("settle", "db-query", "db-query");
    }

    /** Each is little more than the one inside of it; all of them together are much more than the innermost. */
    @Test
    void whatSeveralAroundASlowOneTookBesidesAddsUp() {
        ContextNode settle = tree.open("settle");
        Operation outer = settle.operation("settle");
        Operation middle = settle.operation("transaction");
        run(settle, "db-query", 12);
        tree.passSeconds(6);
        middle.close();
        tree.passSeconds(6);
        outer.close();
        assertThat(known()).extracting(WaitEpisode::name).containsExactly("settle", "db-query");
    }

    @Test
    void aClockThatGoesBackMakesNoEpisodeOfNegativeLengthAndShortensNone() {
        ContextNode settle = tree.open("settle");
        Operation ended = settle.operation("ended-before");
        Operation query = settle.operation("db-query");
        tree.passSeconds(-60);
        ended.close();
        assertThat(known()).isEmpty();

        tree.passSeconds(72);
        query.close();
        assertThat(known()).singleElement().satisfies(episode -> {
            assertThat(episode.name()).isEqualTo("db-query");
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(12));
            assertThat(episode.start()).isEqualTo(TestTree.START);
        });

        // As the clock shows it, this one was over before the other began: one stall, from the first start to the last
        // end.
        tree.passSeconds(-30);
        run(tree.open("request"), "db-query", 11);
        assertThat(known()).singleElement().satisfies(episode -> {
            assertThat(episode.start()).isEqualTo(TestTree.START.minusSeconds(18));
            assertThat(episode.lasted()).isEqualTo(Duration.ofSeconds(30));
        });
    }
}
