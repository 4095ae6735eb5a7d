package com.fastn.context.status;

import static com.fastn.context.Golden.golden;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ExplainerTest {
    static LockStatus held(String lock, long lockId, long holder, String path, String since) {
        ContextPath at = ContextPath.parse(path);
        return new LockStatus(
                lock,
                lockId,
                LockType.MUTEX,
                at.leaf(),
                holder,
                at,
                Row.time(since),
                1,
                1,
                Row.time(since).toSeconds() > 10);
    }

    static LockWaiter waiting(String lock, long lockId, long waiter, String path, String since) {
        ContextPath at = ContextPath.parse(path);
        return new LockWaiter(
                at.leaf(),
                waiter,
                at,
                lock,
                lockId,
                Row.time(since),
                Row.time(since).toSeconds() > 5);
    }

    static StatusSnapshot node(
            String alias, String incarnation, Row root, List<LockStatus> locks, List<LockWaiter> waiters) {
        return new StatusSnapshot(
                new NodeIdentity(alias, incarnation), Scenes.NOON, 7, null, root.status(), locks, waiters, List.of());
    }

    private static Row root(Row... children) {
        return new Row(1, "global", ContextKind.ROOT).with(children);
    }

    /** The picture of the design: a lock, then a request on another node, then an event loop that somebody holds up. */
    static ClusterStatus threeNodes(boolean withCarol) {
        StatusSnapshot alice = node(
                "alice",
                "1-a",
                root(
                        new Row(88, "req", ContextKind.REQUEST).age("8.2s"),
                        new Row(90, "settle", ContextKind.TASK).age("13s").inside("request bank.pay", "12.2s", true)),
                List.of(held("orders", 5, 90, "global.settle", "12.3s")),
                List.of(waiting("orders", 5, 88, "global.req", "8.1s")));
        StatusSnapshot carol = node(
                        "carol",
                        "1-c",
                        root(new Row(40, "BankVerticle", ContextKind.SERVICE)
                                .with(new Row(41, "bank.pay", ContextKind.MESSAGE)
                                        .age("12.1s")
                                        .onThread())),
                        List.of(),
                        List.of())
                .withCauses(new Causes(
                        List.of(),
                        List.of(new BlockedPlace(
                                CauseKind.EVENT_LOOP,
                                "vert.x-eventloop-thread-3",
                                Row.time("11.9s"),
                                "Ledger.java:88",
                                List.of(41L),
                                List.of(40L),
                                0,
                                0)),
                        List.of()));
        Row calledRow =
                new Row(41, "bank.pay", ContextKind.MESSAGE).age("12.1s").onThread();
        ContextStatus called = linked(calledRow.status(), "alice", "1-a", 90, "global.settle");
        ContextStatus service = carol.globalContext().children().get(0);
        ContextStatus inService = new ContextStatus(
                called.id(),
                called.name(),
                called.label(),
                service.path().child("bank.pay"),
                called.kind(),
                called.state(),
                null,
                null,
                called.duration(),
                called.lastActivity(),
                null,
                true,
                called.caller(),
                List.of(),
                called.metrics(),
                called.data(),
                called.totalCounters(),
                called.liveCounters(),
                called.subtreeTotalCounters(),
                called.subtreeLiveCounters(),
                List.of(),
                FoldedChildren.NONE);
        carol = carol.withGlobalContext(carol.globalContext()
                .withChildren(
                        List.of(service.withChildren(List.of(inService), FoldedChildren.NONE)), FoldedChildren.NONE));
        return new ClusterStatus(
                Scenes.NOON,
                "alice",
                List.of(
                        new NodeStatus(alice.node(), NodeState.UP, Duration.ZERO, null, null, alice),
                        withCarol
                                ? new NodeStatus(carol.node(), NodeState.UP, Duration.ZERO, null, null, carol)
                                : new NodeStatus(
                                        carol.node(), NodeState.DOWN, Row.time("40s"), "no answer", null, null)));
    }

    private static ContextStatus linked(ContextStatus row, String node, String incarnation, long id, String path) {
        return new ContextStatus(
                row.id(),
                row.name(),
                row.label(),
                row.path(),
                row.kind(),
                row.state(),
                row.cancelReason(),
                row.trouble(),
                row.duration(),
                row.lastActivity(),
                row.activity(),
                row.onThread(),
                new CallerLink(node, incarnation, id, path),
                row.operations(),
                row.metrics(),
                row.data(),
                row.totalCounters(),
                row.liveCounters(),
                row.subtreeTotalCounters(),
                row.subtreeLiveCounters(),
                row.children(),
                row.foldedChildren());
    }

    private static Explanation explained(@Nullable Explanation explanation) {
        assertThat(explanation).isNotNull();
        return java.util.Objects.requireNonNull(explanation);
    }

    @Test
    void aChainGoesFromALockToARequestOnAnotherNodeToTheLoopThatIsHeldUp() {
        Explanation why = explained(Explainer.of(threeNodes(true)).explain("alice", 88));
        assertThat(why.chain()).extracting(Cause::kind).containsExactly(CauseKind.LOCK, CauseKind.REQUEST);
        assertThat(why.root().kind()).isEqualTo(CauseKind.EVENT_LOOP);
        assertThat(why.root().context().node().alias()).isEqualTo("carol");
        assertThat(why.headline())
                .startsWith("BankVerticle/bank.pay@carol: event loop blocked 11.9s at Ledger.java:88");
        assertThat(why.freed()).isEqualTo(2);
        golden("explain-three-nodes.txt").matches(why.toString());
    }

    @Test
    void aNodeThatDoesNotAnswerIsNamedAndNothingIsGuessed() {
        Explanation why = explained(Explainer.of(threeNodes(false)).explain("alice", 88));
        assertThat(why.root().text())
                .isEqualTo("inside of \"request bank.pay\" 12.2s; not heard of: carol, silent for 40s");
    }

    @Test
    void D7_whereTheHolderOfALockOfTheClusterMayBeOnANodeThatIsDownThatIsSaid() {
        StatusSnapshot alice = node(
                "alice",
                "1-a",
                root(new Row(90, "settle", ContextKind.TASK).age("13s").inside("shared:orders", "12.2s", true)),
                List.of(held("shared:orders", 5, 90, "global.settle", "12.2s")),
                List.of());
        NodeStatus up = new NodeStatus(alice.node(), NodeState.UP, Duration.ZERO, null, null, alice);
        NodeStatus down = new NodeStatus(
                new NodeIdentity("bob", "1-b"), NodeState.DOWN, Duration.ofSeconds(72), "no answer", null, null);
        NodeStatus broken = new NodeStatus(
                new NodeIdentity("carol", "1-c"), NodeState.UP, Duration.ZERO, "it cannot be read", null, null);
        String text = explained(Explainer.of(new ClusterStatus(Scenes.NOON, "alice", List.of(up, down, broken)))
                        .explain("alice", 90))
                .root()
                .text();
        assertThat(text)
                .isEqualTo(
                        "inside of \"shared:orders\" 12.2s; nobody who answered holds it; not heard of: bob, silent for"
                                + " 1m 12s; carol, without a status");
        assertThat(explained(Explainer.of(new ClusterStatus(Scenes.NOON, "alice", List.of(up)))
                                .explain("alice", 90))
                        .root()
                        .text())
                .isEqualTo("inside of \"shared:orders\" 12.2s");
    }

    @Test
    void whoContendsWithABranchOfItsOwnContextIsHeldUpByWhatThatBranchDoes() {
        StatusSnapshot node = node(
                "alice",
                "1-a",
                root(
                        new Row(7, "front", ContextKind.SERVICE).inside("db-query", "8s", true),
                        new Row(8, "req", ContextKind.REQUEST)),
                List.of(held("orders", 5, 7, "global.front", "8s")),
                List.of(waiting("orders", 5, 7, "global.front", "7s"), waiting("orders", 5, 8, "global.req", "6s")));
        Explainer explainer = Explainer.of(node);
        assertThat(explained(explainer.explain(7)).headline())
                .isEqualTo(
                        "front: inside of \"db-query\" 8s; this or another branch of it waits for mutex \"orders\" 7s; 1"
                                + " context waits behind it");
        Explanation why = explained(explainer.explain(8));
        assertThat(why.chain()).extracting(Cause::kind).containsExactly(CauseKind.LOCK);
        assertThat(why.root().kind()).isEqualTo(CauseKind.OPERATION);
        assertThat(why.root().name()).isEqualTo("db-query");
    }

    @Test
    void whoHoldsALockInASlowOperationIsTheRootThoughAnotherBranchOfItWaitsShortly() {
        for (boolean longWait : List.of(false, true)) {
            StatusSnapshot node = node(
                    "alice",
                    "1-a",
                    root(
                            new Row(7, "front", ContextKind.SERVICE).inside("db-query", "8s", true),
                            new Row(8, "req", ContextKind.REQUEST),
                            new Row(9, "other", ContextKind.TASK)),
                    List.of(held("orders", 5, 7, "global.front", "8s"), held("stock", 6, 9, "global.other", "9s")),
                    List.of(
                            waiting("stock", 6, 7, "global.front", longWait ? "7s" : "0.1s"),
                            waiting("orders", 5, 8, "global.req", "6s")));
            Explanation why = explained(Explainer.of(node).explain(8));
            assertThat(why.root().context().shortName()).isEqualTo(longWait ? "other" : "front");
            if (!longWait) {
                assertThat(why.root().text())
                        .isEqualTo(
                                "inside of \"db-query\" 8s; this or another branch of it waits for mutex \"stock\" 0.1s");
            }
        }
    }

    @Test
    void whoSentAMessageWithoutAskingForAReplyWaitsForNone() {
        Row req = new Row(8, "req", ContextKind.REQUEST).inside("db-query", "8s", true);
        StatusSnapshot node = node(
                "alice",
                "1-a",
                root(req, new Row(9, "audit", ContextKind.MESSAGE).sentBy("global.req", 8, "alice")),
                List.of(),
                List.of());
        Explanation why = explained(Explainer.of(node).explain(8));
        assertThat(why.headline()).isEqualTo("req: inside of \"db-query\" 8s");
        assertThat(StatusJson.readSnapshot(StatusJson.write(node))).isEqualTo(node);

        Row asks = new Row(8, "req", ContextKind.REQUEST).inside("request bank.pay", "8s", true);
        StatusSnapshot both = node(
                "alice",
                "1-a",
                root(
                        asks,
                        new Row(9, "audit", ContextKind.MESSAGE).age("9s").sentBy("global.req", 8, "alice"),
                        new Row(10, "bank.pay", ContextKind.MESSAGE).age("7s").calledBy("global.req", 8, "alice")),
                List.of(),
                List.of());
        assertThat(explained(Explainer.of(both).explain(8)).root().context().shortName())
                .isEqualTo("bank.pay");
    }

    @Test
    void whoWaitsForTwoRepliesOfOneNameWaitsForTheOlderOneSinceThatBegan() {
        Row asks = new Row(8, "req", ContextKind.REQUEST)
                .inside("request user.:id", "9s", true)
                .inside("request user.:id", "2s", false)
                .inside("request bank.pay", "1s", false);
        StatusSnapshot both = node(
                "alice",
                "1-a",
                root(
                        asks,
                        new Row(11, "bank.pay", ContextKind.MESSAGE).age("0.9s").calledBy("global.req", 8, "alice"),
                        new Row(10, "user.:id", ContextKind.MESSAGE).age("1s").calledBy("global.req", 8, "alice"),
                        new Row(9, "user.:id", ContextKind.MESSAGE).age("8s").calledBy("global.req", 8, "alice")),
                List.of(),
                List.of());
        Cause first = explained(Explainer.of(both).explain(8)).chain().get(0);
        assertThat(first.next().contextId()).isEqualTo(9);
        assertThat(first.waited()).isEqualTo(Row.time("9s"));
    }

    @Test
    void whoIsInAnOperationThatIsNoRequestIsNotTakenForOneWhoWaitsForAReply() {
        StatusSnapshot node = node(
                "alice",
                "1-a",
                root(
                        new Row(8, "req", ContextKind.REQUEST).inside("db-query", "8s", true),
                        new Row(9, "bank.pay", ContextKind.MESSAGE).calledBy("global.req", 8, "alice")),
                List.of(),
                List.of());
        assertThat(explained(Explainer.of(node).explain(8)).root().name()).isEqualTo("db-query");
    }

    @Test
    void aCrowdBehindOneRootHidesNoOther() {
        List<Row> rows = new ArrayList<>();
        List<LockWaiter> waiters = new ArrayList<>();
        rows.add(new Row(2, "a", ContextKind.TASK));
        rows.add(new Row(3, "b", ContextKind.TASK));
        for (int i = 0; i < 1_500; i++) {
            rows.add(new Row(10 + i, "req", ContextKind.REQUEST));
            waiters.add(waiting("orders", 5, 10 + i, "global.req", "8s"));
        }
        rows.add(new Row(5_000, "other", ContextKind.REQUEST));
        waiters.add(waiting("stock", 6, 5_000, "global.other", "7s"));
        StatusSnapshot node = node(
                "alice",
                "1-a",
                root(rows.toArray(Row[]::new)),
                List.of(held("orders", 5, 2, "global.a", "9s"), held("stock", 6, 3, "global.b", "9s")),
                waiters);
        List<Explanation> all = Explainer.of(node).explainAll();
        assertThat(all).hasSize(1_000);
        assertThat(all.get(0).root().context().shortName()).isEqualTo("a");
        assertThat(all.get(0).freed()).isEqualTo(1_500);
        assertThat(all.get(999).root().context().shortName()).isEqualTo("b");
        assertThat(all).filteredOn(why -> why.root().context().contextId() == 3).hasSize(1);
    }

    @Test
    void aThreadIsLookedAtOnceHoweverManyWaitBehindIt() {
        List<Row> rows = new ArrayList<>();
        List<LockWaiter> waiters = new ArrayList<>();
        rows.add(new Row(2, "a", ContextKind.TASK).onThread());
        for (int i = 0; i < 20; i++) {
            rows.add(new Row(10 + i, "req", ContextKind.REQUEST));
            waiters.add(waiting("orders", 5, 10 + i, "global.req", "8s"));
        }
        StatusSnapshot node = node(
                "alice",
                "1-a",
                root(rows.toArray(Row[]::new)),
                List.of(held("orders", 5, 2, "global.a", "9s")),
                waiters);
        List<ContextRef> looked = new ArrayList<>();
        List<Explanation> all = Explainer.of(node, context -> {
                    looked.add(context);
                    return List.of("app//com.example.Shop.sell(Shop.java:12)");
                })
                .explainAll();
        assertThat(all).hasSize(20).allMatch(why -> why.root().stack().size() == 1);
        assertThat(looked).hasSize(1);
    }

    @Test
    void whoIsFirstInTheLineOfANodeForALockOfTheClusterWaitsAndLeadsToTheHolder() {
        StatusSnapshot alice = node(
                "alice",
                "1-a",
                root(
                        new Row(8, "head", ContextKind.TASK).inside("shared:orders", "9s", true),
                        new Row(9, "second", ContextKind.TASK)),
                List.of(),
                List.of(
                        inLine("shared:orders", 5, 8, "global.head", "9s", 1),
                        inLine("shared:orders", 5, 9, "global.second", "8s", 2)));
        StatusSnapshot bob = node(
                "bob",
                "1-b",
                root(new Row(7, "settle", ContextKind.TASK)),
                List.of(held("shared:orders", 5, 7, "global.settle", "12s")),
                List.of());
        ClusterStatus cluster = new ClusterStatus(
                Scenes.NOON,
                "alice",
                List.of(
                        new NodeStatus(alice.node(), NodeState.UP, Duration.ZERO, null, null, alice),
                        new NodeStatus(bob.node(), NodeState.UP, Duration.ZERO, null, null, bob)));
        Explanation why = explained(Explainer.of(cluster).explain("alice", 9));
        assertThat(why.toString()).isEqualTo("""
                        settle@bob: no sign of life for 0s, and holds mutex "shared:orders"; second@alice waits for mutex "shared:orders" 8s; 2 contexts wait behind it
                          second@alice  waits for mutex "shared:orders" 8s
                             <- behind head@alice, which is first in line
                                <- waits for the lock "shared:orders" 9s
                                   <- held 12s by settle@bob
                                      <- no sign of life for 0s, and holds mutex "shared:orders"
                          behind settle@bob: head@alice, second@alice
                        """);
        assertThat(explained(Explainer.of(alice).explain(9)).headline())
                .startsWith("head: inside of \"shared:orders\" 9s; second waits for mutex \"shared:orders\" 8s");
    }

    private static LockWaiter inLine(String lock, long lockId, long waiter, String path, String since, int position) {
        ContextPath at = ContextPath.parse(path);
        return new LockWaiter(
                at.leaf(), waiter, at, lock, lockId, LockMode.EXCLUSIVE, 1, position, Row.time(since), true, null);
    }

    @Test
    void aDeadlockThatLeadsOverNodesIsFollowedOnTheNodesOfItsParties() {
        StatusSnapshot alice = node(
                "alice",
                "1-a",
                root(new Row(90, "settle", ContextKind.TASK).age("13s").inside("shared:stock", "9s", true)),
                List.of(
                        held("shared:orders", 5, 90, "global.settle", "12s"),
                        held("shared:stock", 6, 90, "global.settle", "9s")),
                List.of());
        // An id of bob's that is another context on alice, where the deadlock is told of.
        StatusSnapshot bob = node(
                "bob",
                "1-b",
                root(
                        new Row(90, "idle", ContextKind.TASK).age("13s"),
                        new Row(7, "refill", ContextKind.TASK).age("13s").inside("shared:orders", "9s", true)),
                List.of(
                        held("shared:stock", 5, 7, "global.refill", "12s"),
                        held("shared:orders", 6, 7, "global.refill", "9s")),
                List.of());
        DeadlockReport report = new DeadlockReport(
                false,
                Scenes.NOON,
                List.of(party(alice, 90, "settle", "stock"), party(bob, 7, "refill", "orders")),
                2,
                null);
        ClusterStatus cluster = new ClusterStatus(
                Scenes.NOON,
                "alice",
                List.of(
                        new NodeStatus(
                                alice.node(),
                                NodeState.UP,
                                Duration.ZERO,
                                null,
                                null,
                                alice.withCauses(new Causes(List.of(report), List.of(), List.of()))),
                        new NodeStatus(bob.node(), NodeState.UP, Duration.ZERO, null, null, bob)));
        List<Explanation> all = Explainer.of(cluster).explainAll();
        assertThat(all)
                .extracting(why -> why.stuck().shortName())
                .containsExactlyInAnyOrder("settle@alice", "refill@bob");
        assertThat(all).allSatisfy(why -> assertThat(why.root().text()).isEqualTo(report.cycle()));
        assertThat(report.cycle())
                .isEqualTo("suspected deadlock: settle@alice owes a reply of \"pay\" for 12s and waits for mutex"
                        + " \"shared:stock\" for 9s; refill@bob owes a reply of \"pay\" for 12s and waits for mutex"
                        + " \"shared:orders\" for 9s");
    }

    private static DeadlockReport.Party party(StatusSnapshot node, long id, String name, String waitsFor) {
        return new DeadlockReport.Party(
                new ContextRef(
                        node.node(),
                        id,
                        "global." + name,
                        name,
                        name + "@" + node.node().alias()),
                List.of(new DeadlockReport.Hold("request pay", 0, LockType.MUTEX, Duration.ofSeconds(12), false, null)),
                "shared:" + waitsFor,
                0,
                LockType.MUTEX,
                Duration.ofSeconds(9),
                null,
                null);
    }

    @Test
    void theSavedJsonOfAClusterIsExplainedJustLikeTheClusterItself() {
        ClusterStatus cluster = threeNodes(true);
        ClusterStatus saved = StatusJson.readCluster(StatusJson.write(cluster));
        assertThat(saved).isEqualTo(cluster);
        assertThat(Explainer.of(saved).explainAll())
                .isEqualTo(Explainer.of(cluster).explainAll())
                .isNotEmpty();
    }

    @Test
    void whoIsExplainedIsFoundByIdByPathAndByShortName() {
        ClusterStatus cluster = threeNodes(true);
        Explanation byId = explained(Explainer.of(cluster).explain(88));
        assertThat(Explainer.of(cluster).explain("global.req")).isEqualTo(byId);
        assertThat(Explainer.of(cluster).explain("req@alice")).isEqualTo(byId);
        assertThat(Explainer.of(cluster).explain("req#88")).isEqualTo(byId);
        assertThat(Explainer.of(cluster).explain("nobody")).isNull();
        assertThat(Explainer.of(cluster).explain("carol", 88)).isNull();
    }

    @Test
    void explanationsDeadlocksAndEpisodesComeBackFromJsonAsTheyWere() {
        Explanation why = explained(Explainer.of(threeNodes(true)).explain("alice", 88));
        assertThat(StatusJson.readExplanation(StatusJson.write(why))).isEqualTo(why);
        DeadlockReport report = deadlock();
        assertThat(StatusJson.readDeadlock(StatusJson.write(report))).isEqualTo(report);
        for (boolean open : List.of(true, false)) {
            WaitEpisode episode = new WaitEpisode(
                    Scenes.NOON,
                    open ? null : Scenes.NOON.plusSeconds(3),
                    Duration.ofSeconds(3),
                    CauseKind.IDLE,
                    "orders",
                    why.stuck(),
                    "no sign of life for 8s",
                    12);
            assertThat(StatusJson.readEpisode(StatusJson.write(episode))).isEqualTo(episode);
            StatusSnapshot whole = Scenes.locks().withCauses(new Causes(List.of(report), blocked(), List.of(episode)));
            assertThat(StatusJson.readSnapshot(StatusJson.write(whole))).isEqualTo(whole);
        }
        assertThat(StatusJson.write(Scenes.locks())).doesNotContain("causes");
    }

    @Test
    void aDeltaCarriesWhatIsKnownOfWhoHoldsUpWhom() {
        StatusSnapshot calm = Scenes.locks();
        StatusSnapshot stuck = calm.withCauses(new Causes(List.of(deadlock()), blocked(), List.of()));
        for (List<StatusSnapshot> pair : List.of(List.of(calm, stuck), List.of(stuck, calm), List.of(stuck, stuck))) {
            SnapshotDelta delta = SnapshotDelta.between(pair.get(0), pair.get(1));
            SnapshotDelta read = StatusJson.readDelta(StatusJson.write(delta));
            assertThat(read.apply(pair.get(0))).isEqualTo(pair.get(1));
        }
        assertThat(SnapshotDelta.between(calm, calm).causes()).isNull();
    }

    @Test
    void aSnapshotThatIsFoldedSaysThatItsDeadlocksAreLeftOut() {
        List<DeadlockReport> many = java.util.Collections.nCopies(9, deadlock());
        StatusSnapshot stuck = Scenes.locks().withCauses(new Causes(many, List.of(), List.of()));
        assertThat(SnapshotFold.fold(stuck, SnapshotLimits.UNLIMITED).deadlocks())
                .hasSize(9);
        StatusSnapshot small = SnapshotFold.fold(stuck, SnapshotLimits.UNLIMITED.withMaxBytes(16_384));
        assertThat(small.deadlocks()).isEmpty();
        assertThat(small.warnings()).anyMatch(w -> w.message().contains("no deadlocks or blocked places, of 9"));
    }

    private static List<BlockedPlace> blocked() {
        return List.of(new BlockedPlace(
                CauseKind.POOL, "vert.x-worker-thread", Duration.ofSeconds(9), "", List.of(3L), List.of(4L, 5L), 2, 0));
    }

    private static DeadlockReport deadlock() {
        ContextRef a = new ContextRef(new NodeIdentity("alice", "1-a"), 7, "global.a", "A", "a");
        ContextRef b = new ContextRef(new NodeIdentity("alice", "1-a"), 8, "global.b", "B", "b");
        return new DeadlockReport(
                true,
                Scenes.NOON,
                List.of(
                        party(a, "m1", 1, "m2", 2, null, null),
                        party(b, "m2", 2, "m1", 1, Duration.ofSeconds(4), "Pay.java:12")),
                2,
                Duration.ofSeconds(4));
    }

    private static DeadlockReport.Party party(
            ContextRef who,
            String holds,
            long heldId,
            String wants,
            long wantedId,
            @Nullable Duration timesOut,
            @Nullable String at) {
        return new DeadlockReport.Party(
                who,
                List.of(new DeadlockReport.Hold(holds, heldId, LockType.MUTEX, Duration.ofMillis(12_300), true, at)),
                wants,
                wantedId,
                LockType.MUTEX,
                Duration.ofMillis(8_100),
                timesOut,
                at);
    }

    @Test
    void aDeadlockIsToldInOneSentenceThatNamesWhoHoldsWhatAndWaitsWhere() {
        assertThat(deadlock().cycle())
                .isEqualTo("deadlock: a holds mutex \"m1\" for 12.3s and waits for mutex \"m2\" for 8.1s;"
                        + " b holds mutex \"m2\" for 12.3s (taken at Pay.java:12) and waits for mutex \"m1\" for 8.1s"
                        + " (asked at Pay.java:12); resolves by itself within 4s, when a wait times out");
    }

    @Test
    void aDeadlockIsOneMatterWithOneRootAndItsSentenceIsReadOnce() {
        StatusSnapshot snapshot = node(
                        "alice",
                        "1-a",
                        root(
                                new Row(7, "a", ContextKind.TASK),
                                new Row(8, "b", ContextKind.TASK),
                                new Row(9, "late", ContextKind.TASK),
                                new Row(10, "later", ContextKind.TASK)),
                        List.of(held("m1", 1, 7, "global.a", "12.3s"), held("m2", 2, 8, "global.b", "12.3s")),
                        List.of(
                                waiting("m2", 2, 7, "global.a", "8.1s"),
                                waiting("m1", 1, 8, "global.b", "8.1s"),
                                waiting("m1", 1, 9, "global.late", "7s"),
                                waiting("m2", 2, 10, "global.later", "6s")))
                .withCauses(new Causes(List.of(deadlock()), List.of(), List.of()));
        List<Explanation> all = Explainer.of(snapshot).explainAll();
        assertThat(all).hasSize(4).allSatisfy(why -> {
            assertThat(why.root().context().contextId()).isEqualTo(7);
            assertThat(why.firstFreed()).containsExactly("late", "later");
            assertThat(why.toString()).containsOnlyOnce("deadlock: ");
        });
        assertThat(StatusRenderer.plain().render(all)).containsOnlyOnce("deadlock: ");
        assertThat(all.get(0).headline()).isEqualTo(deadlock().cycle() + "; 2 contexts wait behind them");
        assertThat(explained(Explainer.of(snapshot).explain("late")).headline())
                .isEqualTo(deadlock().cycle() + "; late waits for mutex \"m1\" 7s; 2 contexts wait behind them");
    }

    @Test
    void whoIsStuckBehindARootIsToldBeforeTheRootThatIsStuckAsWell() {
        StatusSnapshot snapshot = node(
                "alice",
                "1-a",
                root(
                        new Row(7, "audit", ContextKind.TASK).inside("count", "12s", true),
                        new Row(8, "a", ContextKind.TASK),
                        new Row(9, "b", ContextKind.TASK)),
                List.of(held("stock", 1, 7, "global.audit", "12s")),
                List.of(waiting("stock", 1, 8, "global.a", "6s"), waiting("stock", 1, 9, "global.b", "7s")));
        List<Explanation> all = Explainer.of(snapshot).explainAll();
        assertThat(all).extracting(why -> why.stuck().shortName()).containsExactly("b", "a", "audit");
        assertThat(StatusRenderer.plain().render(all)).isEqualTo("""
                        audit: inside of "count" 12s; b waits for mutex "stock" 7s; 2 contexts wait behind it
                          b  waits for mutex "stock" 7s
                             <- held 12s by audit
                                <- inside of "count" 12s
                          behind audit: b, a
                        """);
    }

    @Test
    void whoWaitsForALockThatItHoldsItselfIsSaidToDoSo() {
        Explanation why = explained(Explainer.of(node(
                        "alice",
                        "1-a",
                        root(new Row(7, "a", ContextKind.TASK), new Row(8, "b", ContextKind.TASK)),
                        List.of(held("m", 1, 7, "global.a", "12s")),
                        List.of(waiting("m", 1, 7, "global.a", "8s"), waiting("m", 1, 8, "global.b", "7s"))))
                .explain("a"));
        assertThat(why).hasToString("""
                        a: no sign of life for 0s, and holds mutex "m"; this or another branch of it waits for mutex "m" 8s; 1 context waits behind it
                          waits for no other context
                          behind a: b
                        """);
    }

    @Test
    void contextsThatWaitForEachOtherWithoutAReportAreACircleOfWhichEachIsNamed() {
        StatusSnapshot snapshot = node(
                "alice",
                "1-a",
                root(new Row(7, "a", ContextKind.TASK), new Row(8, "b", ContextKind.TASK)),
                List.of(held("m1", 1, 7, "global.a", "12s"), held("m2", 2, 8, "global.b", "12s")),
                List.of(waiting("m2", 2, 7, "global.a", "8s"), waiting("m1", 1, 8, "global.b", "8s")));
        assertThat(Explainer.of(snapshot).explainAll()).hasSize(2).allSatisfy(why -> {
            assertThat(why.headline()).isEqualTo("all wait for each other: a -> b -> a");
            assertThat(why.freed()).isZero();
        });
    }

    @Test
    void anEpisodeIsTimedToTheSecondAndNamesItsRootFirst() {
        Explanation why = explained(Explainer.of(threeNodes(true)).explain("alice", 88));
        Instant start = Instant.parse("2026-01-01T12:00:00.123Z");
        WaitEpisode open = new WaitEpisode(
                start,
                null,
                Duration.ofMillis(12_345),
                CauseKind.OPERATION,
                "orders",
                why.stuck(),
                "inside of \"db-query\" 12.3s",
                1);
        assertThat(open.text())
                .isEqualTo("since 2026-01-01T12:00:00Z (12.3s): req@alice: inside of \"db-query\" 12.3s;"
                        + " 1 context stuck on \"orders\"");
        WaitEpisode over = new WaitEpisode(
                start,
                start.plusMillis(308_100),
                Duration.ofMillis(308_100),
                CauseKind.LOCK,
                "m2",
                deadlock().parties().get(0).context(),
                deadlock().cycle(),
                4);
        assertThat(over.text())
                .isEqualTo("2026-01-01T12:00:00Z to 2026-01-01T12:05:08Z (5m 8s): "
                        + deadlock().cycle() + "; 4 contexts stuck");
    }

    @Test
    void aChainOfAHundredThousandLocksIsWalkedWithoutRecursion() {
        List<LockStatus> locks = new ArrayList<>();
        List<LockWaiter> waiters = new ArrayList<>();
        List<Row> rows = new ArrayList<>();
        int links = 100_000;
        for (int i = 0; i < links; i++) {
            rows.add(new Row(10 + i, "c" + i, ContextKind.TASK).active("7s"));
            locks.add(held("m" + i, i, 10 + i, "global.c" + i, "9s"));
            if (i > 0) {
                waiters.add(waiting("m" + (i - 1), i - 1, 10 + i, "global.c" + i, "8s"));
            }
        }
        StatusSnapshot snapshot = node("alice", "1-a", root(rows.toArray(new Row[0])), locks, waiters);
        Explainer explainer = Explainer.of(snapshot);
        List<Explanation> all = explainer.explainAll();
        assertThat(all).hasSize(1_000);
        assertThat(all.get(0).freed()).isEqualTo(links - 1);
        assertThat(explained(explainer.explain(10 + links - 1)).chain()).hasSize(1_000);
        assertThat(all.get(0).root().context().contextId()).isEqualTo(10);
    }

    @Test
    void whoeverIsInAnOperationForNoLongerThanIsUsualIsBusyAndNotStuck() {
        Map<String, OperationBaseline> usual = Map.of(
                "long-poll",
                new OperationBaseline(400, Duration.ofSeconds(20), Duration.ofSeconds(29), Duration.ofSeconds(30)));
        StatusSnapshot busy = Scenes.of(root(new Row(2, "poll", ContextKind.TASK).inside("long-poll", "25s", true)));
        assertThat(Explainer.of(busy.withOperationBaselines(usual)).explainAll())
                .isEmpty();
        assertThat(Explainer.of(busy).explainAll()).hasSize(1);
        StatusSnapshot late = Scenes.of(root(new Row(2, "poll", ContextKind.TASK).inside("long-poll", "31s", true)));
        assertThat(Explainer.of(late.withOperationBaselines(usual)).explainAll())
                .singleElement()
                .matches(why -> why.headline().equals("poll: inside of \"long-poll\" 31s, usually 20s"));
    }

    @Test
    void whoIsNotInTheTreeAndHoldsALockSinceJustNowMayHaveBegunBehindIt() {
        for (String since : List.of("0s", "0.009s", "0.03s")) {
            StatusSnapshot snapshot = node(
                    "alice",
                    "1-a",
                    root(new Row(2, "order", ContextKind.TASK)),
                    List.of(held("stock", 5, 90, "global.audit", since)),
                    List.of(waiting("stock", 5, 2, "global.order", "6s")));
            assertThat(Explainer.of(snapshot).explainAll())
                    .singleElement()
                    .satisfies(why -> assertThat(why.headline())
                            .startsWith(
                                    since.equals("0.03s")
                                            ? "audit: has ended, and never gave back mutex \"stock\""
                                            : "audit: has only just begun or ended"));
        }
    }

    @Test
    void whatIsDrawnForAllNamesEachRootOnce() {
        List<Explanation> all = Explainer.of(threeNodes(true)).explainAll();
        assertThat(all).hasSizeGreaterThan(1);
        golden("explain-all.txt").matches(StatusRenderer.plain().render(all));
        assertThat(StatusRenderer.plain().render(List.of())).isEqualTo("nothing is stuck\n");
        Row[] many = new Row[150];
        for (int i = 0; i < many.length; i++) {
            many[i] = new Row(2 + i, "poll-" + i, ContextKind.TASK).inside("bank", "25s", true);
        }
        List<Explanation> each = Explainer.of(Scenes.of(root(many))).explainAll();
        assertThat(each).hasSize(150);
        assertThat(StatusRenderer.plain().render(each).lines().filter(line -> line.startsWith("poll-")))
                .hasSize(100);
        assertThat(StatusRenderer.plain().render(each)).endsWith("\n+50 more\n");
        assertThat(StatusRenderer.ansi(40).render(all)).contains("[31m");
    }
}
