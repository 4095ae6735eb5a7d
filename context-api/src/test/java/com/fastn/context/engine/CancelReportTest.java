package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.CancelReport;
import com.fastn.context.ContextEngine;
import com.fastn.context.ContextScope;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CancelReportTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    @RegisterExtension
    final TestTree tree = new TestTree(new FakeLoop.Binding());

    private static CompletableFuture<CancelReport> cancel(ContextNode context, Duration timeout) {
        return context.cancelAndReport(timeout).toCompletableFuture();
    }

    @Test
    void everythingThatStopsInTimeMakesACompleteReportAtOnce() {
        ContextNode server = tree.open("server");
        ContextNode request = tree.open(server, "request");
        ContextNode query = tree.open(request, "query");
        request.onCancel(reason -> request.close());

        CompletableFuture<CancelReport> report = cancel(server, Duration.ofHours(1));
        assertThat(server.isCancelled()).isTrue();
        // The request only waits for its child.
        assertThat(report).isNotDone();
        tree.passSeconds(2);
        query.close();

        assertThat(report).succeedsWithin(LONG).isEqualTo(new CancelReport(Duration.ofSeconds(2), List.of(), 0));
        assertThat(report.join().isComplete()).isTrue();
        assertThat(report.join()).hasToString("all stopped");
        // The thread that tells of the end closes the timer behind it.
        await().until(() -> tree.runtime.timers().pending() == 0);
    }

    @Test
    void whoHearsThatAllStoppedMayWaitForTheResultOfWhatStopped() throws InterruptedException {
        ContextNode server = tree.open("server");
        CompletableFuture<String> work = new CompletableFuture<>();
        CountDownLatch started = new CountDownLatch(1);
        CompletableFuture<String> result = server.spawnChild("task", child -> {
                    started.countDown();
                    return work;
                })
                .toCompletableFuture();
        assertThat(started.await(60, TimeUnit.SECONDS)).isTrue();
        CompletionStage<String> told =
                server.cancelAndReport(Duration.ofHours(1)).thenApply(report -> report + ", " + result.join());
        // Not in the thread of the test, which would not come back.
        Thread worker = new Thread(() -> work.complete("done"));
        worker.setDaemon(true);
        worker.start();

        assertThat(told.toCompletableFuture()).succeedsWithin(LONG).isEqualTo("all stopped, done");
        worker.join();
    }

    @Test
    void whoHearsThatAllStoppedMayWaitForAReportOfWhatIsAround() throws InterruptedException {
        ContextNode outer = tree.open("outer");
        ContextNode server = tree.open(outer, "server");
        ContextNode request = tree.open(server, "request");
        CompletableFuture<CancelReport> around = cancel(outer, Duration.ofHours(1));
        CompletionStage<CancelReport> inside =
                server.cancelAndReport(Duration.ofHours(1)).thenApply(report -> around.join());
        server.close();
        Thread worker = new Thread(request::close);
        worker.setDaemon(true);
        worker.start();

        assertThat(inside.toCompletableFuture()).succeedsWithin(LONG).matches(CancelReport::isComplete);
        worker.join();
    }

    @Test
    void aContextWithoutChildrenHasNothingToWaitFor() {
        assertThat(cancel(tree.open("task"), Duration.ofHours(1)).join().isComplete())
                .isTrue();
    }

    @Test
    void whoDoesNotStopIsNamedWithWhatItIsDoing() {
        ContextNode server = tree.open("server");
        ContextNode holder = tree.open(server, "holder");
        LockGuard<?> guard = holder.mutex("orders").lock().toCompletableFuture().join();
        ContextNode busy = tree.open(server, "busy");
        ContextNode still = tree.open(server, "still");
        ContextNode closing = tree.open(server, "closing");
        ContextNode left = tree.open(closing, "left");
        closing.close();
        try (Operation query = busy.operation("db-query")) {
            tree.passSeconds(3);
            CancelReport report = cancel(server, Duration.ZERO).join();

            assertThat(report.isComplete()).isFalse();
            assertThat(report.unstopped())
                    .extracting(CancelReport.Unstopped::toString)
                    .containsExactly(
                            "app.server.holder#" + holder.id() + ": holds \"orders\" for 3s",
                            "app.server.busy#" + busy.id() + ": inside \"db-query\" for 3s",
                            "app.server.still#" + still.id() + ": no sign of life for 3s",
                            "app.server.closing.left#" + left.id() + ": no sign of life for 3s");
            assertThat(report.unstopped().get(1).age()).isEqualTo(Duration.ofSeconds(3));
            assertThat(report.toString()).startsWith("4 did not stop\n");
            assertThat(query.name()).isEqualTo("db-query");
        }
        guard.close();
    }

    @Test
    void whoIsStillOnAThreadIsSaidToRunThere() {
        ContextNode server = tree.open("server");
        ContextNode busy = tree.open(server, "busy");
        tree.passSeconds(3);
        CancelReport report;
        try (ContextScope ignored = busy.makeCurrent()) {
            report = cancel(server, Duration.ZERO).join();
        }
        assertThat(report.unstopped())
                .extracting(CancelReport.Unstopped::toString)
                .containsExactly("app.server.busy#" + busy.id() + ": running on a thread");
    }

    @Test
    void whoseWaitForALockTheCancellationHasNotReachedYetIsSaidToWait() {
        ContextNode server = tree.open("server");
        ContextNode first = tree.open(server, "first");
        ContextNode second = tree.open(server, "second");
        LockGuard<Integer> held =
                tree.root.mutex("orders", 1).lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> wait = MutexTest.ask(second, tree.root.mutex("orders", 1));
        tree.passSeconds(3);
        // All are marked before anybody is told, and told of before a wait ends: whoever is told finds that the
        // second one waits.
        List<CancelReport> reports = new ArrayList<>();
        Registration listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.Cancelled cancelled && cancelled.contextId() == first.id()) {
                first.close();
                reports.add(cancel(server, Duration.ZERO).join());
            }
        });
        server.cancel();
        listening.close();

        assertThat(reports)
                .singleElement()
                .satisfies(report -> assertThat(report.unstopped())
                        .extracting(CancelReport.Unstopped::toString)
                        .containsExactly("app.server.second#" + second.id() + ": waiting for lock \"orders\" for 3s"));
        assertThat(wait).isCompletedExceptionally();
        held.close();
    }

    @Test
    void theReportComesWhenTheTimeIsOver() {
        ContextNode server = tree.open("server");
        ContextNode deaf = tree.open(server, "deaf");

        CompletableFuture<CancelReport> report = cancel(server, Duration.ofMillis(5));
        await().until(report::isDone);
        assertThat(report.join().unstopped())
                .singleElement()
                .satisfies(one -> assertThat(one.contextId()).isEqualTo(deaf.id()));
        deaf.close();
        assertThat(server.isChildless()).isTrue();
    }

    @Test
    void aChildThatComesAsTheLastOneLeavesIsWaitedForToo() {
        ContextNode server = tree.open("server");
        ContextNode first = tree.open(server, "first");
        CompletableFuture<CancelReport> report = cancel(server, Duration.ofHours(1));
        ContextNode late = tree.open(server, "late");
        first.close();
        assertThat(report).isNotDone();
        late.close();
        assertThat(report.join().isComplete()).isTrue();
    }

    @Test
    void atMostAHundredAreNamedAndTheRestIsCounted() {
        ContextNode server = tree.open("server");
        for (int i = 0; i < 150; i++) {
            server.openChild("request", ContextKind.REQUEST, null);
        }
        CancelReport report = cancel(server, Duration.ZERO).join();
        assertThat(report.unstopped()).hasSize(100);
        assertThat(report.more()).isEqualTo(50);
        assertThat(report.toString()).startsWith("150 did not stop\n").endsWith("\n+50 more");
    }

    @Test
    void aRuntimeThatClosesReportsWhatIsOpen() {
        EngineRuntime other = tree.another();
        ContextNode server = (ContextNode) other.root().child("server").open();
        ContextNode deaf = (ContextNode) server.child("deaf").open();
        CompletableFuture<CancelReport> report = cancel(server, Duration.ofHours(1));
        other.close();
        assertThat(report.join().unstopped()).hasSize(1);
        deaf.close();
    }

    @Test
    void C5_theReportComesOnTheLoopThatAskedForIt() {
        ContextNode server = tree.open("server");
        ContextNode request = tree.open(server, "request");
        FakeLoop loop = new FakeLoop();
        List<FakeLoop> told = new ArrayList<>();
        loop.run(() -> {
            var unused = server.cancelAndReport(Duration.ofHours(1))
                    .whenComplete((report, failure) -> told.add(FakeLoop.here()));
        });
        request.close();
        assertThat(told).isEmpty();
        loop.turn();
        assertThat(told).containsExactly(loop);
    }

    @Test
    void C5_whereTheLoopHasNoThreadLeftTheReportComesAllTheSameAndTheTreeIsWhole() {
        ContextNode outer = tree.open("outer");
        ContextNode server = tree.open(outer, "server");
        ContextNode request = tree.open(server, "request");
        FakeLoop loop = new FakeLoop();
        List<CompletableFuture<CancelReport>> reports = new ArrayList<>();
        loop.run(() -> reports.add(cancel(server, Duration.ofHours(1))));
        server.close();
        outer.close();
        loop.shutDown(new OutOfMemoryError("unable to create native thread"));
        request.close();

        assertThat(reports.get(0)).succeedsWithin(LONG).matches(CancelReport::isComplete);
        assertThat(outer.state()).isEqualTo(ContextState.CLOSED);
        assertThat(tree.root.isChildless()).isTrue();
    }

    @Test
    void whoHearsThatAllStoppedFindsThemGoneWithAllThatCloseWithThem() {
        ContextNode outer = tree.open("outer");
        ContextNode server = tree.open(outer, "server");
        ContextNode request = tree.open(server, "request");
        List<String> found = new CopyOnWriteArrayList<>();
        var unused = server.cancelAndReport(Duration.ofHours(1)).whenComplete((report, failure) -> {
            found.add(report + ", server " + server.state() + ", outer " + outer.state());
            found.add("open " + tree.runtime.openContexts() + ", root childless " + tree.root.isChildless());
            throw new IllegalStateException("of a user");
        });
        server.close();
        outer.close();
        request.close();

        await().atMost(LONG).until(() -> found.size() == 2);
        assertThat(found).containsExactly("all stopped, server CLOSED, outer CLOSED", "open 1, root childless true");
    }

    @Test
    void C7_onALoopAReportAtOnceLooksElsewhereAndComesOnTheLoop() {
        Set<Thread> looked = ConcurrentHashMap.newKeySet();
        Ticker ticker = new Ticker() {
            @Override
            public long nanos() {
                looked.add(Thread.currentThread());
                return 0;
            }

            @Override
            public Instant wallTime() {
                return TestTree.START;
            }
        };
        try (EngineRuntime runtime =
                new EngineRuntime(new ContextEngine.Settings("app", "App", null, ticker), tree.runtime.current())) {
            ContextNode server = tree.open(runtime.root(), "server");
            ContextNode deaf = tree.open(server, "deaf");
            FakeLoop loop = new FakeLoop();
            List<FakeLoop> told = new ArrayList<>();
            List<CancelReport> reports = new ArrayList<>();
            looked.clear();
            loop.run(() -> {
                var unused = server.cancelAndReport(Duration.ZERO).whenComplete((report, failure) -> {
                    told.add(FakeLoop.here());
                    reports.add(report);
                });
                assertThat(deaf.isCancelled()).isTrue();
                assertThat(reports).as("on the turn that asks").isEmpty();
            });
            await().until(() -> !reports.isEmpty() || loop.turn() > 0);
            assertThat(told).containsExactly(loop);
            assertThat(reports.get(0).unstopped())
                    .singleElement()
                    .satisfies(one -> assertThat(one.contextId()).isEqualTo(deaf.id()));
            looked.remove(Thread.currentThread());
            assertThat(looked).as("another thread than that of the loop").hasSize(1);
        }
    }
}
