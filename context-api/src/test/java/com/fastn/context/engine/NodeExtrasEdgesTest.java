package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.MetricValue;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What only some contexts have, at the edges: the first and the last of each thing, and one too many. */
class NodeExtrasEdgesTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private final NodeExtras extras = new NodeExtras();

    private CounterCell cell(String context, String counter) {
        return requireNonNull(tree.open(context).pathCounters().cell(counter));
    }

    // --- what has to be ended

    @Test
    @SuppressWarnings("MustBeClosedChecker") // what is open is what is looked at
    void eachThingThatHasToEndIsSeenByItself() {
        Map<String, Consumer<ContextNode>> things = new LinkedHashMap<>();
        things.put("to be remembered", ContextNode::persist);
        things.put("a live count", context -> context.incrementLive("jobs"));
        things.put("an operation", context -> context.operation("query"));
        things.put("a handler", context -> context.onCancel(reason -> {}));
        things.put("a time", context -> context.cancelAfter(Duration.ofHours(1)));
        things.put("a lock of its own", context -> context.mutex("lock", 1));
        things.put("a wait", context -> {
            var unused = MutexTest.ask(tree.root, tree.root.mutex("held", 1));
            var unusedToo = MutexTest.ask(context, tree.root.mutex("held", 1));
        });
        things.put("what is released with it", context -> {
            tree.root.mutex("own", 1).setAutoReleaseOnEnd(true);
            var unused = MutexTest.ask(context, tree.root.mutex("own", 1));
        });
        things.forEach((what, has) -> {
            ContextNode context = tree.open("context");
            context.setData("key", 1);
            assertThat(context.extras().hasMoreToEnd()).as("before %s", what).isFalse();
            has.accept(context);
            assertThat(context.extras().hasMoreToEnd()).as(what).isTrue();
            context.close();
            assertThat(context.isClosed()).as(what).isTrue();
        });
        tree.root
                .mutex("held", 1)
                .holders()
                .forEach(holder -> assertThat(holder).isSameAs(tree.root));
    }

    // --- slow operations

    @Test
    void anInnerOneLeavesLittleOfOneThatTookNotMuchLongerUnderAnotherName() {
        NodeExtras.SlowTime inner = new NodeExtras.SlowTime("inner", 100, 200);
        assertThat(inner.leavesLittleOf(new NodeExtras.SlowTime("outer", 100, 200), 0))
                .isTrue();
        assertThat(inner.leavesLittleOf(new NodeExtras.SlowTime("outer", 95, 205), 10))
                .isTrue();
        assertThat(inner.leavesLittleOf(new NodeExtras.SlowTime("outer", 95, 206), 10))
                .as("more than the limit")
                .isFalse();
        assertThat(inner.leavesLittleOf(new NodeExtras.SlowTime("outer", 94, 205), 10))
                .as("more than the limit")
                .isFalse();
        assertThat(inner.leavesLittleOf(new NodeExtras.SlowTime("outer", 101, 205), 10))
                .as("it is not around")
                .isFalse();
        assertThat(inner.leavesLittleOf(new NodeExtras.SlowTime("inner", 95, 205), 10))
                .as("of the same name")
                .isFalse();
    }

    // --- texts

    @Test
    void aTraceIsATextThatSaysSomething() {
        assertThat(extras.traceId()).isNull();
        for (Object none : new Object[] {"", "  ", 7L}) {
            extras.putData(FinishedContext.TRACE_ID, none);
            assertThat(extras.traceId()).isNull();
        }
        extras.putData("other", "text");
        assertThat(extras.traceId()).isNull();
        extras.putData(FinishedContext.TRACE_ID, "4bf9");
        assertThat(extras.traceId()).isEqualTo("4bf9");
    }

    @Test
    void theVerbThatIsThereIsKept() {
        extras.setActivity(List.of("pars", "ing").stream().collect(joining()));
        String kept = extras.activity;
        assertThat(kept).isEqualTo("parsing");
        extras.setActivity(List.of("pars", "ing").stream().collect(joining()));
        assertThat(extras.activity).isSameAs(kept);
        extras.setActivity("writing");
        assertThat(extras.activity).isEqualTo("writing");
    }

    @Test
    void aLabelSaysWhetherItIsAnotherOne() {
        assertThat(extras.label).isNull();
        assertThat(extras.setLabel("one")).isTrue();
        assertThat(extras.setLabel("one")).isFalse();
        assertThat(extras.setLabel("other")).isTrue();
        assertThat(extras.label).isEqualTo("other");
    }

    // --- keys

    @Test
    void ofDataMetricsAndSettingsEachHasTheMostAndOneMoreIsRefused() {
        for (int i = 0; i < NodeExtras.MOST_KEYS; i++) {
            assertThat(extras.putData("key" + i, i)).isEqualTo(NodeExtras.Put.CHANGED);
            assertThat(extras.putMetric("key" + i, new MetricValue.Counter(i))).isEqualTo(NodeExtras.Put.CHANGED);
            assertThat(extras.putSetting("key" + i, i)).isEqualTo(NodeExtras.Put.CHANGED);
        }
        assertThat(extras.putData("more", 1)).isEqualTo(NodeExtras.Put.REFUSED);
        assertThat(extras.putData("more", null)).isEqualTo(NodeExtras.Put.REFUSED);
        assertThat(extras.putMetric("more", new MetricValue.Counter(1))).isEqualTo(NodeExtras.Put.REFUSED);
        assertThat(extras.putSetting("more", 1)).isEqualTo(NodeExtras.Put.REFUSED);
        assertThat(extras.dataAsJson("more")).isNull();
        assertThat(extras.settingOrNull("more")).isNull();

        assertThat(extras.putData("key0", 0)).isEqualTo(NodeExtras.Put.SAME);
        assertThat(extras.putData("key0", "another")).isEqualTo(NodeExtras.Put.CHANGED);
        assertThat(extras.putMetric("key0", new MetricValue.Counter(0))).isEqualTo(NodeExtras.Put.SAME);
        assertThat(extras.putMetric("key0", new MetricValue.Counter(5))).isEqualTo(NodeExtras.Put.CHANGED);
        assertThat(extras.putSetting("key0", 5)).isEqualTo(NodeExtras.Put.CHANGED);
        assertThat(extras.settingOrNull("key0")).isEqualTo(5);

        assertThat(extras.putSetting("key0", null)).isEqualTo(NodeExtras.Put.CHANGED);
        assertThat(extras.putSetting("more", 1)).as("where one was taken away").isEqualTo(NodeExtras.Put.CHANGED);
    }

    @Test
    void aNullIsAValueOfDataThatDiffersFromNone() {
        assertThat(extras.dataAsJson("key")).isNull();
        assertThat(extras.putData("key", null)).isEqualTo(NodeExtras.Put.CHANGED);
        assertThat(extras.putData("key", null)).isEqualTo(NodeExtras.Put.SAME);
        assertThat(requireNonNull(extras.dataAsJson("key")).isNull()).isTrue();
        assertThat(extras.dataAsJson("other")).isNull();
    }

    @Test
    void settingsOfAPrefixAreACopyOfThoseThatBeginSo() {
        assertThat(extras.settingsOf("a.")).isEmpty();
        extras.putSetting("a.one", 1);
        extras.putSetting("b.two", 2);
        Map<String, Object> some = extras.settingsOf("a.");
        assertThat(some).containsOnly(Map.entry("a.one", 1));
        some.clear();
        assertThat(extras.settingOrNull("a.one")).isEqualTo(1);
    }

    // --- live counts

    @Test
    void theFirstLiveCounterStaysAndTheOthersAreKeptWhileTheyCount() {
        CounterCell cell = cell("one", "jobs");
        NodeExtras.OwnLive first = extras.live("first", cell);
        first.count = 1;
        NodeExtras.OwnLive second = extras.live("second", cell);
        second.count = 2;
        assertThat(second).isNotSameAs(first);
        assertThat(extras.live("first", cell)).isSameAs(first);
        assertThat(extras.live("second", cell)).isSameAs(second);

        extras.takeOne(second);
        assertThat(extras.liveOrNull("second")).isSameAs(second);
        extras.takeOne(second);
        assertThat(extras.liveOrNull("second")).isNull();
        extras.takeOne(first);
        assertThat(extras.liveOrNull("first")).as("it stays, at 0").isSameAs(first);
        assertThat(first.count).isZero();
        assertThat(extras.liveOrNull("none")).isNull();
        assertThat(extras.takeLive()).containsExactly(first);
    }

    @Test
    void whatCountsNothingIsCountedWhereItsCounterIsNow() {
        CounterCell before = cell("one", "jobs");
        CounterCell now = cell("other", "jobs");
        NodeExtras.OwnLive own = extras.live("jobs", before);
        assertThat(extras.live("jobs", before)).as("at the same place").isSameAs(own);
        own.count = 1;
        assertThat(extras.live("jobs", now)).as("while it counts").isSameAs(own);
        own.count = 0;
        NodeExtras.OwnLive moved = extras.live("jobs", now);
        assertThat(moved.cell).isSameAs(now);
        assertThat(extras.liveOrNull("jobs")).isSameAs(moved);
        assertThat(extras.takeLive()).as("in the place of the first").containsExactly(moved);
    }

    @Test
    void allThatIsCountedIsTakenOnceInItsOrder() {
        CounterCell cell = cell("one", "jobs");
        assertThat(extras.takeLive()).isEmpty();
        List<NodeExtras.OwnLive> all = List.of(extras.live("a", cell), extras.live("b", cell), extras.live("c", cell));
        assertThat(extras.takeLive()).isEqualTo(all);
        assertThat(extras.takeLive()).isEmpty();
        assertThat(extras.liveOrNull("a")).isNull();
        assertThat(extras.liveOrNull("b")).isNull();
    }

    // --- who is waited for

    @Test
    void childrenAreWatchedByAWalkOrByWhoWaitsForTheLastOfThem() {
        assertThat(extras.isChildrenWatched()).isFalse();
        ChildBatches walk = new ChildBatches(tree.root);
        extras.walks().add(walk);
        assertThat(extras.isChildrenWatched()).isTrue();
        extras.walks().remove(walk);
        assertThat(extras.isChildrenWatched()).isFalse();
        Runnable task = () -> {};
        extras.whenChildless().add(task);
        assertThat(extras.isChildrenWatched()).isTrue();
        extras.whenChildless().clear();
        assertThat(extras.isChildrenWatched()).isFalse();
    }

    @Test
    void itMayCloseOnceItWasToldSoAndNothingIsUnderWay() {
        assertThat(extras.closesNow()).isFalse();
        assertThat(extras.mayCloseNow()).as("whoever asks now").isTrue();
        extras.closeWhenDone = true;
        assertThat(extras.closesNow()).isTrue();
        RunningOperation running = new RunningOperation(tree.root, "query", 0);
        extras.operations().add(running);
        assertThat(extras.operationList()).containsExactly(running);
        assertThat(extras.closesNow()).isFalse();
        assertThat(extras.mayCloseNow()).isFalse();
        extras.operations().remove(running);
        assertThat(extras.closesNow()).isTrue();
        assertThat(extras.operationList()).isEmpty();
    }

    @Test
    void handlersAreTakenOneByOneInTheirOrderAndTheChainIsGoneWithTheLast() {
        assertThat(extras.nextCancelHandler()).isNull();
        CancelHandler one = handler();
        CancelHandler other = handler();
        extras.cancelHandlers().add(one);
        extras.cancelHandlers().add(other);
        assertThat(extras.nextCancelHandler()).isSameAs(one);
        assertThat(extras.cancelHandlers).isNotNull();
        assertThat(extras.nextCancelHandler()).isSameAs(other);
        assertThat(extras.cancelHandlers).isNull();
        assertThat(extras.takeCancelHandlers()).isEmpty();
        // A chain whose only one was taken back is gone too.
        extras.cancelHandlers().add(one);
        extras.cancelHandlers().remove(one);
        assertThat(extras.nextCancelHandler()).isNull();
        assertThat(extras.cancelHandlers).isNull();
        extras.cancelHandlers().add(other);
        assertThat(extras.takeCancelHandlers()).containsExactly(other);
        assertThat(extras.cancelHandlers).isNull();
    }

    private CancelHandler handler() {
        return new CancelHandler(tree.root, reason -> {}, null);
    }

    @Test
    void timesAreTakenOnceAndTheFirstThatRunsOutIsKnown() {
        assertThat(extras.firstDeadlineNanos()).isZero();
        assertThat(extras.takeDeadlines()).isEmpty();
        List<Deadline> all =
                List.of(new Deadline(tree.root, 7), new Deadline(tree.root, 3), new Deadline(tree.root, 5));
        all.forEach(each -> extras.deadlines().add(each));
        assertThat(extras.firstDeadlineNanos()).isEqualTo(3);
        assertThat(extras.takeDeadlines()).isEqualTo(all);
        assertThat(extras.firstDeadlineNanos()).isZero();
    }

    private static @Nullable Object lockOf(ContextNode context, String name) {
        return context.lockList().stream()
                .filter(lock -> lock.name().equals(name))
                .findFirst()
                .orElse(null);
    }

    @Test
    void aLockThatIsNotThereIsForgottenForNothing() {
        ContextNode context = tree.open("context");
        context.setData("key", 1);
        context.forgetLock("lock");
        assertThat(context.lockList()).isEmpty();
        context.mutex("lock", 1);
        context.forgetLock("other");
        assertThat(lockOf(context, "lock")).isNotNull();
        context.forgetLock("lock");
        assertThat(lockOf(context, "lock")).isNull();
    }
}
