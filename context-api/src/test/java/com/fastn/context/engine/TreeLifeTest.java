package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.WarningIds;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.StatusWarning;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TreeLifeTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void aChildKnowsWhereItStands() {
        FastnContext proxy = tree.open("http-proxy");
        FastnContext session =
                proxy.child("session").withKind(ContextKind.SESSION).open();

        assertThat(session.name()).isEqualTo("session");
        assertThat(session.label()).isEqualTo("session");
        assertThat(session.kind()).isEqualTo(ContextKind.SESSION);
        assertThat(session.parent()).isSameAs(proxy);
        assertThat(session.runtime()).isSameAs(tree.runtime);
        assertThat(session.path()).isEqualTo(ContextPath.of("app", "http-proxy", "session"));
        assertThat(session.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(session.caller()).isNull();
        assertThat(session.isCancelled()).isFalse();
        assertThat(session).hasToString("app.http-proxy.session#3 ACTIVE");
        assertThat(tree.root.children()).containsExactly(proxy);
        assertThat(proxy.children()).containsExactly(session);
    }

    @Test
    void aHookOnChangesThatFailsKeepsNobodyInTheTree() {
        ContextNode outer = tree.open("outer");
        ContextNode inner = tree.open(outer, "inner");
        outer.close();
        Registration hook = tree.runtime.onFirstChange(() -> {
            throw new StackOverflowError("planted");
        });
        // The next change is the first one.
        tree.runtime.version();
        String log = CapturedLog.of(inner::close);
        hook.close();

        assertThat(log).contains("a hook on the first change failed");
        assertThat(outer.state()).isEqualTo(ContextState.CLOSED);
        assertThat(tree.root.isChildless()).isTrue();
    }

    @Test
    void aChildHasWhatItsBuilderWasTold() {
        CallerLink link = new CallerLink("carol", "0-1", 7, "app.request");
        FastnContext child = tree.root
                .child("http-proxy")
                .withLabel("HTTP Proxy")
                .withKind(ContextKind.SERVICE)
                .withCaller(link)
                .withData("port", 80)
                .withMetric("requests", 3)
                .withSetting("colour", "blue")
                .open();

        assertThat(child.label()).isEqualTo("HTTP Proxy");
        assertThat(child.kind()).isEqualTo(ContextKind.SERVICE);
        assertThat(child.caller()).isEqualTo(link);
        assertThat(child.getData("port")).hasToString("80");
        assertThat(child.setting("colour")).isEqualTo("blue");
    }

    @Test
    void nothingIsInTheTreeBeforeTheBuilderOpensIt() {
        var unused = tree.root.child("later").withLabel("Later");

        assertThat(tree.root.children()).isEmpty();
        assertThat(tree.runtime.openContexts()).isEqualTo(1);
    }

    @Test
    void siblingsMayShareANameAndAreToldApartById() {
        FastnContext first = tree.open("worker");
        FastnContext second = tree.open("worker");

        assertThat(first.path()).isEqualTo(second.path());
        assertThat(first.id()).isNotEqualTo(second.id());
        assertThat(tree.runtime.find(ContextPath.of("app", "worker"))).isSameAs(first);
        assertThat(tree.runtime.find(second.id())).isSameAs(second);
    }

    @Test
    void theOldestOfAPathIsFoundWhereverItHangs() {
        FastnContext first = tree.open("server");
        FastnContext second = tree.open("server");
        FastnContext older = tree.open(second, "worker");
        tree.open(first, "worker");

        assertThat(tree.runtime.find(ContextPath.of("app", "server", "worker"))).isSameAs(older);
    }

    @Test
    void whatIsNotOpenIsNotFound() {
        FastnContext worker = tree.open("worker");
        worker.close();

        assertThat(tree.runtime.find(worker.id())).isNull();
        assertThat(tree.runtime.find(worker.path())).isNull();
        assertThat(tree.runtime.find(ContextPath.of("another-root"))).isNull();
        assertThat(tree.runtime.find(tree.root.path())).isSameAs(tree.root);
    }

    @Test
    void childrenAreTheOldestFirstWhicheverEnded() {
        FastnContext a = tree.open("a");
        FastnContext b = tree.open("b");
        FastnContext c = tree.open("c");
        FastnContext d = tree.open("d");

        b.close();
        assertThat(tree.root.children()).containsExactly(a, c, d);
        a.close();
        assertThat(tree.root.children()).containsExactly(c, d);
        d.close();
        assertThat(tree.root.children()).containsExactly(c);
        FastnContext e = tree.open("e");
        assertThat(tree.root.children()).containsExactly(c, e);
    }

    @Test
    void C8_aChildThatEndsLeavesItsParentAtOnce() {
        FastnContext child = tree.open("child");
        child.close();

        assertThat(child.state()).isEqualTo(ContextState.CLOSED);
        assertThat(tree.root.children()).isEmpty();
        assertThat(tree.runtime.openContexts()).isEqualTo(1);
    }

    @Test
    void C8_whoBlocksWhenItsWaitEndsKeepsNoContextInTheTree() throws InterruptedException {
        ContextNode outer = tree.open("outer");
        ContextNode request = tree.open(outer, "request");
        request.persist();
        LockGuard<?> before =
                tree.root.mutex("before").lock().toCompletableFuture().join();
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CountDownLatch both = new CountDownLatch(2);
        try (ContextScope ignored = request.makeCurrent()) {
            for (int i = 0; i < 2; i++) {
                tree.root.mutex("before").lock().whenComplete((guard, failure) -> {
                    blocked.countDown();
                    waitFor(goOn);
                    both.countDown();
                });
            }
        }
        try (ContextScope ignored = request.makeCurrent()) {
            tree.root.mutex("with-end").setAutoReleaseOnEnd(true);
            var unused =
                    tree.root.mutex("with-end").lock().toCompletableFuture().join();
        }
        CompletableFuture<Boolean> childless = new CompletableFuture<>();
        outer.whenChildless(() -> childless.complete(true));
        outer.close();
        Thread closing = new Thread(request::close);
        closing.start();
        waitFor(blocked);

        assertThat(request.state()).isEqualTo(ContextState.CLOSED);
        assertThat(outer.state()).isEqualTo(ContextState.CLOSED);
        assertThat(tree.root.children()).isEmpty();
        assertThat(tree.runtime.openContexts()).isEqualTo(1);
        assertThat(tree.runtime.recent()).extracting(FinishedContext::path).containsExactly(request.path());
        assertThat(tree.runtime.status().lockWaiters()).isEmpty();
        assertThat(tree.root.mutex("with-end").holders()).isEmpty();
        assertThat(childless).succeedsWithin(Duration.ofSeconds(60));
        goOn.countDown();
        waitFor(both);
        closing.join();
        before.close();
    }

    @Test
    void C8_whoIsToldOfTheEndOfAChildFindsAllThatClosedWithItGone() {
        ContextNode outer = tree.open("outer");
        ContextNode inner = tree.open(outer, "inner");
        outer.close();
        List<String> found = new ArrayList<>();
        Registration listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.Closed closed) {
                found.add(closed.path() + ": " + outer.state() + ", " + tree.root.children());
                throw new StackOverflowError("planted");
            }
        });
        CapturedLog.of(inner::close);
        listening.close();

        assertThat(found).containsExactly("app.outer.inner: CLOSED, []", "app.outer: CLOSED, []");
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aClosedContextWithOpenChildrenStaysInTheTreeAsClosing() {
        FastnContext parent = tree.open("parent");
        FastnContext child = tree.open(parent, "child");
        parent.close();

        assertThat(parent.state()).isEqualTo(ContextState.CLOSING);
        assertThat(tree.root.children()).containsExactly(parent);
        assertThat(parent.children()).containsExactly(child);
        assertThat(child.state()).isEqualTo(ContextState.ACTIVE);

        child.close();
        assertThat(parent.state()).isEqualTo(ContextState.CLOSED);
        assertThat(tree.root.children()).isEmpty();
    }

    @Test
    void aClosedContextWhoseChildrenStayOpenIsWarnedOfAfterSomeTime() {
        FastnContext parent = tree.open("parent");
        tree.open(parent, "child");
        tree.passSeconds(30);
        parent.close();
        tree.passSeconds(60);
        assertThat(tree.runtime.status().warnings())
                .extracting(StatusWarning::id)
                .doesNotContain(WarningIds.CHILDREN_UNCLOSED);
        tree.passSeconds(5);
        assertThat(tree.runtime.status().warnings())
                .filteredOn(warning -> warning.id().equals(WarningIds.CHILDREN_UNCLOSED))
                .singleElement()
                .satisfies(warning -> assertThat(warning.message())
                        .isEqualTo("parent was closed 1m 5s ago, but 1 child is open: child for 1m 35s"));
    }

    @Test
    void theLastChildTakesAllClosingAncestorsWithIt() {
        FastnContext a = tree.open("a");
        FastnContext b = tree.open(a, "b");
        FastnContext c = tree.open(b, "c");
        FastnContext other = tree.open(a, "other");
        a.close();
        b.close();
        c.close();
        assertThat(b.state()).isEqualTo(ContextState.CLOSED);
        assertThat(a.state()).isEqualTo(ContextState.CLOSING);

        other.close();
        assertThat(a.state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void C9_aSecondCloseHasNoEffect() {
        FastnContext parent = tree.open("parent");
        FastnContext child = tree.open(parent, "child");
        parent.close();
        parent.close();
        assertThat(parent.state()).isEqualTo(ContextState.CLOSING);
        child.close();
        child.close();
        parent.close();

        assertThat(tree.runtime.openContexts()).isEqualTo(1);
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void C9_aChildOfAnEndedContextIsClosedAndCancelledFromTheStart() {
        FastnContext parent = tree.open("parent");
        parent.close();
        FastnContext child = parent.child("child").withData("a", 1).open();

        assertThat(child.state()).isEqualTo(ContextState.CLOSED);
        assertThat(child.isCancelled()).isTrue();
        assertThat(child.cancelReason())
                .isEqualTo(new CancelReason(CancelReason.Kind.PARENT, "the parent had ended", "app.parent"));
        assertThat(parent.children()).isEmpty();
        assertThat(tree.runtime.openContexts()).isEqualTo(1);
        assertThat(tree.runtime.misuses()).hasSize(1);
    }

    @Test
    void C9_aClosingContextTakesNoNewChildren() {
        FastnContext parent = tree.open("parent");
        FastnContext child = tree.open(parent, "child");
        parent.close();
        FastnContext late = tree.open(parent, "late");

        assertThat(late.state()).isEqualTo(ContextState.CLOSED);
        assertThat(parent.children()).containsExactly(child);
    }

    @Test
    void theRootEndsOnlyWithItsRuntime() {
        tree.root.close();
        assertThat(tree.root.state()).isEqualTo(ContextState.ACTIVE);
    }

    @Test
    void durationGrowsWhileAContextIsOpenAndRestsWhenItIsClosed() {
        FastnContext child = tree.open("child");
        tree.passSeconds(3);
        assertThat(child.duration()).isEqualTo(Duration.ofSeconds(3));
        assertThat(tree.runtime.status().globalContext().children().get(0).duration())
                .isEqualTo(Duration.ofSeconds(3));
        child.close();
        tree.passSeconds(5);
        assertThat(child.duration()).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void durationNeverGoesBackWhenAClosingContextIsClosed() {
        FastnContext parent = tree.open("parent");
        FastnContext child = tree.open(parent, "child");
        tree.passSeconds(1);
        parent.close();
        tree.passSeconds(9);
        assertThat(parent.duration()).isEqualTo(Duration.ofSeconds(10));
        child.close();
        tree.passSeconds(5);
        assertThat(parent.duration()).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void signsOfLifeEndIdleness() {
        FastnContext child = tree.open("child");
        tree.passSeconds(4);
        assertThat(child.idleDuration()).isEqualTo(Duration.ofSeconds(4));
        assertThat(child.lastActivity()).isEqualTo(TestTree.START);

        child.touch();
        assertThat(child.idleDuration()).isZero();
        tree.passSeconds(2);
        child.touch("request");
        assertThat(child.idleDuration()).isZero();
        assertThat(child.lastActivity()).isEqualTo(TestTree.START.plusSeconds(6));
        assertThat(child.createdAt()).isEqualTo(TestTree.START);
        assertThat(tree.runtime.status().globalContext().children().get(0).activity())
                .isEqualTo("request");
    }

    @Test
    void aClockMayCountFromFarBelowZero() {
        long zero = -TimeUnit.DAYS.toNanos(10_000);
        Ticker below = new Ticker() {
            @Override
            public long nanos() {
                return zero + tree.ticker.nanos();
            }

            @Override
            public Instant wallTime() {
                return tree.ticker.wallTime();
            }
        };
        try (EngineRuntime runtime = new EngineRuntime(
                new ContextEngine.Settings("below", "Below", "alice", below, Integer.MAX_VALUE, 100, false),
                tree.runtime.current())) {
            FastnContext child = runtime.root().child("child").open();
            tree.passSeconds(4);
            assertThat(child.idleDuration()).isEqualTo(Duration.ofSeconds(4));
            assertThat(child.lastActivity()).isEqualTo(TestTree.START);
            child.touch();
            tree.passSeconds(1);
            assertThat(child.idleDuration()).isEqualTo(Duration.ofSeconds(1));
            assertThat(child.lastActivity()).isEqualTo(TestTree.START.plusSeconds(4));
            child.close();
            assertThat(child.child("late").open().duration()).isZero();
            assertThat(runtime.root().getTotal("clock_anomaly")).isZero();
        }
    }

    @Test
    void M7_noContextEndsBeforeItBeganAlsoWhereTheClockGoesBack() {
        tree.passSeconds(60);
        ContextNode child = tree.open("child");
        tree.passSeconds(-30);
        child.close();
        assertThat(child.endedNanos()).isEqualTo(child.createdNanos());
    }

    /** The coarse clock may stand a little before the exact time of the creation. */
    @Test
    void noSignOfLifeIsOlderThanItsContext() {
        tree.passSeconds(4);
        ContextNode child = tree.open("child");
        child.touch(tree.runtime.nanos() - 1);
        assertThat(child.lastActivity()).isEqualTo(child.createdAt());
    }

    @Test
    void aChildThatOpensOrClosesIsASignOfLifeOfItsParent() {
        FastnContext parent = tree.open("parent");
        tree.passSeconds(4);
        FastnContext child = tree.open(parent, "child");
        assertThat(parent.idleDuration()).isZero();
        tree.passSeconds(4);
        child.close();
        assertThat(parent.idleDuration()).isZero();
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsRefusedByName() {
        assertThatNullPointerException().isThrownBy(() -> tree.root.child(null)).withMessage("name");
        assertThatNullPointerException()
                .isThrownBy(() -> tree.root.setData(null, 1))
                .withMessage("key");
        assertThatNullPointerException()
                .isThrownBy(() -> tree.root.onCancel(null))
                .withMessage("handler");
    }

    @Test
    void aTaskForTheEndOfTheLastChildThatFailsIsLoggedAndTheNextOneRuns() {
        ContextNode server = tree.open("server");
        ContextNode request = tree.open(server, "request");
        List<String> ran = new ArrayList<>();
        server.whenChildless(() -> {
            throw new IllegalStateException("planted");
        });
        server.whenChildless(() -> ran.add("next"));
        String log = CapturedLog.of(request::close);

        assertThat(log).contains("what was to be done at the end of the last child failed", "planted");
        assertThat(ran).containsExactly("next");
    }

    @Test
    void aTaskForTheEndOfTheLastChildThatIsTakenBackLeavesNobodyWatched() {
        ContextNode server = tree.open("server");
        tree.open(server, "request");
        Registration task = server.whenChildless(() -> {});
        assertThat(server.isWatched()).isTrue();
        task.close();
        assertThat(server.isWatched()).isFalse();
    }
}
