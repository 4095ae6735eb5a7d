package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Thresholds;
import com.fastn.context.WarningIds;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the status tells of counters that could not count what they were asked to, and of a clock that went back. */
class MiscountsTest {
    private static final String GREATEST = "9,223,372,036,854,775,807";

    @RegisterExtension
    final TestTree tree = new TestTree();

    private List<StatusWarning> warnings() {
        return tree.runtime.status().warnings();
    }

    @Test
    void M1_anOverflowIsToldInTheStatus() {
        ContextNode worker = tree.open("worker");
        worker.addTotal("bytes", Long.MAX_VALUE);
        assertThat(tree.open("other").subtreeStatus().warnings()).isEmpty();
        worker.addTotal("bytes", 1L << 40);

        StatusWarning told = new StatusWarning(
                WarningIds.COUNTER_OVERFLOW,
                WarningSeverity.WARNING,
                "Total \"bytes\" of app.worker reached " + GREATEST + ", the greatest number, and stays there",
                "app.worker",
                0,
                "what is added to it: numbers that are no amounts, or a unit that is too small, such as nanoseconds",
                Duration.ZERO);
        assertThat(warnings()).containsExactly(told);
        assertThat(StatusRenderer.plain().render(tree.runtime.status())).contains(told.message());
        assertThat(StatusJson.readSnapshot(StatusJson.write(tree.runtime.status()))
                        .warnings())
                .containsExactly(told);
        tree.pass(Duration.ofSeconds(5));
        assertThat(warnings())
                .singleElement()
                .satisfies(warning -> assertThat(warning.since()).isEqualTo(Duration.ofSeconds(5)));
    }

    @Test
    void M1_anOverflowThatOnlyALookFindsIsToldByThatLook() {
        ContextNode worker = tree.open("worker");
        worker.addTotal("bytes", Long.MAX_VALUE);
        worker.incrementTotal("bytes");
        assertThat(warnings()).extracting(StatusWarning::id).containsExactly("counter-overflow");
    }

    @Test
    void M1_anOverflowIsToldOfThePathAndThoseAboveItOnly() {
        ContextNode worker = tree.open("worker");
        worker.addTotal("bytes", Long.MAX_VALUE);
        worker.addTotal("bytes", Long.MAX_VALUE);
        assertThat(worker.subtreeStatus().warnings()).hasSize(1);
        assertThat(tree.open("other").subtreeStatus().warnings()).isEmpty();
        assertThat(warnings()).hasSize(1);
    }

    @Test
    void M1_aSumThatOverflowsIsToldThoughNoCounterDoes() {
        tree.open("a").addTotal("bytes", Long.MAX_VALUE / 2);
        tree.open("b").addTotal("bytes", Long.MAX_VALUE / 2);
        assertThat(warnings()).isEmpty();
        tree.open("c").addTotal("bytes", 2);
        assertThat(warnings()).singleElement().satisfies(warning -> {
            assertThat(warning.id()).isEqualTo("counter-overflow");
            assertThat(warning.message())
                    .isEqualTo("Totals \"bytes\" of app and all below it add up to " + GREATEST
                            + " or more, and that much is told");
            assertThat(warning.contextPath()).isEqualTo("app");
        });
    }

    @Test
    void M1_manyOverflowsAreCounted() {
        for (int i = 0; i < 25; i++) {
            tree.root.addTotal("bytes-" + i, Long.MAX_VALUE);
            tree.root.addTotal("bytes-" + i, 1L << 40);
        }
        assertThat(warnings()).hasSize(21);
        assertThat(warnings().get(20).message()).isEqualTo("+5 more counters overflowed");
        tree.root.setSetting(Thresholds.WARNINGS_OFF, WarningIds.COUNTER_OVERFLOW);
        assertThat(warnings())
                .singleElement()
                .satisfies(
                        warning -> assertThat(warning.message()).isEqualTo("25 warnings silenced: counter-overflow"));
    }

