package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Thresholds;
import com.fastn.context.WarningIds;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.status.WarningSeverity;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class WarningSettingsTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private List<StatusWarning> warnings() {
        return tree.runtime.status().warnings();
    }

    @Test
    void L10_aRawGuardWhoseContextHasEndedIsLeakedAndThatIsCritical() {
        ContextNode holder = tree.open("settle");
        LockGuard<Integer> guard =
                MutexTest.ask(holder, tree.root.mutex("orders", 1)).join();
        tree.passSeconds(2);
        assertThat(warnings()).isEmpty();
        holder.close();
        tree.passSeconds(20);

        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        "lock-leaked",
                        WarningSeverity.CRITICAL,
                        "Leaked lock \"orders\" (22s) held by settle, which has ended",
                        "app.settle",
                        holder.id(),
                        "what settle left undone; close the guard before the context, or use withLock",
                        Duration.ofSeconds(22)));
        guard.close();
        assertThat(warnings()).isEmpty();
    }

    @Test
    void L10_aScopeGivesItsLockBackByItselfAndIsNeverCalledLeaked() {
        ContextNode holder = tree.open("settle");
        CompletableFuture<String> work = new CompletableFuture<>();
        holder.mutex("own", 1).withLock(value -> work);
        holder.close();
        tree.passSeconds(2);

        assertThat(tree.runtime.status().activeLocks()).hasSize(1);
        assertThat(warnings()).isEmpty();
        work.complete("done");
    }

    @Test
    void L10_aScopeThatHadToWaitIsNotCalledLeakedEither() {
        ContextNode first = tree.open("first");
        ContextNode second = tree.open("second");
        LockGuard<Integer> guard =
                MutexTest.ask(first, tree.root.mutex("orders", 1)).join();
        CompletableFuture<String> work = new CompletableFuture<>();
        try (var ignored = second.makeCurrent()) {
            tree.root.mutex("orders", 1).withLock(value -> work);
        }
        guard.close();
        second.close();

        assertThat(tree.runtime.status().activeLocks()).hasSize(1);
        assertThat(warnings()).isEmpty();
        work.complete("done");
    }

    @Test
    void aClosedContextNamesTheOldestOfItsOpenChildrenAfterAMinute() {
        FastnContext session = tree.open("session");
        FastnContext reader = tree.open(session, "reader");
        tree.passSeconds(30);
        FastnContext writer = tree.open(session, "writer");
        session.close();
        tree.passSeconds(60);
        reader.touch();
        writer.touch();
        session.touch();
        assertThat(warnings()).isEmpty();
        tree.passSeconds(3);

        assertThat(warnings())
                .containsExactly(new StatusWarning(
                        "children-unclosed",
                        WarningSeverity.WARNING,
                        "session was closed 1m 3s ago, but 2 children are open, the oldest reader for 1m 33s",
                        "app.session",
                        session.id(),
                        "who opened reader and does not close it; in strict mode runtime.unclosed() tells",
                        Duration.ofSeconds(63)));
        reader.close();
        assertThat(warnings())
                .extracting(StatusWarning::message)
                .containsExactly("session was closed 1m 3s ago, but 1 child is open: writer for 1m 3s");
        writer.close();
        assertThat(warnings()).isEmpty();
    }

    @Test
    void C6_aTreeBeyondAThousandLevelsIsToldWithAPathOfAFewNames() {
        FastnContext at = tree.root;
        for (int depth = 2; depth <= 1_000; depth++) {
            at = tree.open(at, "step");
        }
        assertThat(warnings()).isEmpty();
        tree.open(at, "last");

        assertThat(warnings()).singleElement().satisfies(warning -> {
            assertThat(warning.id()).isEqualTo("tree-deep");
            assertThat(warning.message()).startsWith("Tree is 1,001 contexts deep, below step/step");
            assertThat(warning.contextPath()).isEqualTo("app" + ".step".repeat(7));
            assertThat(warning.next()).startsWith("whether last opens a child in itself");
        });
        tree.root.setSetting(Thresholds.TREE_DEEP, 2_000);
        assertThat(warnings()).isEmpty();
    }

    @Test
    void eachFigureOfTheMachineHasAThresholdOfItsOwnAndOneForAll() {
        tree.runtime.setSystemMetrics(() -> usage(70));
        tree.root.setSetting(Thresholds.USAGE_HIGH_PERCENT, 60);
        assertThat(warnings()).extracting(StatusWarning::id).containsExactly("cpu-high", "memory-high", "disk-high");
        tree.root.setSetting(Thresholds.MEMORY_HIGH_PERCENT, 80);
        tree.root.setSetting(Thresholds.DISK_HIGH_PERCENT, 70.5);
        assertThat(warnings())
                .extracting(StatusWarning::id, StatusWarning::message)
                .containsExactly(
                        tuple("cpu-high", "CPU usage high (70.0%)"),
                        tuple("usage-normal", "memory usage normal (70%), disk usage normal (70%)"));
        tree.root.setSetting(Thresholds.CPU_HIGH_PERCENT, 71);
        assertThat(warnings()).extracting(StatusWarning::id).containsExactly("usage-normal");
    }

    private static SystemMetrics usage(long percent) {
        return new SystemMetrics(
                (double) percent,
                percent,
                100L,
                percent,
                100L,
                null,
                null,
                null,
                null,
                SnapshotTest.QUIET_SYSTEM.ages(),
                null,
                null);
    }

    @Test
    void theSeverityOfARuleIsASettingOfTheSubtree() {
        FastnContext batch = tree.root
                .child("batch")
                .withKind(ContextKind.SERVICE)
                .withSetting("fastn.severity.operation-slow", "info")
                .withSetting(Thresholds.SEVERITY_PREFIX + WarningIds.LOCK_LONG_HELD, WarningSeverity.CRITICAL)
                .open();
        batch.awaiting("export", new CompletableFuture<>());
        ContextNode other = (ContextNode)
                tree.root.child("other").withKind(ContextKind.SERVICE).open();
        other.awaiting("query", new CompletableFuture<>());
        LockGuard<Integer> guard =
                MutexTest.ask((ContextNode) batch, tree.root.mutex("orders", 1)).join();
        tree.passSeconds(12);

        assertThat(warnings())
                .extracting(StatusWarning::id, StatusWarning::severity, StatusWarning::contextPath)
                .containsExactly(
                        tuple("lock-long-held", WarningSeverity.CRITICAL, "app.batch"),
                        tuple("operation-slow", WarningSeverity.WARNING, "app.other"),
                        tuple("operation-slow", WarningSeverity.INFO, "app.batch"));
        guard.close();
    }

    @Test
    void whatIsSilencedForASubtreeIsCountedAndTheCountIsTold() {
        FastnContext quiet = tree.root
                .child("quiet")
                .withSetting(Thresholds.WARNINGS_OFF, "context-idle, operation-slow")
                .open();
        tree.open(quiet, "below").awaiting("query", new CompletableFuture<>());
        tree.open(quiet, "idle");
        tree.open("loud");
        tree.passSeconds(61);

        assertThat(warnings())
                .extracting(StatusWarning::id, StatusWarning::severity, StatusWarning::message)
                .containsExactly(
                        tuple("context-idle", WarningSeverity.INFO, "loud idle for 1m 1s"),
                        tuple(
                                "warnings-silenced",
                                WarningSeverity.INFO,
                                "2 warnings silenced: context-idle, operation-slow"));
    }

    @Test
    void theNearestContextDecidesWhatIsSilenced() {
        tree.root.setSetting(Thresholds.WARNINGS_OFF, List.of("context-idle"));
        tree.root.child("loud").withSetting(Thresholds.WARNINGS_OFF, "").open();
        tree.passSeconds(61);
        assertThat(warnings()).extracting(StatusWarning::id).containsExactly("context-idle");
    }

    @Test
    void aListThatIsChangedAfterItWasSetChangesNothing() {
        List<String> ids = new ArrayList<>(List.of("context-idle"));
        tree.root.setSetting(Thresholds.WARNINGS_OFF, ids);
        ids.clear();
        tree.open("task");
        tree.passSeconds(61);
        assertThat(warnings()).extracting(StatusWarning::id).containsExactly("warnings-silenced");
    }

    @Test
    void aValueThatIsNoThresholdIsRefusedWhereItIsSetWithWhatWhyAndWhatToDo() {
        FastnContext task = tree.open("task");
        assertThatThrownBy(() -> task.setSetting(Thresholds.CONTEXT_IDLE, "60s"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "setting fastn.context-idle is 60s (java.lang.String), and it has to be a java.time.Duration, 0 or more;"
                                + " set it to Duration.ofSeconds(30), for example");
        assertThatThrownBy(() -> task.setSetting(Thresholds.OPERATION_SLOW, Duration.ofMillis(-1)))
                .hasMessage("setting fastn.operation-slow is PT-0.001S (java.time.Duration), and it has to be a"
                        + " java.time.Duration, 0 or more; set it to Duration.ofSeconds(30), for example");
        task.setSetting(Thresholds.OPERATION_SLOW, Duration.ZERO);
        assertThatThrownBy(() -> task.child("x").withSetting(Thresholds.TREE_DEEP, -1))
                .hasMessageContaining("a Number, 0 or more");
        assertThatThrownBy(() -> task.setSetting("fastn.severity.tree-deep", "bad"))
                .hasMessageContaining("info, warning or critical");
        assertThatThrownBy(() -> task.setSetting(Thresholds.WARNINGS_OFF, List.of(1)))
                .hasMessageContaining("a text with ids");
        assertThat(task.setting(Thresholds.CONTEXT_IDLE)).isNull();
    }

    @Test
    void anIdThatNoRuleHasIsSaidOnce() {
        tree.root.setSetting(Thresholds.WARNINGS_OFF, "contxt-idle");
        tree.root.setSetting(Thresholds.WARNINGS_OFF, "contxt-idle");
        assertThat(tree.runtime.misuses())
                .containsExactly("2x a setting names the warning \"contxt-idle\", which this version does not know;"
                        + " it has no effect (see WarningIds)");
    }

    @Test
    void eachIdOfARuleIsKnownAndCanBeSilencedWithoutACountedMisuse() throws IllegalAccessException {
        List<String> ofRules = WarningRules.ALL.stream().map(WarningRule::id).toList();
        assertThat(constants()).containsAll(ofRules);
        tree.root.setSetting(Thresholds.WARNINGS_OFF, ofRules);
        ofRules.forEach(id -> tree.root.setSetting(Thresholds.SEVERITY_PREFIX + id, "info"));
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void anIdThatIsToldWhateverTheSettingsSayIsNotCalledUnknown() throws IllegalAccessException {
        List<String> others = new ArrayList<>(constants());
        others.removeAll(WarningRules.ALL.stream().map(WarningRule::id).toList());
        assertThat(others)
                .containsExactlyInAnyOrder(
                        "warnings-silenced",
                        "http-cleartext",
                        "cluster-not-authenticated",
                        "nodes-not-listed",
                        "peers-dropped",
                        "deadlocks-not-listed",
                        "deadlocks-not-searched",
                        "not-reachable-through-cluster",
                        "addresses-forgotten",
                        "event-loop-late",
                        "status-shortened");
        for (String id : others) {
            tree.root.setSetting(Thresholds.WARNINGS_OFF, id);
        }
        assertThat(tree.runtime.misuses())
                .hasSize(others.size())
                .allMatch(misuse -> misuse.contains("which is told whatever the settings say"));
    }

    private static List<String> constants() throws IllegalAccessException {
        List<String> ids = new ArrayList<>();
        for (Field field : WarningIds.class.getFields()) {
            ids.add((String) field.get(null));
        }
        return ids;
    }
}
