package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ManualTicker;
import com.fastn.context.WarningIds;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.status.Hello.Kind;
import com.fastn.status.NodeDirectory.Answer;
import com.fastn.status.NodeDirectory.Peer;
import com.fastn.status.stream.Inbox;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NodeDirectoryTest {
    private static final NodeIdentity ALICE = new NodeIdentity("alice", "aaaa-1");
    private static final NodeIdentity BOB = new NodeIdentity("bob", "bbbb-1");
    private static final NodeIdentity CAROL = new NodeIdentity("carol", "cccc-1");
    private static final NodeSummary SUMMARY = new NodeSummary(5, 1, 2, 3);

    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final NodeDirectory directory = new NodeDirectory(ALICE, 100, Duration.ofHours(1), ticker);

    @Test
    void aNewcomerIsAnsweredAndSoIsWhoeverIsNotKnownYet() {
        assertThat(directory.heard(hello(BOB, Kind.NEWCOMER))).isTrue();
        assertThat(directory.heard(hello(BOB, Kind.ALIVE))).isFalse();
        assertThat(directory.heard(hello(CAROL, Kind.ALIVE))).isTrue();
        assertThat(directory.heard(hello(CAROL, Kind.ALIVE))).isFalse();
        assertThat(directory.heard(hello(CAROL, Kind.NEWCOMER)))
                .as("it forgot us")
                .isTrue();
        assertThat(directory.peers()).extracting(Peer::node).containsExactly(BOB, CAROL);
    }

    @Test
    void S16_aNewcomerThatAsksAgainAndAgainIsAnsweredEverMoreSeldomDownToOnceASecond() {
        int answered = 0;
        for (int i = 0; i < 20; i++) {
            answered += directory.heard(hello(BOB, Kind.NEWCOMER)) ? 1 : 0;
            assertThat(answered).as("the first answers may be lost").isGreaterThanOrEqualTo(Math.min(i + 1, 2));
            ticker.advance(Duration.ofMillis(100));
        }
        assertThat(answered).isBetween(4, 6);
        assertThat(directory.heard(hello(CAROL, Kind.NEWCOMER)))
                .as("another one")
                .isTrue();

        answered = 0;
        for (int i = 0; i < 10_000; i++) {
            answered += directory.heard(hello(BOB, Kind.NEWCOMER)) ? 1 : 0;
            ticker.advance(Duration.ofMillis(1));
        }
        assertThat(answered).isBetween(9, 11);

        ticker.advance(Duration.ofSeconds(11));
        for (int i = 0; i < 2; i++) {
            assertThat(directory.heard(hello(BOB, Kind.NEWCOMER)))
                    .as("it begins anew")
                    .isTrue();
            ticker.advance(Duration.ofMillis(100));
        }
    }

    @Test
    void S16_aFloodOfNewcomersIsAnsweredAThousandTimesASecondAtMost() {
        for (int second = 0; second < 3; second++) {
            int answered = 0;
            for (int i = 0; i < 20_000; i++) {
                NodeIdentity node = new NodeIdentity("x", "flood-" + second + "-" + i);
                answered += directory.heard(hello(node, i % 2 == 0 ? Kind.NEWCOMER : Kind.ALIVE)) ? 1 : 0;
            }
            assertThat(answered).isEqualTo(1_000);
            ticker.advance(Duration.ofSeconds(1));
        }
        assertThat(directory.heard(hello(BOB, Kind.NEWCOMER))).isTrue();
    }

    @Test
    void itsOwnHelloIsLeftOut() {
        assertThat(directory.heard(hello(ALICE, Kind.NEWCOMER))).isFalse();
        assertThat(directory.peers()).isEmpty();
    }

    @Test
    void whoSaysGoodbyeLeavesAndALateHelloDoesNotBringItBackButAStartDoes() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(BOB, Kind.GOODBYE));
        assertThat(directory.peers()).isEmpty();

        assertThat(directory.heard(hello(BOB, Kind.ALIVE))).isFalse();
        assertThat(directory.peers()).isEmpty();

        assertThat(directory.heard(hello(BOB, Kind.NEWCOMER))).isTrue();
        assertThat(directory.peers()).hasSize(1);
    }

    @Test
    void D7_whoGoesOnSpeakingAfterItsGoodbyeComesBackInAWhile() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(BOB, Kind.GOODBYE));
        ticker.advance(Goodbyes.LATE_FOR);
        assertThat(directory.heard(hello(BOB, Kind.ALIVE))).isFalse();
        assertThat(directory.peers()).isEmpty();

        ticker.advance(Duration.ofMillis(1));
        assertThat(directory.heard(hello(BOB, Kind.ALIVE)))
                .as("somebody else said goodbye in its name, or its start was not heard")
                .isTrue();
        assertThat(directory.peers()).extracting(Peer::node).containsExactly(BOB);
    }

    @Test
    void aNewAliasOfTheSameLifeReplacesTheOldOneAtAStart() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(new NodeIdentity("robert", "bbbb-1"), Kind.NEWCOMER));
        assertThat(directory.peers()).extracting(peer -> peer.node().alias()).containsExactly("robert");
    }

    @Test
    void S16_nobodyIsRenamedByWhoOnlySaysThatHeLives() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(CAROL, Kind.NEWCOMER));
        ticker.advance(Duration.ofSeconds(5));
        assertThat(directory.heard(new Hello(new NodeIdentity("carol", "bbbb-1"), 900, Kind.ALIVE, SUMMARY)))
                .isFalse();

        assertThat(directory.peers()).containsExactly(new Peer(BOB, 100), new Peer(CAROL, 100));
        assertThat(directory.silence(BOB)).isEqualTo(Duration.ofSeconds(5));
        assertThat(judge(answered(BOB, 100), answered(CAROL, 100)))
                .extracting(NodeStatus::state)
                .containsExactly(NodeState.UP, NodeState.UP);
    }

    @Test
    void S16_whoHearsItsOwnGoodbyeOrItselfUnderAnotherNameKnowsThatSomebodyElseSaidIt() {
        assertThat(directory.isContradicted(hello(ALICE, Kind.NEWCOMER))).isFalse();
        assertThat(directory.isContradicted(hello(ALICE, Kind.ALIVE))).isFalse();
        assertThat(directory.isContradicted(hello(BOB, Kind.GOODBYE))).isFalse();
        assertThat(directory.isContradicted(hello(ALICE, Kind.GOODBYE))).isTrue();
        assertThat(directory.isContradicted(hello(new NodeIdentity("alan", "aaaa-1"), Kind.ALIVE)))
                .isTrue();
        assertThat(directory.isContradicted(new Hello(ALICE, 101, Kind.NEWCOMER, SUMMARY)))
                .isTrue();
    }

    @Test
    void S16_whoSaidThatANodeLeavesAndWasContradictedIsBelievedOnlyOnceThatNodeIsSilent() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        judge(answered(BOB, 100));
        directory.heard(hello(BOB, Kind.GOODBYE));
        assertThat(directory.peers()).as("nobody knows better yet").isEmpty();
        directory.heard(hello(BOB, Kind.NEWCOMER));

        for (int i = 0; i < 100_000; i++) {
            if (i % 10 == 0) {
                ticker.advance(Duration.ofMillis(1));
            }
            directory.heard(hello(BOB, Kind.GOODBYE));
            directory.heard(hello(new NodeIdentity("x", "flood-" + i), Kind.GOODBYE));
            assertThat(directory.isKnown(BOB)).isTrue();
            if (i % 10_000 == 0) {
                directory.heard(hello(BOB, Kind.NEWCOMER));
            }
        }
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(BOB, Kind.GOODBYE));
        ticker.advance(NodeDirectory.CONTRADICTED_WITHIN);
        assertThat(directory.peers()).extracting(Peer::node).containsExactly(BOB);
        ticker.advance(Duration.ofMillis(1));
        assertThat(directory.peers()).as("it is silent since").isEmpty();
        assertThat(directory.heard(hello(BOB, Kind.ALIVE)))
                .as("it may have been said before")
                .isFalse();
        assertThat(directory.peers()).isEmpty();
    }

    @Test
    void S16_whoAnswersLongAfterADoubtfulGoodbyeIsThere() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(BOB, Kind.GOODBYE));
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(BOB, Kind.GOODBYE));
        ticker.advance(Duration.ofSeconds(1));
        judge(answered(BOB, 100));
        ticker.advance(Duration.ofSeconds(4).plusMillis(1));
        assertThat(directory.peers()).as("that was asked before it left").isEmpty();

        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(BOB, Kind.GOODBYE));
        ticker.advance(Duration.ofSeconds(3));
        judge(answered(BOB, 100));
        ticker.advance(Duration.ofSeconds(3));
        assertThat(directory.peers()).extracting(Peer::node).containsExactly(BOB);
    }

    @Test
    void aNodeThatStartsItsStatusAnewAWhileAfterItsGoodbyeLeavesAtOnceTheNextTime() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(BOB, Kind.GOODBYE));
        ticker.advance(Goodbyes.LATE_FOR.plusMillis(1));
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(BOB, Kind.GOODBYE));
        assertThat(directory.peers()).isEmpty();

        directory.heard(hello(BOB, Kind.NEWCOMER));
        ticker.advance(NodeDirectory.DOUBTED_FOR.plusMillis(1));
        directory.heard(hello(BOB, Kind.GOODBYE));
        assertThat(directory.peers()).as("that is long ago").isEmpty();
    }

    @Test
    void S15_whoAnsweredIsCalledWhatItsAnswersSayWhateverIsSaidInItsName() {
        NodeIdentity mallory = new NodeIdentity("mallory", "bbbb-1");
        directory.heard(hello(BOB, Kind.NEWCOMER));
        judge(answered(BOB, 100));
        for (int i = 0; i < 100; i++) {
            directory.heard(new Hello(mallory, 900, Kind.NEWCOMER, SUMMARY));
            assertThat(directory.peers()).containsExactly(new Peer(BOB, 100));
        }

        NodeIdentity robert = new NodeIdentity("robert", "bbbb-1");
        judge(new Answer(
                new Peer(BOB, 100), true, true, null, Fixtures.snapshot(robert, 1, Fixtures.context(1, "global"))));
        assertThat(directory.peers()).containsExactly(new Peer(robert, 100));
    }

    @Test
    void D7_whoseAnswersHaveAnotherNameThanItsHellosIsHeardByBoth() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        NodeIdentity robert = new NodeIdentity("robert", "bbbb-1");
        judge(new Answer(
                new Peer(BOB, 100), true, true, null, Fixtures.snapshot(robert, 1, Fixtures.context(1, "global"))));
        ticker.advance(Duration.ofSeconds(15));
        directory.heard(hello(BOB, Kind.ALIVE));
        assertThat(directory.silence(robert)).isZero();
        assertThat(directory.peers()).extracting(Peer::node).containsExactly(robert);
    }

    @Test
    void S15_aLifeThatNeverAnsweredPutsNobodyIntoConflictAndTakesNobodysPlace() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        judge(answered(BOB, 100));
        ticker.advance(Duration.ofSeconds(1));
        NodeIdentity forged = new NodeIdentity("bob", "zzzz-9");
        directory.heard(new Hello(forged, Long.MAX_VALUE, Kind.NEWCOMER, SUMMARY));
        Answer opening = new Answer(new Peer(forged, Long.MAX_VALUE), true, true, "its stream", null, null);

        assertThat(judge(answered(BOB, 100), opening))
                .extracting(NodeStatus::state)
                .containsExactly(NodeState.UP, NodeState.UP);
        assertThat(judge(silent(BOB, 100), opening))
                .extracting(NodeStatus::state)
                .containsExactly(NodeState.STALE, NodeState.UP);
        assertThat(directory.peers()).extracting(Peer::node).containsExactly(BOB, forged);

        assertThat(judge(silent(BOB, 100), answered(forged, Long.MAX_VALUE)))
                .as("now it has")
                .extracting(NodeStatus::node)
                .containsExactly(forged);
    }

    @Test
    void nodesAreFoundByAliasOrByTheBeginningOfTheirIncarnation() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(CAROL, Kind.NEWCOMER));

        assertThat(directory.select(List.of()).self()).isTrue();
        assertThat(directory.select(List.of()).peers()).hasSize(2);
        assertThat(directory.select(List.of("alice")).self()).isTrue();
        assertThat(directory.select(List.of("alice")).peers()).isEmpty();
        assertThat(directory.select(List.of("bob")).self()).isFalse();
        assertThat(directory.select(List.of("cccc", "carol")).peers())
                .extracting(Peer::node)
                .containsExactly(CAROL);
        assertThat(directory.select(List.of("aaaa-1")).self()).isTrue();
    }

    @Test
    void anUnknownNodeIsNamedTogetherWithTheNearestKnownOnes() {
        directory.heard(hello(CAROL, Kind.NEWCOMER));
        assertThatThrownBy(() -> directory.select(List.of("carl")))
                .isInstanceOfSatisfying(BadQueryException.class, e -> {
                    assertThat(e.code()).isEqualTo(404);
                    assertThat(e.sentence()).contains("unknown node \"carl\"").contains("\"carol\"");
                });
        assertThatThrownBy(() -> directory.select(List.of("zzzzzz"))).hasMessageContaining("known are alice, carol");
        assertThatThrownBy(() -> directory.select(List.of("ccc")))
                .as("too short to mean one life")
                .isInstanceOf(BadQueryException.class);
    }

    @Test
    void D7_aSilentNodeIsStaleThenDownAndNeverLeftOut() {
        directory.heard(hello(BOB, Kind.NEWCOMER));

        NodeStatus row = judge(silent(BOB, 100)).get(0);
        assertThat(row.state()).isEqualTo(NodeState.STALE);
        assertThat(row.age()).isEqualTo(Duration.ZERO);
        assertThat(row.reason()).isEqualTo("no answer");
        assertThat(row.summary()).isEqualTo(SUMMARY);
        assertThat(row.snapshot()).isNull();

        ticker.advance(Duration.ofSeconds(15));
        assertThat(judge(silent(BOB, 100)).get(0).state()).isEqualTo(NodeState.STALE);

        ticker.advance(Duration.ofSeconds(1));
        row = judge(silent(BOB, 100)).get(0);
        assertThat(row.state()).isEqualTo(NodeState.DOWN);
        assertThat(row.age()).isEqualTo(Duration.ofSeconds(16));
        assertThat(row.summary()).isEqualTo(SUMMARY);
    }

    @Test
    void D7_anAnswerIsASignOfLifeToo() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        ticker.advance(Duration.ofSeconds(14));
        NodeStatus up = judge(answered(BOB, 100)).get(0);
        assertThat(up.state()).isEqualTo(NodeState.UP);
        assertThat(up.age()).isEqualTo(Duration.ZERO);
        ticker.advance(Duration.ofSeconds(14));
        assertThat(judge(silent(BOB, 100)).get(0).state()).isEqualTo(NodeState.STALE);
    }

    @Test
    void aNodeWhoseAnswerCannotBeReadIsUpWithAReason() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        NodeStatus row = judge(new Answer(new Peer(BOB, 100), true, true, "its answer cannot be read: x", null))
                .get(0);
        assertThat(row.state()).isEqualTo(NodeState.UP);
        assertThat(row.reason()).contains("cannot be read");
        assertThat(row.snapshot()).isNull();
        assertThat(row.summary()).isEqualTo(SUMMARY);
    }

    @Test
    void D3_aLaterLifeReplacesADeadOneOfItsAlias() {
        NodeIdentity again = new NodeIdentity("bob", "bbbb-2");
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(new Hello(again, 200, Kind.NEWCOMER, SUMMARY));

        List<NodeStatus> rows = judge(silent(BOB, 100), answered(again, 200));

        assertThat(rows).hasSize(1);
        assertThat(rows.get(0).node()).isEqualTo(again);
        assertThat(rows.get(0).state()).isEqualTo(NodeState.UP);
        assertThat(directory.peers()).extracting(Peer::node).containsExactly(again);
    }

    @Test
    void D4_D7_ofTwoLivingNodesOfOneAliasTheOlderOneIsNotMissingOnceItIsSilent() {
        NodeIdentity twin = new NodeIdentity("bob", "bbbb-2");
        directory.heard(hello(BOB, Kind.NEWCOMER));
        ticker.advance(Duration.ofSeconds(5));
        directory.heard(new Hello(twin, 200, Kind.NEWCOMER, SUMMARY));
        ticker.advance(Duration.ofSeconds(5));
        assertThat(judge(answered(BOB, 100), answered(twin, 200)))
                .extracting(NodeStatus::state)
                .containsExactly(NodeState.CONFLICT, NodeState.CONFLICT);

        ticker.advance(Duration.ofSeconds(20));
        assertThat(judge(silent(BOB, 100), answered(twin, 200)))
                .extracting(NodeStatus::state)
                .containsExactly(NodeState.DOWN, NodeState.UP);
        assertThat(directory.peers()).extracting(Peer::node).containsExactly(BOB, twin);

        // The same where the younger one is this node.
        NodeIdentity older = new NodeIdentity("alice", "aaaa-0");
        directory.heard(new Hello(older, 50, Kind.ALIVE, SUMMARY));
        assertThat(judge(answered(ALICE, 100), silent(older, 50)))
                .extracting(NodeStatus::state)
                .containsExactlyInAnyOrder(NodeState.UP, NodeState.STALE);
    }

    @Test
    void D3_anEarlierLifeDoesNotReplaceALaterOneThatIsSilent() {
        NodeIdentity later = new NodeIdentity("bob", "bbbb-2");
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(new Hello(later, 200, Kind.NEWCOMER, SUMMARY));

        List<NodeStatus> rows = judge(answered(BOB, 100), silent(later, 200));

        assertThat(rows).extracting(NodeStatus::state).containsExactly(NodeState.UP, NodeState.STALE);
    }

    @Test
    void D4_twoLivingNodesOfOneAliasAreBothShownAsAConflict() {
        NodeIdentity twin = new NodeIdentity("alice", "aaaa-2");
        directory.heard(new Hello(twin, 200, Kind.NEWCOMER, SUMMARY));

        List<NodeStatus> rows = judge(answered(ALICE, 100), answered(twin, 200));

        assertThat(rows).hasSize(2).allSatisfy(row -> {
            assertThat(row.state()).isEqualTo(NodeState.CONFLICT);
            assertThat(row.reason())
                    .contains("two live nodes use the alias \"alice\"")
                    .contains("alias of its own");
            assertThat(row.snapshot()).isNotNull();
        });
    }

    @Test
    void D4_aLifeThatWasNotHeardSinceTheNextOneBeganSharesNoAliasWithIt() {
        NodeIdentity again = new NodeIdentity("bob", "bbbb-2");
        directory.heard(hello(BOB, Kind.NEWCOMER));
        ticker.advance(Duration.ofSeconds(2));
        directory.heard(new Hello(again, 200, Kind.NEWCOMER, SUMMARY));
        ticker.advance(Duration.ofMillis(400));

        // Killed two seconds ago: its stream is not silent for long enough to say so.
        assertThat(judge(heard(true, Duration.ofMillis(2_400)), answered(again, 200)))
                .extracting(NodeStatus::state)
                .containsExactly(NodeState.UP, NodeState.UP);
        assertThat(judge(heard(true, Duration.ofMillis(300)), answered(again, 200)))
                .as("it goes on speaking")
                .extracting(NodeStatus::state)
                .containsExactly(NodeState.CONFLICT, NodeState.CONFLICT);
    }

    @Test
    void D4_whoBeginsAnewHidesNoConflictOfOthers() {
        NodeIdentity twin = new NodeIdentity("bob", "bbbb-2");
        NodeIdentity third = new NodeIdentity("bob", "bbbb-3");
        NodeIdentity early = new NodeIdentity("bob", "bbbb-0");
        directory.heard(new Hello(early, 50, Kind.NEWCOMER, SUMMARY));
        ticker.advance(Duration.ofMillis(100));
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(new Hello(twin, 200, Kind.NEWCOMER, SUMMARY));
        ticker.advance(Duration.ofMillis(100));
        directory.heard(new Hello(third, 300, Kind.NEWCOMER, SUMMARY));

        List<NodeStatus> rows = judge(
                new Answer(new Peer(early, 50), true, true, "its stream", null, Duration.ofMillis(200)),
                heard(true, Duration.ofMillis(100)),
                new Answer(new Peer(twin, 200), true, true, "its stream", null, Duration.ofMillis(100)),
                new Answer(new Peer(third, 300), true, true, "its stream", null, Duration.ZERO));

        assertThat(rows)
                .extracting(NodeStatus::state)
                .containsExactly(NodeState.UP, NodeState.CONFLICT, NodeState.CONFLICT, NodeState.UP);
    }

    @Test
    void aNodeThatIsSilentForVeryLongIsForgotten() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        ticker.advance(Duration.ofMinutes(59));
        assertThat(directory.peers()).hasSize(1);
        ticker.advance(Duration.ofMinutes(2));
        assertThat(directory.peers()).isEmpty();
    }

    @Test
    void D7_whereNobodySpeaksUnaskedOnlyANodeThatWasAskedAndIsSilentForVeryLongIsForgotten() {
        NodeDirectory silentCluster = NodeDirectory.withoutHellos(ALICE, 100, Duration.ofHours(1), ticker);
        silentCluster.heard(hello(BOB, Kind.NEWCOMER));
        ticker.advance(Duration.ofDays(7));
        assertThat(silentCluster.peers()).as("nobody asked it").hasSize(1);

        silentCluster.judge(List.of(silent(BOB, 100)));
        ticker.advance(Duration.ofMinutes(59));
        assertThat(silentCluster.peers()).hasSize(1);
        silentCluster.judge(List.of(answered(BOB, 100)));
        ticker.advance(Duration.ofDays(7));
        assertThat(silentCluster.peers()).as("it answered").hasSize(1);

        silentCluster.judge(List.of(silent(BOB, 100)));
        ticker.advance(Duration.ofMinutes(59));
        silentCluster.judge(List.of(silent(BOB, 100)));
        silentCluster.judge(List.of(heard(true, null)));
        ticker.advance(Duration.ofMinutes(2));
        assertThat(silentCluster.peers())
                .as("that its stream is being opened is no word of it")
                .isEmpty();
    }

    @Test
    void S16_aFloodOfHellosPushesOutNobodyWhoLives() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        for (int i = 0; i < 100_000; i++) {
            directory.heard(hello(new NodeIdentity("x" + i, "flood-" + i), Kind.ALIVE));
        }
        assertThat(directory.peers()).hasSize(1_000).extracting(Peer::node).contains(BOB);
        assertThat(directory.unlisted()).as("beyond that nobody counts").isEqualTo(10_000);

        ticker.advance(Duration.ofSeconds(16));
        directory.heard(hello(CAROL, Kind.NEWCOMER));
        assertThat(directory.peers()).hasSize(1_000).extracting(Peer::node).contains(CAROL);
    }

    @Test
    void S16_whoNeverAnsweredMakesRoomForOthersHoweverOftenItSpeaks() {
        List<Answer> inVain = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            NodeIdentity node = new NodeIdentity("x" + i, "flood-" + i);
            directory.heard(hello(node, Kind.ALIVE));
            inVain.add(silent(node, 100));
        }
        directory.heard(hello(BOB, Kind.NEWCOMER));
        assertThat(directory.isKnown(BOB)).as("they may live").isFalse();

        var unused = directory.judge(inVain);
        for (int i = 0; i < 1_000; i++) {
            directory.heard(hello(new NodeIdentity("x" + i, "flood-" + i), Kind.ALIVE));
        }
        directory.heard(hello(BOB, Kind.NEWCOMER));
        assertThat(directory.peers()).hasSize(1_000).extracting(Peer::node).contains(BOB);
    }

    @Test
    void D7_S16_ofNodesThatAnsweredOnceAndAreDownAFloodPushesOutNoMoreThanHalf() {
        for (int i = 0; i < 1_000; i++) {
            NodeIdentity node = new NodeIdentity("n" + i, "known-" + i);
            directory.heard(hello(node, Kind.NEWCOMER));
            judge(answered(node, 100));
        }
        ticker.advance(Duration.ofSeconds(16));
        for (int i = 0; i < 10_000; i++) {
            directory.heard(hello(new NodeIdentity("x" + i, "flood-" + i), Kind.ALIVE));
        }
        assertThat(directory.peers())
                .extracting(peer -> peer.node().incarnation().substring(0, 5))
                .filteredOn("known"::equals)
                .hasSize(500);
    }

    @Test
    void D7_nodesThatAreTooManyAreCountedAndWarnedOf() {
        for (int i = 0; i < 1_000; i++) {
            directory.heard(hello(new NodeIdentity("x" + i, "listed-" + i), Kind.NEWCOMER));
        }
        assertThat(directory.warning("global")).isNull();
        for (int round = 0; round < 3; round++) {
            directory.heard(hello(BOB, Kind.ALIVE));
            directory.heard(hello(CAROL, Kind.ALIVE));
        }
        StatusWarning warning = requireNonNull(directory.warning("global"));
        assertThat(warning.id()).isEqualTo(WarningIds.NODES_NOT_LISTED);
        assertThat(warning.message()).startsWith("+2 nodes are not listed");

        StatusSnapshot own =
                Fixtures.snapshot(ALICE, 1, Fixtures.context(1, "global"), List.of(), List.of(), List.of(warning));
        NodeStatus row = new NodeStatus(ALICE, NodeState.UP, Duration.ZERO, null, null, own);
        assertThat(new ClusterStatus(Fixtures.NOW, "alice", List.of(row)).isComplete())
                .isFalse();
        assertThat(new ClusterStatus(Fixtures.NOW, "bob", List.of(row)).isComplete())
                .as("what another node does not list is its own affair")
                .isTrue();

        directory.heard(hello(new NodeIdentity("x1", "listed-1"), Kind.GOODBYE));
        directory.heard(hello(BOB, Kind.ALIVE));
        assertThat(directory.unlisted()).isEqualTo(1);
        ticker.advance(UnlistedNodes.COUNTED_FOR.plusMillis(1));
        assertThat(directory.warning("global")).isNull();
    }

    @Test
    void D7_theAgeOfANodeIsSinceItsLastWordAndNotSinceSomebodyLooked() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        ticker.advance(Duration.ofSeconds(20));
        NodeStatus up = judge(heard(true, Duration.ofMillis(2_500))).get(0);
        assertThat(up.state()).isEqualTo(NodeState.UP);
        assertThat(up.age()).isEqualTo(Duration.ofMillis(2_500));

        ticker.advance(Duration.ofSeconds(1));
        NodeStatus stale = judge(heard(false, Duration.ofMillis(3_500))).get(0);
        assertThat(stale.state()).isEqualTo(NodeState.STALE);
        assertThat(stale.age()).isEqualTo(Duration.ofMillis(3_500));

        ticker.advance(Duration.ofMillis(11_500));
        assertThat(judge(heard(false, Duration.ofSeconds(15))).get(0).state()).isEqualTo(NodeState.STALE);
        ticker.advance(Duration.ofMillis(1));
        assertThat(judge(heard(false, Duration.ofMillis(15_001))).get(0).state())
                .isEqualTo(NodeState.DOWN);
    }

    @Test
    void D7_whoseStreamIsBeingOpenedLivesIfItWasHeardLately() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        NodeStatus opening = judge(heard(true, null)).get(0);
        assertThat(opening.state()).isEqualTo(NodeState.UP);
        ticker.advance(Duration.ofSeconds(16));
        opening = judge(heard(true, null)).get(0);
        assertThat(opening.state()).isEqualTo(NodeState.DOWN);
        assertThat(opening.age()).isEqualTo(Duration.ofSeconds(16));
    }

    private static Answer heard(boolean alive, @Nullable Duration silence) {
        return new Answer(new Peer(BOB, 100), alive, true, "its stream", null, silence);
    }

    @Test
    void ofTheNodesThatPublishTheOneThatLivesLongestComesFirstAsLongAsItIsHeard() {
        NodeIdentity older = new NodeIdentity("older", "0-1");
        NodeIdentity younger = new NodeIdentity("younger", "zzzz-1");
        assertThat(directory.comesFirst()).isTrue();
        directory.heard(new Hello(younger, 100, Kind.ALIVE, SUMMARY, true));
        assertThat(directory.comesFirst()).isTrue();
        directory.heard(new Hello(older, 100, Kind.ALIVE, SUMMARY, false));
        assertThat(directory.comesFirst()).as("that one does not publish").isTrue();

        directory.heard(new Hello(older, 100, Kind.ALIVE, SUMMARY, true));
        assertThat(directory.comesFirst()).isFalse();
        ticker.advance(Duration.ofSeconds(16));
        assertThat(directory.comesFirst()).as("it fell silent").isTrue();
        directory.heard(new Hello(older, 100, Kind.ALIVE, SUMMARY, true));
        assertThat(directory.comesFirst()).isFalse();
        directory.heard(new Hello(older, 100, Kind.GOODBYE, SUMMARY, true));
        assertThat(directory.comesFirst()).isTrue();

        directory.heard(new Hello(older, 100, Kind.NEWCOMER, SUMMARY, true));
        assertThat(directory.comesFirst()).isFalse();
        judge(silent(older, 100));
        directory.heard(new Hello(older, 100, Kind.ALIVE, SUMMARY, true));
        assertThat(directory.comesFirst()).as("it speaks and answers nothing").isTrue();
    }

    @Test
    void eventLoopsDoNotWaitUntilTreesAreCountedAndEachIsCountedOnce() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        directory.heard(hello(CAROL, Kind.NEWCOMER));
        List<StatusSnapshot> counted = new ArrayList<>();
        Function<StatusSnapshot, NodeSummary> count = snapshot -> {
            assertThat(Thread.holdsLock(directory))
                    .as("peers() and silence() wait for that on event loops")
                    .isFalse();
            counted.add(snapshot);
            return NodeSummary.of(snapshot);
        };
        Answer bob = answered(BOB, 100);
        List<Answer> answers = List.of(bob, answered(CAROL, 100));
        assertThat(directory.judge(answers, count))
                .extracting(NodeStatus::summary)
                .containsOnly(new NodeSummary(1, 0, 0, 0));
        assertThat(counted).hasSize(2);

        directory.heard(hello(BOB, Kind.ALIVE));
        List<Answer> later = List.of(bob, answered(CAROL, 100));
        assertThat(directory.judge(later, count))
                .as("what is told beside a status is that of the status")
                .extracting(NodeStatus::summary)
                .containsOnly(new NodeSummary(1, 0, 0, 0));
        assertThat(counted).as("one of them is another").hasSize(3);

        directory.heard(hello(BOB, Kind.GOODBYE));
        assertThat(directory.judge(List.of(bob), count).get(0).summary()).isEqualTo(new NodeSummary(1, 0, 0, 0));
    }

    @Test
    void onlyWholeTreesOfNodesThatAreKnownAreCountedForTheirNumbers() {
        directory.heard(hello(BOB, Kind.NEWCOMER));
        List<StatusSnapshot> counted = new ArrayList<>();
        Function<StatusSnapshot, NodeSummary> count = snapshot -> {
            counted.add(snapshot);
            return NodeSummary.of(snapshot);
        };
        Answer whole = answered(BOB, 100);
        Answer part =
                new Answer(whole.peer(), true, false, null, Fixtures.snapshot(BOB, 1, Fixtures.context(1, "global")));
        directory.judge(List.of(whole), count);
        assertThat(directory.judge(List.of(part), count).get(0).summary())
                .as("the numbers are of the whole")
                .isEqualTo(new NodeSummary(1, 0, 0, 0));
        directory.judge(List.of(whole), count);
        assertThat(counted).containsExactly(whole.snapshot());
    }

    @Test
    void D9_aNodeWhoseHelloWantsANewerReaderIsShownAsItIsReadAndOtherwiseSaysThatAnUpgradeIsNeeded() {
        directory.heard(new Hello(BOB, 100, Kind.ALIVE, SUMMARY, false, true));
        NodeStatus row = judge(silent(BOB, 100)).get(0);
        assertThat(row.reason()).isEqualTo(Inbox.OUTDATED + "; no answer");
        assertThat(row.state()).isEqualTo(NodeState.STALE);
        assertThat(row.summary()).isEqualTo(SUMMARY);

        Answer refused = new Answer(new Peer(BOB, 100), true, true, Inbox.OUTDATED, null);
        assertThat(judge(refused).get(0).reason()).as("once").isEqualTo(Inbox.OUTDATED);
        assertThat(judge(answered(BOB, 100)).get(0).reason()).as("it is read").isNull();

        directory.heard(hello(BOB, Kind.ALIVE));
        assertThat(judge(silent(BOB, 100)).get(0).reason()).isEqualTo("no answer");
    }

    private List<NodeStatus> judge(Answer... answers) {
        return directory.judge(new ArrayList<>(List.of(answers)));
    }

    private static Hello hello(NodeIdentity node, Kind kind) {
        return new Hello(node, 100, kind, SUMMARY);
    }

    private static Answer silent(NodeIdentity node, long booted) {
        return new Answer(new Peer(node, booted), false, true, "no answer", null);
    }

    private static Answer answered(NodeIdentity node, long booted) {
        return new Answer(
                new Peer(node, booted), true, true, null, Fixtures.snapshot(node, 1, Fixtures.context(1, "global")));
    }
}
