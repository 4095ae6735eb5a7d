package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.fastn.context.FastnContext;
import com.fastn.context.Operation;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

    @Test
    void everyUseIsASignOfLife() {
        ContextNode context = tree.open("worker");
        tree.passSeconds(1);
        context.incrementTotal("requests");
        assertThat(context.idleDuration()).isZero();
        tree.passSeconds(1);
        Operation operation = begin(context, "reading");
        assertThat(context.idleDuration()).isZero();
        tree.passSeconds(1);
        operation.close();
        assertThat(context.idleDuration()).isZero();
        assertThat(context.duration()).isEqualTo(Duration.ofSeconds(3));
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
        context.cancelAfter(Duration.ofNanos(1)).close();
        assertThat(context.isCancelled()).isFalse();
        context.cancelAfter(Duration.ofSeconds(-1));
        CancelReason reason = requireNonNull(context.cancelReason());
        assertThat(reason.kind()).isEqualTo(CancelReason.Kind.TIMEOUT);
        context.cancelAfter(Duration.ofHours(1)).close();
        assertThat(context.cancelReason()).isSameAs(reason);
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
