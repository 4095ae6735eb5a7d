package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LiveCount;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a context says of itself, before and after the first thing of each kind. */
class TreeEdgesTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private static ContextStatus status(FastnContext context) {
        return context.subtreeStatus().globalContext();
    }

    @Test
    void aPlainContextSaysSo() {
        ContextNode context = tree.open("plain");
        assertThat(context.label()).isEqualTo("plain");
        assertThat(context.caller()).isNull();
        assertThat(context.getData("key")).isNull();
        assertThat(context.setting("key")).isNull();
        assertThat(context.childNodes()).isEmpty();
        assertThat(context.lockList()).isEmpty();
        assertThat(context.cancelHandlers()).isZero();
        assertThat(context.isInOperation()).isFalse();
        assertThat(context.isOnThread()).isFalse();
        assertThat(context.cancelReason()).isNull();
        assertThat(context.runtime()).isSameAs(tree.runtime);
        assertThat(context).hasToString("app.plain#" + context.id() + " ACTIVE");
        context.cancel();
        assertThat(context).hasToString("app.plain#" + context.id() + " ACTIVE, cancelled");
    }

    @Test
    void aContextWithOneThingHasNoneOfTheOthers() {
        ContextNode context = tree.open("one");
        context.setData("key", 1);
        assertThat(context.label()).isEqualTo("one");
        assertThat(context.caller()).isNull();
        assertThat(context.setting("key")).isNull();
        assertThat(context.getData("other")).isNull();
        assertThat(context.isInOperation()).isFalse();
        assertThat(context.cancelHandlers()).isZero();
        assertThat(context.lockList()).isEmpty();

        ContextNode other = tree.open("other");
        other.setSetting("key", "value");
        assertThat(other.getData("key")).isNull();
        other.setSetting("key", null);
        assertThat(other.setting("key")).isNull();
    }

    @Test
    void aChildOfTheFastFormHasItsKindAndItsCaller() {
        CallerLink caller = new CallerLink("bob", "1-2", 7, "app.caller");
        ContextNode child = tree.root.openChild("request", ContextKind.REQUEST, caller);
        assertThat(child.kind()).isEqualTo(ContextKind.REQUEST);
        assertThat(child.caller()).isEqualTo(caller);
        assertThat(tree.root.openChild("request", ContextKind.REQUEST, null).caller())
                .isNull();
    }

    @Test
    void thePathIsTheSameBeforeAndAfterTheFirstCount() {
        ContextNode context = tree.open(tree.open("service"), "worker");
        assertThat(context.path()).hasToString("app.service.worker");
        context.incrementTotal("requests");
        assertThat(context.path()).hasToString("app.service.worker");
        assertThat(context.pathCounters().path()).isEqualTo(context.path());
    }

    @Test
    void aContextIsOnThreadUntilTheLastThreadLeft() {
        ContextNode context = tree.open("worker");
        context.enterThread();
        context.enterThread();
        context.leaveThread();
        assertThat(context.isOnThread()).isTrue();
        context.leaveThread();
        assertThat(context.isOnThread()).isFalse();
    }

    @Test
    void aWordOfActivityIsShownAndIsASignOfLife() {
        ContextNode context = tree.open("worker");
        tree.passSeconds(5);
        context.touch("parsing");
        assertThat(context.idleDuration()).isZero();
        assertThat(status(context).activity()).isEqualTo("parsing");
        tree.passSeconds(5);
        context.touch("parsing");
        assertThat(context.idleDuration()).isZero();
        context.touch("writing");
        assertThat(status(context).activity()).isEqualTo("writing");
    }

    /** What design calls activity, but for what only an environment sees, such as requests and messages. */
    @Test
    @SuppressWarnings("MustBeClosedChecker") // closed as one of the uses
    void everyUseIsASignOfLife() {
        ContextNode context = tree.open("worker");
        ContextNode child = tree.open(context, "child");
        ContextMutex<Integer> lock = tree.root.mutex("lock", 1);
        LockGuard<Integer> elsewhere = requireNonNull(lock.tryLock());
        List<Operation> operation = new ArrayList<>();
        List<LiveCount> live = new ArrayList<>();
        List<CompletableFuture<LockGuard<Integer>>> guards = new ArrayList<>();
        Map<String, Runnable> uses = new LinkedHashMap<>();
        uses.put("a word", () -> context.touch("parsing"));
        uses.put("a total", () -> context.incrementTotal("requests"));
        uses.put("a total by its handle", () -> context.totalCounter("requests").increment());
        uses.put("more alive", () -> context.incrementLive("busy"));
        uses.put("fewer alive", () -> context.decrementLive("busy"));
        uses.put("one that is alive", () -> live.add(track(context, "rooms")));
        uses.put("its end", () -> live.get(0).close());
        uses.put("an operation", () -> operation.add(begin(context, "reading")));
        uses.put("the end of one", () -> operation.get(0).close());
        uses.put("a child that opens", () -> context.openChild("one more", ContextKind.TASK, null));
        uses.put("a child that closes", child::close);
        uses.put("a lock that is free", () -> guards.add(lockOf(context, "own")));
        uses.put("the release of one", () -> guards.get(0).join().close());
        uses.put("a wait for a lock", () -> guards.add(ask(context, lock)));
        uses.put("the grant of that", elsewhere::close);
        uses.put("the release of that", () -> guards.get(1).join().close());
        uses.put(
                "a task",
                () -> context.spawn(() -> CompletableFuture.completedFuture(1))
                        .toCompletableFuture()
                        .join());

        uses.forEach((what, use) -> {
            tree.passSeconds(1);
            assertThat(context.idleDuration()).as("before %s", what).isEqualTo(Duration.ofSeconds(1));
            use.run();
            assertThat(context.idleDuration()).as(what).isZero();
        });
        assertThat(context.duration()).isEqualTo(Duration.ofSeconds(uses.size()));
    }

    private static CompletableFuture<LockGuard<Integer>> lockOf(FastnContext context, String name) {
        return context.mutex(name, 1).lock().toCompletableFuture();
    }

    /** Asks for a lock of somebody else, in a context. */
    private static CompletableFuture<LockGuard<Integer>> ask(FastnContext context, ContextMutex<Integer> lock) {
        try (ContextScope ignored = context.makeCurrent()) {
            return lock.lock().toCompletableFuture();
        }
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static LiveCount track(FastnContext context, String name) {
        return context.trackLive(name);
    }

    @SuppressWarnings("MustBeClosedChecker")
    private static Operation begin(FastnContext context, String name) {
        return context.operation(name);
    }

    @Test
    void aContextClosesWhenItsLastOperationEnds() {
        ContextNode context = tree.open("worker");
        Operation one = begin(context, "one");
        Operation two = begin(context, "two");
        context.closeWhenDone();
        assertThat(context.isInOperation()).isTrue();
        one.close();
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        two.close();
        assertThat(context.state()).isEqualTo(ContextState.CLOSED);

        ContextNode idle = tree.open("idle");
        idle.closeWhenDone();
        assertThat(idle.isClosed()).isTrue();
        ContextNode wasBusy = tree.open("was-busy");
        begin(wasBusy, "one").close();
        assertThat(wasBusy.isInOperation()).isFalse();
        wasBusy.closeWhenDone();
        assertThat(wasBusy.isClosed()).isTrue();
    }

    @Test
    void whatIsWrappedRunsInItsContextAndGivesItsResult() throws Exception {
        ContextNode context = tree.open("worker");
        List<@Nullable FastnContext> seen = new ArrayList<>();
        Runnable look = () -> seen.add(FastnContext.current());
        context.wrap(look).run();
        assertThat(context.wrapCallable(() -> {
                            look.run();
                            return "result";
                        })
                        .call())
                .isEqualTo("result");
        context.wrapExecutor(Runnable::run).execute(look);
        assertThat(seen).containsExactly(context, context, context);
    }

    @Test
    void ofTwoWordsTheFirstStandsAllTheWayDown() {
        ContextNode top = tree.open("top");
        ContextNode middle = tree.open(top, "middle");
        ContextNode bottom = tree.open(middle, "bottom");
        ContextNode sibling = tree.open(top, "sibling");
        middle.cancel("middle");
        top.cancel("top");
        assertThat(reason(bottom)).isEqualTo("middle");
        assertThat(reason(sibling)).isEqualTo("top");
        assertThat(reason(tree.open(middle, "late"))).isEqualTo("middle");
        assertThat(reason(tree.open(bottom, "late"))).isEqualTo("middle");
        CancelReason inherited = requireNonNull(bottom.cancelReason());
        assertThat(inherited.kind()).isEqualTo(CancelReason.Kind.PARENT);
        assertThat(inherited.source()).isEqualTo("app.top.middle");
    }

    private static String reason(FastnContext context) {
        CancelReason reason = context.cancelReason();
        return reason == null ? "alive" : reason.message();
    }

    @Test
    void aTimeThatIsOverCancelsAndOneOfAnEndedContextDoesNothing() {
        ContextNode context = tree.open("worker");
        int before = tree.runtime.timers().pending();
        Registration later = context.cancelAfter(Duration.ofHours(1));
        assertThat(tree.runtime.timers().pending()).isEqualTo(before + 1);
        later.close();
        assertThat(tree.runtime.timers().pending()).isEqualTo(before);
        assertThat(context.isCancelled()).isFalse();
        context.cancelAfter(Duration.ofSeconds(-1)).close();
        CancelReason reason = requireNonNull(context.cancelReason());
        assertThat(reason.kind()).isEqualTo(CancelReason.Kind.TIMEOUT);
        context.cancelAfter(Duration.ofHours(1)).close();
        assertThat(context.cancelReason()).isSameAs(reason);
    }

    @Test
    void theTimeOfAContextIsTheFirstThatRunsOutOfItsOwnAndOfThoseAboveIt() {
        ContextNode top = tree.open("top");
        ContextNode middle = tree.open(top, "middle");
        ContextNode bottom = tree.open(middle, "bottom");
        assertThat(bottom.deadlineNanos()).isZero();
        long now = tree.runtime.nanos();
        Registration early = top.cancelAfter(Duration.ofHours(1));
        Registration late = middle.cancelAfter(Duration.ofHours(2));
        assertThat(top.deadlineNanos() - now).isEqualTo(Duration.ofHours(1).toNanos());
        assertThat(middle.deadlineNanos()).isEqualTo(top.deadlineNanos());
        assertThat(bottom.deadlineNanos()).isEqualTo(top.deadlineNanos());

        early.close();
        assertThat(top.deadlineNanos()).isZero();
        assertThat(bottom.deadlineNanos() - now).isEqualTo(Duration.ofHours(2).toNanos());
        late.close();
        assertThat(bottom.deadlineNanos()).isZero();
    }

    @Test
    void theLatestOperationIsTheLastThatBeganOfThoseThatAreUnderWay() {
        ContextNode context = tree.open("worker");
        assertThat(context.latestOperation()).isNull();
        Operation one = begin(context, "one");
        Operation two = begin(context, "two");
        assertThat(context.latestOperation()).isSameAs(two);
        two.close();
        assertThat(context.latestOperation()).isSameAs(one);
        one.close();
        assertThat(context.latestOperation()).isNull();
    }

    @Test
    void onlyWhatDiffersIsAChange() {
        ContextNode context = tree.open("worker");
        context.setData("key", null);
        context.setData("key", 1);
        context.addMetric("metric", 1);
        context.setLabel("label");
        long before = tree.runtime.version();
        context.setData("key", 1);
        context.addMetric("metric", 1);
        context.setLabel("label");
        assertThat(tree.runtime.version()).isEqualTo(before);
        Runnable[] changes = {
            () -> context.setData("key", null),
            () -> context.addMetric("metric", 2),
            () -> context.setLabel("other"),
            () -> context.setSetting("key", 1),
            () -> context.cancel(),
            () -> begin(context, "op").close(),
            () -> context.child("child").open(),
            context::close,
            () -> context.children().forEach(FastnContext::close)
        };
        for (Runnable change : changes) {
            long last = tree.runtime.version();
            change.run();
            assertThat(tree.runtime.version()).isGreaterThan(last);
        }
        assertThat(context.isClosed()).isTrue();
    }

    @Test
    void aHandlerIsForgottenWhenItIsTakenBackAndWhenItRan() {
        ContextNode context = tree.open("worker");
        AtomicInteger calls = new AtomicInteger();
        context.onCancel(reason -> calls.incrementAndGet()).close();
        assertThat(context.cancelHandlers()).isZero();
        context.onCancel(reason -> calls.incrementAndGet());
        assertThat(context.cancelHandlers()).isEqualTo(1);
        context.cancel();
        assertThat(context.cancelHandlers()).isZero();
        context.onCancel(reason -> calls.incrementAndGet());
        assertThat(context.cancelHandlers()).isZero();
        assertThat(calls).hasValue(2);
    }

    @Test
    void aLockAskedForAgainIsTheSameAndAnotherFirstValueIsToldOf() {
        ContextNode context = tree.open("worker");
        Object lock = context.mutex("lock", 1);
        assertThat(context.mutex("lock", 1)).isSameAs(lock);
        assertThat(context.mutex("lock")).isSameAs(lock);
        assertThat(tree.runtime.misuses()).isEmpty();
        assertThat(context.mutex("lock", 2)).isSameAs(lock);
        assertThat(tree.runtime.misuses()).hasSize(1);
        assertThat(context.lockList()).hasSize(1);
    }

    @Test
    void S5_ofTwoFirstValuesThatDifferOnlyNumbersAndTruthsAreShown() {
        ContextNode context = tree.open("worker");
        context.mutex("number", 1);
        context.mutex("number", 2);
        context.readWriteLock("truth", true);
        context.readWriteLock("truth", "secret");
        context.semaphore("permits", 3);
        context.semaphore("permits", 4);
        assertThat(tree.runtime.misuses())
                .satisfiesExactlyInAnyOrder(
                        said -> assertThat(said).contains("app.worker, which has 1, with 2 at "),
                        said -> assertThat(said)
                                .contains("app.worker, which has true, with a java.lang.String at ")
                                .doesNotContain("secret"),
                        said -> assertThat(said).contains("app.worker, which has 3, with 4 at "));
    }

    @Test
    void aLockIsForgottenWhereNobodyHasIt() {
        ContextNode context = tree.open("worker");
        context.forgetLock("lock");
        ContextMutex<Integer> lock = context.mutex("lock", 1);
        context.mutex("other", 1);
        LockGuard<Integer> guard = lock.lock().toCompletableFuture().join();
        context.forgetLock("lock");
        assertThat(context.mutex("lock", 1)).as("somebody has it").isSameAs(lock);
        guard.close();
        context.forgetLock("lock");
        assertThat(context.lockList()).hasSize(1);
        assertThat(context.mutex("lock", 1)).isNotSameAs(lock);
    }

    @Test
    void nullIsRefusedWhereverANameIsAskedFor() {
        ContextNode context = tree.open("worker");
        assertThatNullPointerException().isThrownBy(() -> context.getTotal(none()));
        assertThatNullPointerException().isThrownBy(() -> context.subtreeLive(none()));
        assertThatNullPointerException().isThrownBy(() -> context.mutex(none()));
        assertThatNullPointerException().isThrownBy(() -> context.cancel(none()));
    }

    @SuppressWarnings("NullAway") // what a caller without a checker may pass
    private static String none() {
        return null;
    }
}
