package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Counters;
import com.fastn.context.FastnContext;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Counters where one more or one less matters. */
class CounterEdgesTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private long version() {
        return tree.runtime.version();
    }

    @Test
    void M1_aTotalMayReachTheGreatestNumberWithoutAWord() {
        FastnContext context = tree.open("worker");
        context.addTotal("bytes", Long.MAX_VALUE - 1L);
        context.addTotal("bytes", 1);
        assertThat(context.getTotal("bytes")).isEqualTo(Long.MAX_VALUE);
        assertThat(tree.runtime.misuses()).isEmpty();

        context.addTotal("bytes", 1L << 40);
        assertThat(context.getTotal("bytes")).isEqualTo(Long.MAX_VALUE);
        assertThat(tree.runtime.misuses()).hasSize(1);
    }

    @Test
    void M1_largeAdditionsAddUp() {
        FastnContext context = tree.open("worker");
        context.addTotal("bytes", 1L << 32);
        context.addTotal("bytes", (1L << 32) + 5);
        context.addTotal("bytes", (1L << 32) - 1);
        assertThat(context.getTotal("bytes")).isEqualTo((3L << 32) + 4);
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void onlyWhatChangesACountIsAChangeOfTheTree() {
        FastnContext context = tree.open("worker");
        context.incrementLive("open");
        long before = version();
        context.addTotal("bytes", 0);
        context.addTotal("bytes", -1);
        assertThat(version()).isEqualTo(before);
        context.decrementLive("never");
        assertThat(version()).as("it is counted, and told in the status").isGreaterThan(before);
        before = version();

        context.addTotal("bytes", 1);
        assertThat(version()).isGreaterThan(before);
        before = version();
        context.addTotal("bytes", 1L << 33);
        assertThat(version()).isGreaterThan(before);
        before = version();
        context.decrementLive("open");
        assertThat(version()).isGreaterThan(before);
    }

    @Test
    void pathsThatAreNotThereCountNothing() {
        FastnContext context = tree.open(tree.open("service"), "worker");
        context.incrementTotal("requests");
        context.incrementLive("open");
        Counters counters = tree.runtime.counters();
        for (ContextPath path : new ContextPath[] {
            ContextPath.of("other"),
            ContextPath.of("other", "service", "worker"),
            ContextPath.of("app", "nobody"),
            ContextPath.of("app", "nobody", "worker"),
            ContextPath.of("app", "service", "worker", "below")
        }) {
            assertThat(counters.total(path, "requests")).as("%s", path).isZero();
            assertThat(counters.live(path, "open")).as("%s", path).isZero();
            assertThat(counters.subtreeTotal(path, "requests")).as("%s", path).isZero();
            assertThat(counters.subtreeLive(path, "open")).as("%s", path).isZero();
            assertThat(counters.flat(path)).as("%s", path).isEmpty();
        }
        ContextPath worker = ContextPath.of("app", "service", "worker");
        assertThat(counters.total(worker, "requests")).isEqualTo(1);
        assertThat(counters.live(worker, "open")).isEqualTo(1);
        assertThat(counters.total(worker, "other")).isZero();
        assertThat(counters.live(worker, "other")).isZero();
        assertThat(counters.subtreeTotal(ContextPath.of("app"), "requests")).isEqualTo(1);
        assertThat(counters.subtreeLive(ContextPath.of("app", "service"), "open"))
                .isEqualTo(1);
    }

    @Test
    void flatHasWhatIsNotZeroAndNothingElse() {
        FastnContext context = tree.open("worker");
        context.incrementLive("open");
        context.incrementTotal("requests");
        Counters counters = tree.runtime.counters();
        assertThat(counters.flat(ContextPath.of("app")))
                .isEqualTo(Map.of("app.worker.live_open", 1L, "app.worker.requests", 1L));
        context.decrementLive("open");
        assertThat(counters.flat(ContextPath.of("app"))).isEqualTo(Map.of("app.worker.requests", 1L));
    }

    @Test
    void aSnapshotRollsUpTotalsAndLiveCountsOfAllBelow() {
        FastnContext service = tree.open("service");
        FastnContext one = tree.open(service, "one");
        FastnContext two = tree.open(one, "two");
        service.addTotal("requests", 1);
        one.addTotal("requests", 10);
        two.addTotal("requests", 100);
        two.incrementLive("open");
        one.incrementLive("open");

        ContextStatus status = service.subtreeStatus().globalContext();
        assertThat(status.path()).isEqualTo(service.path());
        assertThat(status.totalCounters()).isEqualTo(Map.of("requests", 1L));
        assertThat(status.liveCounters()).isEmpty();
        assertThat(status.subtreeTotalCounters()).isEqualTo(Map.of("requests", 111L));
        assertThat(status.subtreeLiveCounters()).isEqualTo(Map.of("open", 2L));
        ContextStatus below = status.children().get(0);
        assertThat(below.totalCounters()).isEqualTo(Map.of("requests", 10L));
        assertThat(below.liveCounters()).isEqualTo(Map.of("open", 1L));
        assertThat(below.subtreeTotalCounters()).isEqualTo(Map.of("requests", 110L));
        assertThat(below.subtreeLiveCounters()).isEqualTo(Map.of("open", 2L));
    }

    @Test
    void M6_aCounterOfALongNameIsFoundByThatName() {
        FastnContext context = tree.open("worker");
        String name = "n".repeat(1_000);
        context.addTotal(name, 3);
        context.addTotal(name, 4);
        context.incrementLive(name);
        assertThat(context.getTotal(name)).isEqualTo(7);
        assertThat(context.getLive(name)).isEqualTo(1);
        assertThat(context.subtreeTotal(name)).isEqualTo(7);
        assertThat(tree.runtime.counters().flat(context.path())).hasSize(2);
        context.decrementLive(name);
        assertThat(context.getLive(name)).isZero();
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void everyMisuseOfALiveCountIsCounted() {
        FastnContext context = tree.open("worker");
        context.decrementLive("never");
        assertThat(tree.runtime.misuses()).hasSize(1);
        context.close();
        context.incrementLive("open");
        assertThat(tree.runtime.misuses()).hasSize(2);
        assertThat(context.getLive("open")).isZero();
    }
}
