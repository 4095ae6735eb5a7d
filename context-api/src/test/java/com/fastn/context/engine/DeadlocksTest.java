package com.fastn.context.engine;

import static com.fastn.context.engine.DeadlockScene.ask;
import static com.fastn.context.engine.DeadlockScene.in;
import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.DeadlockPolicy;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Thresholds;
import com.fastn.context.status.Causes;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.LockMode;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a snapshot tells of contexts that wait for each other, and of those who only seem to. */
class DeadlocksTest {
    @RegisterExtension
    final DeadlockScene scene = new DeadlockScene();

    @Test
    void L14_aRingOfScopesIsProvenAndNamesEachParty() {
        List<CompletableFuture<String>> all = scene.ring(3);
        scene.ticker.advance(Duration.ofSeconds(2));

        DeadlockReport report = scene.runtime.status().deadlocks().get(0);
        assertThat(scene.runtime.status().deadlocks()).hasSize(1);
        assertThat(report.proven()).isTrue();
        assertThat(report.size()).isEqualTo(3);
        assertThat(report.resolvesWithin()).isNull();
        assertThat(report.parties())
                .extracting(p -> p.context().shortName())
                .containsExactlyInAnyOrder("c0", "c1", "c2");
        for (DeadlockReport.Party party : report.parties()) {
            int i = Integer.parseInt(party.context().shortName().substring(1));
            assertThat(party.waitsFor()).isEqualTo("m" + (i + 1) % 3);
            assertThat(party.waited()).isEqualTo(Duration.ofSeconds(2));
            assertThat(party.holds()).singleElement().satisfies(hold -> {
                assertThat(hold.lockName()).isEqualTo("m" + i);
                assertThat(hold.scoped()).isTrue();
            });
        }
        StatusWarning warning = scene.runtime.status().warnings().get(0);
        assertThat(warning.id()).isEqualTo("deadlock");
        assertThat(warning.severity()).isEqualTo(WarningSeverity.CRITICAL);
        assertThat(warning.message()).isEqualTo(report.cycle()).startsWith("deadlock: ");
        assertThat(scene.runtime.explainAll())
                .isNotEmpty()
                .allMatch(why -> why.headline().contains("deadlock: "));

        // It is not told any longer than it lasts.
        all.get(0).cancel(false);
        requireNonNull(scene.runtime.find(scene.runtime.root().path().child("c0")))
                .cancel();
        await().untilAsserted(
                        () -> assertThat(scene.runtime.status().deadlocks()).isEmpty());
        assertThat(all.get(1)).succeedsWithin(Duration.ofSeconds(20));
        assertThat(all.get(2)).succeedsWithin(Duration.ofSeconds(20));
        assertThat(scene.runtime.status().warnings()).noneMatch(w -> w.id().contains("deadlock"));
    }

