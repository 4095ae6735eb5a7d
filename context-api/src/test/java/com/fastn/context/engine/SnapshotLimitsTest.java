package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.ManualTicker;
import com.fastn.context.Registration;
import com.fastn.context.Thresholds;
import com.fastn.context.Ticker;
import com.fastn.context.WarningIds;
import com.fastn.context.status.BlockedPlace;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.ContextTrouble;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.SnapshotFold;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SnapshotLimitsTest {
    @RegisterExtension
    final TestTree tree = TestTree.withoutLooks();

    @Test
    @SuppressWarnings("MustBeClosedChecker")
    void M10_aMillionContextsFitIntoAMebibyteAndSixtyLinesWithTheStuckOnesInSight() {
        ContextNode server = tree.open("server");
        List<ContextNode> stuck = new ArrayList<>();
        for (int i = 0; i < 1_000_000; i++) {
            ContextNode request = server.openChild("request", ContextKind.REQUEST, null);
            if (i == 3 || i == 654_321 || i == 999_999) {
                stuck.add(request);
            }
        }
        ContextNode holder = stuck.get(1);
        LockGuard<Object> guard =
                MutexTest.ask(holder, tree.root.mutex("orders", new Object())).join();
        var waiting = MutexTest.ask(stuck.get(2), tree.root.mutex("orders", new Object()));
        var operation = stuck.get(0).operation("db-query");
        tree.passSeconds(34 * 60);

        StatusSnapshot folded = tree.runtime.status(SnapshotLimits.DEFAULT);
        String json = StatusJson.write(folded);
        assertThat(json.getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(1 << 20);
        assertThat(StatusJson.readSnapshot(json).globalContext().children()).hasSize(1);
        ContextStatus shown = folded.globalContext().children().get(0);
        assertThat(shown.children())
                .hasSize(1_000)
                .extracting(ContextStatus::id)
                .containsAll(stuck.stream().map(ContextNode::id).toList());
        assertThat(shown.foldedChildren()).isEqualTo(new FoldedChildren(999_000, 999_000, Duration.ofMinutes(34), 0));

        List<String> drawn = StatusRenderer.plain()
                .brief()
                .maxTreeLines(60)
                .render(folded)
                .lines()
                .takeWhile(line -> !line.isEmpty())
                .toList();
        assertThat(drawn).hasSizeLessThanOrEqualTo(60).hasSizeGreaterThan(50);
        for (ContextNode each : stuck) {
            assertThat(drawn).anyMatch(line -> line.contains("request#" + each.id() + " "));
        }
        assertThat(drawn.get(drawn.size() - 1)).matches(" +└── \\+999,9\\d\\d more, oldest 34m");
        operation.close();
        waiting.cancel(false);
        guard.close();
    }

    @Test
    void M10_allWhoAreStuckBehindOneLockAreInSightAlsoWhereTheyAreMoreThanAFamilyMayShow() {
        tree.root.setSetting(Thresholds.WARNINGS_OFF, WarningIds.CONTEXT_IDLE);
        LockGuard<?> guard =
                MutexTest.ask(tree.open("settle"), tree.root.mutex("orders", 1)).join();
        ContextNode server = tree.open("server");
        List<CompletableFuture<?>> waits = new ArrayList<>();
        List<Long> stuck = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            ContextNode request = server.openChild("request", ContextKind.REQUEST, null);
            if (i % 10 < 3) {
                waits.add(MutexTest.ask(request, tree.root.mutex("orders", 1)));
                stuck.add(request.id());
            }
        }
        tree.passSeconds(34 * 60);

        StatusSnapshot folded = tree.runtime.status(SnapshotLimits.DEFAULT);
        assertThat(StatusJson.write(folded).getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(1 << 20);
        ContextStatus shown = folded.globalContext().children().get(1);
        assertThat(shown.children())
                .as("1,500 in trouble, and nobody else")
                .extracting(ContextStatus::id)
                .containsExactlyElementsOf(stuck);
        assertThat(shown.foldedChildren()).isEqualTo(new FoldedChildren(3_500, 3_500, Duration.ofMinutes(34), 0));
        waits.forEach(wait -> wait.cancel(false));
        guard.close();
    }

    @Test
    void M10_ofManyThatDoNotEndEachIsInSightAndNotOnlyThoseThatAreToldOf() {
        List<Long> unclosed = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            ContextNode session = tree.open("session");
            if (i % 100 == 7) {
                tree.open(session, "reader");
                session.close();
                unclosed.add(session.id());
            }
        }
        tree.passSeconds(61);
        StatusSnapshot folded = tree.runtime.status(SnapshotLimits.DEFAULT.withMaxContexts(101));

        assertThat(folded.warnings())
                .filteredOn(warning -> warning.id().equals("children-unclosed"))
                .hasSizeLessThan(50);
        assertThat(folded.globalContext().children())
                .filteredOn(context -> context.trouble() == ContextTrouble.WARNED && isClosing(context))
                .extracting(ContextStatus::id)
                .containsExactlyElementsOf(unclosed);
        assertThat(tree.runtime.status().globalContext().children())
                .filteredOn(context -> context.trouble() != null && isClosing(context))
                .extracting(ContextStatus::id)
                .as("also where nothing is left out")
                .containsExactlyElementsOf(unclosed);
    }

    private static boolean isClosing(ContextStatus context) {
        return context.state() == ContextState.CLOSING;
    }

    @Test
    void M10_theOneThatHoldsUpAnEventLoopIsInSightAndNotTheQuietestOfItsName() {
        List<ContextNode> orders = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            orders.add(tree.open("GET /orders"));
        }
        ContextNode blocker = orders.get(1_234);
        BlockedPlace loop = new BlockedPlace(
                CauseKind.EVENT_LOOP, "loop-1", Duration.ofSeconds(4), "", List.of(blocker.id()), List.of(), 0, 0);
        try (Registration places = tree.runtime.setBlockedPlaces(() -> List.of(loop))) {
            tree.passSeconds(2);
            blocker.touch();
            StatusSnapshot folded = tree.runtime.status(SnapshotLimits.DEFAULT.withMaxContexts(2));

            assertThat(places).isNotNull();
            assertThat(folded.globalContext().children())
                    .singleElement()
                    .matches(context -> context.id() == blocker.id())
                    .matches(context -> context.trouble() == ContextTrouble.WARNED);
        }
    }

    @Test
    void M10_aTreeThatIsFoldedWhileItIsWalkedIsTheFoldedTree() {
        long seed = new Random().nextLong();
        System.out.println("SnapshotLimitsTest seed " + seed);
        Random random = new Random(seed);
        LiveTree live = new LiveTree(tree, random);
        for (int i = 0; i < 100; i++) {
            live.change(1 + random.nextInt(100));
            SnapshotLimits limits = new SnapshotLimits(
                    1 + random.nextInt(10),
                    1 + random.nextInt(50),
                    1 + random.nextInt(500),
                    (16 << 10) + random.nextInt(100_000));
            assertThat(tree.runtime.status(limits))
                    .as("seed %d", seed)
                    .isEqualTo(SnapshotFold.fold(tree.runtime.status(), limits));
            FastnContext some = live.any();
            assertThat(some.subtreeStatus(limits))
                    .as("seed %d", seed)
                    .isEqualTo(SnapshotFold.fold(some.subtreeStatus(), limits));
        }
        assertThat(tree.runtime.status(SnapshotLimits.UNLIMITED)).isEqualTo(tree.runtime.status());
        live.end();
    }

    @Test
    void aSubtreeIsShownToADepth() {
        ContextNode service = tree.open("service");
        ContextNode session = tree.open(service, "session");
        tree.open(session, "request");
        tree.open(session, "request");
        tree.passSeconds(5);

        ContextStatus shown = service.subtreeStatus(2).globalContext();
        assertThat(shown.id()).isEqualTo(service.id());
        assertThat(shown.children()).extracting(ContextStatus::id).containsExactly(session.id());
        assertThat(shown.children().get(0).children()).isEmpty();
        assertThat(shown.children().get(0).foldedChildren())
                .isEqualTo(new FoldedChildren(2, 2, Duration.ofSeconds(5), 0));
        assertThat(service.subtreeStatus(1).globalContext().foldedChildren())
                .isEqualTo(new FoldedChildren(1, 3, Duration.ofSeconds(5), 0));
    }

    /** A clock that is asked for the wall time once in a snapshot, between the walk and the sorting, and then runs something. */
    private static final class MeddlingTicker implements Ticker {
        private final ManualTicker ticker = new ManualTicker(TestTree.START);
        private Runnable meddle = () -> {};

        @Override
        public long nanos() {
            return ticker.nanos();
        }

        @Override
        public Instant wallTime() {
            meddle.run();
            return ticker.wallTime();
        }
    }

    @Test
    void contextsThatEndDuringASnapshotKeepTheAgeByWhichTheyAreSorted() {
        MeddlingTicker clock = new MeddlingTicker();
        EngineRuntime runtime = new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", clock),
                Engine.instance().currentContext());
        List<ContextNode> tasks = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            clock.ticker.advance(Duration.ofSeconds(1));
            tasks.add((ContextNode) runtime.root().child("task").open());
        }
        LockGuard<?> guard =
                MutexTest.ask(runtime.root(), runtime.root().mutex("orders", 1)).join();
        // All wait, so all are in trouble and ranked by their age.
        var waits = tasks.stream()
                .map(task -> MutexTest.ask(task, runtime.root().mutex("orders", 1)))
                .toList();
        clock.meddle = () -> {
            // Were they as old as they get, the young ones would be the oldest now.
            clock.ticker.advance(Duration.ofHours(1));
            tasks.subList(7, 10).forEach(ContextNode::close);
        };
        StatusSnapshot status = runtime.status(SnapshotLimits.UNLIMITED.withMaxContexts(5));
        assertThat(tasks.get(9).isClosed()).isTrue();
        assertThat(status.globalContext().children())
                .extracting(ContextStatus::id)
                .containsExactlyElementsOf(
                        tasks.subList(0, 4).stream().map(ContextNode::id).toList());
        clock.meddle = () -> {};
        waits.forEach(wait -> wait.cancel(false));
        guard.close();
        runtime.close();
    }
}
