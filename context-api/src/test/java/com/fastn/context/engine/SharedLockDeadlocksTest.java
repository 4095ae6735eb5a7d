package com.fastn.context.engine;

import static com.fastn.context.engine.DeadlockScene.askForOne;
import static com.fastn.context.engine.DeadlockScene.in;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.PermitGuard;
import com.fastn.context.Thresholds;
import com.fastn.context.status.StatusWarning;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Deadlocks over locks that several may hold, where who wants more may have two branches. */
class SharedLockDeadlocksTest {
    @RegisterExtension
    final DeadlockScene scene = new DeadlockScene();

    @Test
    void aKnotOfPermitsIsADeadlockUnlessOneMoreIsFree() {
        for (int free : new int[] {0, 1}) {
            ContextSemaphore permits = scene.runtime.root().semaphore("connections" + free, 2 + free);
            var all = permits.acquire(2 + free).toCompletableFuture().join();
            List<CompletableFuture<String>> people = new ArrayList<>();
            for (String name : List.of("a", "b")) {
                ContextNode who = scene.open(name);
                people.add(in(
                        who,
                        () -> permits.<String>withPermit(() -> in(
                                        who,
                                        () -> permits.<String>withPermit(
                                                () -> CompletableFuture.completedFuture("done"))))
                                .toCompletableFuture()));
            }
            all.close();
            if (free == 0) {
                assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
                    assertThat(report.proven()).isTrue();
                    assertThat(report.cycle()).contains("a holds 1 of 2 permits of semaphore \"connections0\"");
                });
                scene.runtime.root().children().forEach(FastnContext::cancel);
            } else {
                people.forEach(each -> assertThat(each).succeedsWithin(Duration.ofSeconds(20)));
                assertThat(scene.runtime.status().deadlocks()).isEmpty();
            }
        }
    }

    /** It has a permit from before, and so it seems to close a circle over one of them. */
    @Test
    void L14_whoStandsBehindAProvenDeadlockIsNoSuspectedOneBesideIt() {
        ContextSemaphore permits = scene.runtime.root().semaphore("connections", 4);
        ContextNode behind = scene.open("behind");
        PermitGuard first = askForOne(behind, permits).join();
        PermitGuard others = permits.acquire(3).toCompletableFuture().join();
        for (String name : List.of("a", "b")) {
            ContextNode who = scene.open(name);
            var unused = in(
                    who,
                    () -> permits.<String>withPermit(() -> in(
                            who,
                            () -> permits.<String>withPermits(3, () -> CompletableFuture.completedFuture("done")))));
        }
        others.close();
        CompletableFuture<PermitGuard> more = askForOne(behind, permits);
        scene.ticker.advance(Duration.ofSeconds(6));
        assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isTrue();
            assertThat(report.parties())
                    .extracting(p -> p.context().shortName())
                    .containsExactly("a", "b");
        });
        scene.runtime.root().children().forEach(FastnContext::cancel);
        assertThat(more).isCompletedExceptionally();
        first.close();
    }

    @Test
    void fromWhenOnAWaitIsStuckIsAskedOnceForEachContextInASearch() {
        ContextSemaphore permits = scene.runtime.root().semaphore("connections", 3);
        List<ContextNode> all = List.of(scene.open("a"), scene.open("b"), scene.open("c"));
        List<CompletableFuture<PermitGuard>> asked = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            all.forEach(each -> asked.add(askForOne(each, permits)));
        }
        scene.ticker.advance(Duration.ofSeconds(2));
        all.get(0).setSetting(Thresholds.WAITER_STUCK, Duration.ofSeconds(1));
        scene.runtime.root().setSetting(Thresholds.WAITER_STUCK, Duration.ofSeconds(3));
        List<ContextNode> looked = new ArrayList<>();
        WaitForGraph.Guesses guesses = scene.runtime.causes().deadlocks().guesses(scene.runtime.nanos(), by -> {
            looked.add(by);
            return WarningSettings.waiterStuckNanos(by);
        });
        List<WaitForGraph.Lock> locks = DeadlockDetector.locks(LockView.ofAll(scene.runtime));
        for (int i = 0; i < 3; i++) {
            assertThat(WaitForGraph.suspected(locks, guesses)).isEmpty();
        }
        assertThat(looked).containsExactlyInAnyOrderElementsOf(all);
        for (ContextNode each : all) {
            assertThat(WarningSettings.waiterStuckNanos(each)).isEqualTo(WarningSettings.of(each).waiterStuckNanos);
        }
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        scene.ticker.advance(Duration.ofSeconds(2));
        assertThat(scene.runtime.status().deadlocks()).hasSize(1);
        scene.runtime.root().children().forEach(FastnContext::cancel);
    }

    @Test
    void L14_twoThatHoldAPermitAndWantOneMoreAreSuspectedOnceTheyAreStuck() {
        ContextSemaphore permits = scene.runtime.root().semaphore("connections", 2);
        ContextNode a = scene.open("a");
        ContextNode b = scene.open("b");
        List<PermitGuard> first =
                List.of(askForOne(a, permits).join(), askForOne(b, permits).join());
        CompletableFuture<PermitGuard> wanted = askForOne(a, permits);
        CompletableFuture<PermitGuard> wantedToo = askForOne(b, permits);
        scene.ticker.advance(Duration.ofSeconds(5));
        // As long as that two queries beside each other may take, and nobody knows that these are none.
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        scene.ticker.advance(Duration.ofSeconds(1));
        assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isFalse();
            assertThat(report.cycle())
                    .startsWith(
                            "suspected deadlock: a holds 1 of 2 permits of semaphore \"connections\" for 6s and waits for"
                                    + " 1 of 2 permits of")
                    .contains("; b holds 1 of 2 permits of semaphore \"connections\"");
        });
        assertThat(scene.runtime.status().warnings())
                .filteredOn(w -> w.id().startsWith("deadlock"))
                .extracting(StatusWarning::id)
                .containsExactly("deadlock-suspected");
        first.get(0).close();
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        wanted.join().close();
        first.get(1).close();
        wantedToo.join().close();
    }

    /** After its first step nobody can tell that it is the work which asks. */
    @Test
    void L14_workThatWantsOneMorePermitAfterItsFirstStepIsSuspected() {
        ContextSemaphore permits = scene.runtime.root().semaphore("connections", 2);
        CompletableFuture<String> query = new CompletableFuture<>();
        List<CompletionStage<String>> all = new ArrayList<>();
        for (String name : List.of("a", "b")) {
            ContextNode who = scene.open(name);
            all.add(in(
                    who,
                    () -> permits.<String>withPermit(() -> query.thenCompose(row ->
                            in(who, () -> permits.<String>withPermit(() -> CompletableFuture.completedFuture(row)))))));
        }
        scene.ticker.advance(Duration.ofSeconds(1));
        query.complete("row");
        scene.ticker.advance(Duration.ofSeconds(6));
        assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isFalse();
            assertThat(report.parties())
                    .extracting(p -> p.context().shortName())
                    .containsExactly("a", "b");
        });
        assertThat(all).noneMatch(each -> each.toCompletableFuture().isDone());
        scene.runtime.root().children().forEach(FastnContext::cancel);
    }

    @Test
    void L14_twoReadersThatWantToWriteAreSuspectedOnceTheyAreStuck() {
        ContextReadWriteLock<Integer> table = scene.runtime.root().readWriteLock("table", 1);
        ContextNode a = scene.open("a");
        ContextNode b = scene.open("b");
        var reads = in(a, () -> table.readLock().toCompletableFuture()).join();
        var readsToo = in(b, () -> table.readLock().toCompletableFuture()).join();
        var writes = in(a, () -> table.writeLock().toCompletableFuture());
        var writesToo = in(b, () -> table.writeLock().toCompletableFuture());
        scene.ticker.advance(Duration.ofSeconds(6));
        assertThat(scene.runtime.status().deadlocks()).singleElement().satisfies(report -> {
            assertThat(report.proven()).isFalse();
            assertThat(report.cycle())
                    .contains("a holds rwlock \"table\" for 6s (reading) and waits to write rwlock \"table\" for 6s")
                    .contains("b holds rwlock \"table\" for 6s (reading)");
        });
        readsToo.close();
        // What is left is one that may have two branches.
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        reads.close();
        writes.join().close();
        writesToo.join().close();
    }

    /** As long as anybody likes: who has many branches there goes on with each of them by itself. */
    @Test
    void L14_requestsWithManyBranchesAtOnePoolAreNotSuspected() {
        ContextSemaphore permits = scene.runtime.root().semaphore("connections", 2);
        List<ContextNode> requests = List.of(scene.open("a"), scene.open("b"));
        List<CompletableFuture<PermitGuard>> queries = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            requests.forEach(request -> queries.add(askForOne(request, permits)));
        }
        for (CompletableFuture<PermitGuard> query : queries) {
            scene.ticker.advance(Duration.ofSeconds(6));
            assertThat(scene.runtime.status().deadlocks()).isEmpty();
            query.join().close();
        }
    }

    /** The second of each was asked for before the first was granted, so it was not asked for with that in hand. */
    @Test
    void L14_requestsThatAskedForBothAtOnceAreNotSuspected() {
        ContextSemaphore permits = scene.runtime.root().semaphore("connections", 2);
        List<PermitGuard> before = List.of(
                askForOne(scene.open("x"), permits).join(),
                askForOne(scene.open("y"), permits).join());
        List<ContextNode> requests = List.of(scene.open("a"), scene.open("b"));
        List<CompletableFuture<PermitGuard>> queries = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            requests.forEach(request -> queries.add(askForOne(request, permits)));
        }
        // In the same moment: it is the order that counts, since the times are those of a coarse clock.
        before.forEach(PermitGuard::close);
        scene.ticker.advance(Duration.ofSeconds(20));
        assertThat(scene.runtime.status().deadlocks()).isEmpty();
        queries.forEach(query -> query.join().close());
    }
}