    @Test
    void ringsOfUpToAThousandLocksAreFoundInOnePiece() {
        for (int size : new int[] {2, 10, 100, 1_000}) {
            scene.restart(DeadlockPolicy.REPORT);
            var unused = scene.ring(size);
            assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
                assertThat(report.size()).isEqualTo(size);
                assertThat(report.parties()).hasSize(Math.min(size, 16));
            });
        }
    }

    private List<String> deadlockWarnings(String id) {
        return scene.runtime.status().warnings().stream()
                .filter(warning -> warning.id().equals(id))
                .map(StatusWarning::message)
                .toList();
    }

    @Test
    void ofManyDeadlocksTenAreToldAndTheOthersCounted() {
        for (int i = 0; i < 12; i++) {
            var unused = scene.ring(2, "ring" + i + "-");
        }
        assertThat(scene.runtime.status().deadlocks()).hasSize(10);
        assertThat(deadlockWarnings("deadlock"))
                .hasSize(11)
                .filteredOn(message -> !message.startsWith("deadlock: "))
                .containsExactly("+2 more deadlocks");
        assertThat(scene.runtime.status().warnings())
                .filteredOn(warning -> warning.message().equals("+2 more deadlocks"))
                .singleElement()
                .satisfies(warning -> assertThat(warning.severity()).isEqualTo(WarningSeverity.CRITICAL));

        // The proven ones come first, so of suspected ones nothing but their number is left.
        ContextNode a = scene.open("a");
        ContextNode b = scene.open("b");
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = scene.runtime.root().mutex("n", 1);
        LockGuard<Integer> first = ask(a, m).join();
        LockGuard<Integer> second = ask(b, n).join();
        var unusedA = ask(a, n);
        var unusedB = ask(b, m);
        assertThat(deadlockWarnings("deadlock-suspected")).containsExactly("+1 more suspected deadlocks");

        scene.runtime.root().setSetting(Thresholds.WARNINGS_OFF, "deadlock");
        assertThat(deadlockWarnings("deadlock")).isEmpty();
        assertThat(deadlockWarnings("warnings-silenced")).containsExactly("12 warnings silenced: deadlock");
        scene.runtime.root().children().forEach(FastnContext::cancel);
        first.close();
        second.close();
    }

    @Test
    void L14_itIsFoundWhereTheParentHoldsAndItsChildWaits() {
        List<CompletableFuture<String>> all = scene.parentsHoldAndChildrenWait();
        assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.parties())
                    .extracting(p -> p.context().path())
                    .containsExactlyInAnyOrder("app.up.inner", "app.down.inner");
        });
        assertThat(all).noneMatch(CompletableFuture::isDone);
    }

    @Test
    void L14_whereTheParentHoldsAndItsChildWaitsBothAreNamedAndItIsOneDeadlockForAllWhoAsk() {
        List<CompletableFuture<String>> all = scene.parentsHoldAndChildrenWait();
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        CompletableFuture<LockGuard<Integer>> late = ask(scene.open("late"), m);
        scene.ticker.advance(Duration.ofSeconds(8));
        String cycle = "deadlock: up holds mutex \"m\" for 8s, and up/inner waits inside of it for mutex \"n\" for 8s;"
                + " down holds mutex \"n\" for 8s, and down/inner waits inside of it for mutex \"m\" for 8s";
        StatusSnapshot snapshot = StatusJson.readSnapshot(StatusJson.write(scene.runtime.status()));
        assertThat(snapshot.deadlocks()).extracting(DeadlockReport::cycle).containsExactly(cycle);
        assertThat(scene.runtime.explainAll())
                .hasSize(3)
                .allSatisfy(each -> assertThat(each.headline()).startsWith(cycle));
        Explanation why = requireNonNull(scene.runtime.explain("late"));
        assertThat(why.headline()).isEqualTo(cycle + "; late waits for mutex \"m\" 8s");
        assertThat(why.toString())
                .contains("<- held 8s by up, and inside of it waits up/inner\n")
                .contains("<- held 8s by down, and inside of it waits down/inner\n")
                .endsWith("<- part of the deadlock\n");
        // What was found is what is seen later: a stall is told once.
        for (int i = 0; i < 2; i++) {
            assertThat(scene.runtime.episodes()).singleElement().satisfies(episode -> {
                assertThat(episode.end()).isNull();
                assertThat(episode.root().path()).isEqualTo("app.up.inner");
            });
        }
        scene.runtime.root().children().forEach(FastnContext::cancel);
        assertThat(all).allMatch(CompletableFuture::isDone);
        late.join().close();
        assertThat(scene.runtime.episodes())
                .singleElement()
                .satisfies(episode -> assertThat(episode.end()).isNotNull());
    }

    /** As a node of before tells it. */
    @Test
    void D9_aDeadlockThatDoesNotTellWhoHasTheLocksIsExplainedAsThatToo() {
        List<CompletableFuture<String>> all = scene.parentsHoldAndChildrenWait();
        StatusSnapshot snapshot = scene.runtime.status();
        DeadlockReport found = snapshot.deadlocks().get(0);
        DeadlockReport bare = new DeadlockReport(
                found.proven(),
                found.foundAt(),
                found.parties().stream()
                        .map(party -> new DeadlockReport.Party(
                                party.context(),
                                party.holds().stream()
                                        .map(hold -> new DeadlockReport.Hold(
                                                hold.lockName(),
                                                hold.lockId(),
                                                hold.lockType(),
                                                hold.held(),
                                                hold.scoped(),
                                                null))
                                        .toList(),
                                party.waitsFor(),
                                party.lockId(),
                                party.lockType(),
                                party.waited(),
                                null,
                                null))
                        .toList(),
                found.size(),
                null);
        StatusSnapshot told = snapshot.withCauses(new Causes(List.of(bare), List.of(), List.of()));
        assertThat(Explainer.of(told).explainAll())
                .isNotEmpty()
                .allSatisfy(each -> assertThat(each.headline()).startsWith("deadlock: up/inner holds"));
        scene.runtime.root().children().forEach(FastnContext::cancel);
        assertThat(all).allMatch(CompletableFuture::isDone);
    }

    @Test
    void L14_itIsFoundOverAScopeThatHadToWaitForItsLock() {
        // One takes a, then waits for b and gets it, then wants c; the other one holds c and wants a.
        ContextMutex<Integer> a = scene.runtime.root().mutex("a", 1);
        ContextMutex<Integer> b = scene.runtime.root().mutex("b", 1);
        ContextMutex<Integer> c = scene.runtime.root().mutex("c", 1);
        ContextNode one = scene.open("one");
        ContextNode other = scene.open("other");
        LockGuard<Integer> heldB = b.lock().toCompletableFuture().join();
        List<CompletionStage<String>> results = new ArrayList<>();
        results.add(in(
                one,
                () -> a.<String>withLock(v ->
                        b.<String>withLock(w -> c.<String>withLock(x -> CompletableFuture.completedFuture("done"))))));
        results.add(in(
                other,
                () -> c.<String>withLock(v -> {
                    CompletionStage<String> inner = a.<String>withLock(w -> CompletableFuture.completedFuture("done"));
                    heldB.close();
                    return inner;
                })));
        assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.size()).isEqualTo(2);
        });
        assertThat(results).noneMatch(result -> result.toCompletableFuture().isDone());
    }

    @Test
    void aReaderBehindAWriterCompletesACycle() {
        ContextReadWriteLock<Integer> table = scene.runtime.root().readWriteLock("table", 1);
        ContextMutex<Integer> index = scene.runtime.root().mutex("index", 1);
        ContextNode a = scene.open("a");
        ContextNode b = scene.open("b");
        ContextNode x = scene.open("x");
        List<CompletableFuture<?>> waits = new ArrayList<>();
        var unused = in(
                b,
                () -> index.<String>withLock(v -> {
                    waits.add(in(
                            a,
                            () -> table.<String>withReadLock(r -> in(
                                            a,
                                            () -> index.<String>withLock(
                                                    w -> CompletableFuture.completedFuture("done"))))
                                    .toCompletableFuture()));
                    waits.add(in(x, () -> table.writeLock().toCompletableFuture()));
                    // Beside a it could read, but not before the writer.
                    return in(b, () -> table.<String>withReadLock(r -> CompletableFuture.completedFuture("done")));
                }));
        assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.parties())
                    .extracting(p -> p.context().shortName())
                    .containsExactlyInAnyOrder("a", "b");
            // Who leads to whom is not to be seen without the one between them.
            assertThat(report.parties())
                    .filteredOn(p -> p.ahead() != null)
                    .singleElement()
                    .satisfies(p -> {
                        assertThat(p.context().shortName()).isEqualTo("b");
                        assertThat(p.mode()).isEqualTo(LockMode.READ);
                        DeadlockReport.Ahead ahead = requireNonNull(p.ahead());
                        assertThat(ahead.context().shortName()).isEqualTo("x");
                        assertThat(ahead.mode()).isEqualTo(LockMode.WRITE);
                    });
            assertThat(report.cycle())
                    .contains("b holds mutex \"index\" for 0s and waits to read rwlock \"table\" for 0s, behind x who"
                            + " waits to write it for 0s")
                    .contains("a holds rwlock \"table\" for 0s (reading) and waits for mutex \"index\" for 0s");
        });
        waits.get(1).cancel(false);
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        assertThat(waits.get(0)).succeedsWithin(Duration.ofSeconds(20));
    }

    @Test
    void L14_whatIsAskedForInsideOfAScopeIsSuspectedAlsoWhereAContextDoesManyThings() {
        // Both are of the root, of which no context can be told to do one thing at a time.
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = scene.runtime.root().mutex("n", 1);
        LockGuard<Integer> firstM = m.lock().toCompletableFuture().join();
        LockGuard<Integer> firstN = n.lock().toCompletableFuture().join();
        // Others may complete what they give, so it is no proof.
        var unusedOne = m.withLock(
                v -> n.<Integer>withLock(CompletableFuture::completedFuture).toCompletableFuture());
        var unusedOther = n.withLock(
                v -> m.<Integer>withLock(CompletableFuture::completedFuture).toCompletableFuture());
        firstM.close();
        firstN.close();
        assertThat(scene.runtime.status().deadlocks())
                .singleElement()
                .satisfies(report -> assertThat(report.proven()).isFalse());
    }

    @Test
    void L14_rawGuardsAreSuspectedOneSeverityLower() {
        ContextNode a = scene.open("a");
        ContextNode b = scene.open("b");
        ContextMutex<Integer> m = scene.runtime.root().mutex("m", 1);
        ContextMutex<Integer> n = scene.runtime.root().mutex("n", 1);
        LockGuard<Integer> first = ask(a, m).join();
        LockGuard<Integer> second = ask(b, n).join();
        CompletableFuture<LockGuard<Integer>> wantsN = ask(a, n);
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        CompletableFuture<LockGuard<Integer>> wantsM = ask(b, m);

        assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isFalse();
            assertThat(report.cycle()).startsWith("suspected deadlock: ");
        });
        assertThat(scene.runtime.status().warnings())
                .filteredOn(w -> w.id().startsWith("deadlock"))
                .singleElement()
                .satisfies(w -> {
                    assertThat(w.id()).isEqualTo("deadlock-suspected");
                    assertThat(w.severity()).isEqualTo(WarningSeverity.WARNING);
                });
        // Another branch may always release.
        first.close();
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        wantsM.join().close();
        second.close();
        wantsN.join().close();
    }

    @Test
    void ignoreLooksForNothing() {
        scene.restart(DeadlockPolicy.IGNORE);
        var unused = scene.ring(2);
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        assertThat(scene.runtime.status().warnings()).noneMatch(w -> w.id().contains("deadlock"));
    }

    @Test
    void busyLocksInOneOrderAreNeverCalledADeadlock() {
        List<ContextMutex<Integer>> locks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            locks.add(scene.runtime.root().mutex("m" + i, i));
        }
        List<CompletableFuture<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            ContextNode who = scene.open("c" + i);
            int from = i % 3;
            all.add(CompletableFuture.supplyAsync(() -> in(
                            who,
                            () -> locks.get(from)
                                    .<Integer>withLock(v -> in(
                                            who,
                                            () -> locks.get(from + 1)
                                                    .<Integer>withLock(w -> CompletableFuture.completedFuture(w)))))
                    .toCompletableFuture()
                    .join()));
            assertThat(scene.runtime.status().deadlocks()).isEmpty();
        }
        all.forEach(CompletableFuture::join);
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        assertThat(scene.runtime.explainAll()).isEmpty();
    }
}