    @Test
    void M3_anUnderflowIsToldInTheStatus() {
        ContextNode worker = tree.open("worker");
        worker.incrementLive("open");
        worker.decrementLive("open");
        assertThat(warnings()).isEmpty();
        worker.decrementLive("open");

        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        WarningIds.COUNTER_UNDERFLOW,
                        WarningSeverity.INFO,
                        "Live count \"open\" of app.worker was decremented 1 time more than its contexts had added",
                        "app.worker",
                        0,
                        "who calls decrementLive(..) twice, or in another context than incrementLive(..); the handle of"
                                + " trackLive(..) counts once",
                        Duration.ZERO));
        worker.decrementLive("open");
        assertThat(warnings())
                .singleElement()
                .satisfies(warning -> assertThat(warning.message()).contains("decremented 2 times more"));
        assertThat(tree.root.getTotal("underflow")).isEqualTo(2);
        assertThat(worker.getLive("open")).isZero();
    }

    @Test
    void M3_whoeverTakesBackAfterTheEndIsNoUnderflow() {
        ContextNode worker = tree.open("worker");
        worker.incrementLive("open");
        worker.close();
        worker.decrementLive("open");

        assertThat(warnings()).isEmpty();
        assertThat(tree.root.getTotal("underflow")).isZero();
    }

    @Test
    void M3_underflowsOfEverNewNamesAreBounded() {
        for (int i = 0; i < Miscounts.MOST + 10; i++) {
            tree.root.decrementLive("open-" + i);
        }
        assertThat(tree.runtime.counterStore().miscounts().underflows()).hasSize(Miscounts.MOST);
        assertThat(tree.root.getTotal("underflow")).isEqualTo(Miscounts.MOST + 10);
        assertThat(warnings()).hasSize(21);
    }

    @Test
    void M1_overflowsBeyondThoseThatAreKeptAreCountedAlone() {
        CounterStore wide = new CounterStore(tree.runtime, "wide", new CounterStore.Caps(2_000, 10_000, 10_000));
        Miscounts miscounts = wide.miscounts();
        for (int i = 0; i < Miscounts.MOST; i++) {
            miscounts.overflowed(cell(wide.root(), "bytes-" + i));
        }
        assertThat(miscounts.moreOverflows()).isZero();
        assertThat(miscounts.overflows()).hasSize(Miscounts.MOST);

        miscounts.overflowed(cell(wide.root(), "bytes-7"));
        assertThat(miscounts.moreOverflows()).as("it is kept").isZero();
        miscounts.overflowed(cell(wide.root(), "late"));
        miscounts.overflowed(cell(wide.root(), "later"));
        assertThat(miscounts.moreOverflows()).isEqualTo(2);
        assertThat(miscounts.overflows())
                .hasSize(Miscounts.MOST)
                .extracting(CounterCell::name)
                .doesNotContain("late", "later");
    }

    @Test
    void M1_overflowsAreListedByPathAndName() {
        ContextNode b = tree.open("b");
        ContextNode a = tree.open("a");
        overflow(b, "x");
        overflow(a, "z");
        overflow(b, "a");
        overflow(a, "y");
        assertThat(tree.runtime.counterStore().miscounts().overflows())
                .extracting(cell -> cell.path().path() + " " + cell.name())
                .containsExactly("app.a y", "app.a z", "app.b a", "app.b x");
    }

    private static void overflow(ContextNode node, String counter) {
        node.addTotal(counter, Long.MAX_VALUE);
        node.addTotal(counter, 1L << 40);
    }

    private static CounterCell cell(PathCounters path, String counter) {
        return requireNonNull(path.cell(counter));
    }

    @Test
    void M3_underflowsAreListedThoseThatCameMostOftenFirst() {
        ContextNode b = tree.open("b");
        ContextNode a = tree.open("a");
        a.decrementLive("once");
        b.decrementLive("z");
        b.decrementLive("a");
        a.decrementLive("m");
        for (int i = 0; i < 3; i++) {
            b.decrementLive("often");
        }
        assertThat(tree.runtime.counterStore().miscounts().underflows())
                .extracting(each -> each.path() + " " + each.counter() + " " + each.times())
                .containsExactly("app.b often 3", "app.a m 1", "app.a once 1", "app.b a 1", "app.b z 1");
    }

    @Test
    void M3_oneThatIsKeptIsCountedOnAlsoWhenThereIsNoRoomForOthers() {
        Miscounts miscounts = new Miscounts();
        for (int i = 0; i < Miscounts.MOST; i++) {
            miscounts.underflowed(tree.root.path(), "open-" + i);
        }
        miscounts.underflowed(tree.root.path(), "late");
        miscounts.underflowed(tree.root.path(), "open-7");
        assertThat(miscounts.underflows())
                .hasSize(Miscounts.MOST)
                .startsWith(new Miscounts.Underflow(tree.root.path(), "open-7", 2))
                .noneMatch(each -> each.counter().equals("late"));
    }

    @Test
    void M7_aClockThatWentBackIsToldInTheStatus() {
        tree.pass(Duration.ofDays(1));
        ContextNode task = tree.open("task");
        tree.pass(Duration.ofHours(-1));
        assertThat(task.duration()).isZero();
        tree.pass(Duration.ofHours(1));

        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        WarningIds.CLOCK_ANOMALY,
                        WarningSeverity.WARNING,
                        "The clock went back, as 1 look at it found: durations may be told too short",
                        "app",
                        0,
                        "the clock source of the machine or of its virtual machine, or the Ticker that the runtime was given",
                        Duration.ZERO));
    }
}
