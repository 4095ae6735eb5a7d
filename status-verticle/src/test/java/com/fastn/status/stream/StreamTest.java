package com.fastn.status.stream;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.stream.Inbox.Outcome;
import com.fastn.status.stream.StreamFrame.Content;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An outbox, an inbox, and what lies between them. */
class StreamTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    private final ContextRuntime alice = ContextRuntime.builder().alias("alice").build();
    private final ContextRuntime bob = ContextRuntime.builder().alias("bob").build();
    private final Outbox outbox = new Outbox();
    private final Inbox inbox = new Inbox();

    @AfterEach
    void close() {
        alice.close();
        bob.close();
    }

    @Test
    void theFirstIsTheWholeAndThenOnlyWhatChanged() {
        open(alice, 200);
        List<StreamFrame> whole = outbox.tell(now());
        assertThat(whole).extracting(StreamFrame::content).containsExactly(Content.NODES, Content.FULL, Content.FULL);
        assertThat(whole).extracting(StreamFrame::last).containsExactly(false, false, true);
        assertThat(take(whole)).isEqualTo(Outcome.COMPLETE);

        bob.root().incrementTotal("orders");
        List<StreamFrame> change = outbox.tell(now());
        // Both snapshots are new; that of alice differs in nothing but ages.
        assertThat(change).extracting(StreamFrame::content).containsOnly(Content.DELTA);
        assertThat(change.stream().mapToInt(frame -> frame.body().length).sum())
                .isLessThan(
                        whole.stream().mapToInt(frame -> frame.body().length).sum() / 10);
        assertThat(take(change)).isEqualTo(Outcome.COMPLETE);
        assertThat(requireNonNull(view("bob").snapshot()).globalContext().totalCounters())
                .containsEntry("orders", 1L);
    }

    @Test
    void whoWasToldTheSameIsToldNothing() {
        ClusterStatus status = now();
        outbox.tell(status);
        assertThat(outbox.tell(status)).isEmpty();
    }

    @Test
    void D1_aFrameThatComesTwiceIsLeftOutAndAHoleIsSeen() {
        List<StreamFrame> whole = outbox.tell(now());
        assertThat(inbox.take(whole.get(0))).isEqualTo(Outcome.TAKEN);
        assertThat(inbox.take(whole.get(0))).isEqualTo(Outcome.OLD);
        assertThat(inbox.take(whole.get(2))).isEqualTo(Outcome.GAP);
        assertThat(inbox.take(whole.get(1)))
                .as("nothing is believed after a hole")
                .isEqualTo(Outcome.GAP);
        assertThat(inbox.gaps()).isEqualTo(1);
        assertThat(inbox.view()).isNull();

        outbox.restart();
        assertThat(take(outbox.tell(now()))).isEqualTo(Outcome.COMPLETE);
        assertThat(inbox.isBroken()).isFalse();
    }

    @Test
    void D1_theLastFrameIsMissedTooWhenTheWriterSaysHowFarItIs() {
        List<StreamFrame> whole = outbox.tell(now());
        take(whole);
        assertThat(inbox.expect(1, whole.size())).isFalse();
        assertThat(inbox.expect(0, 99)).as("a former epoch").isFalse();

        alice.root().incrementTotal("lost");
        int sent = whole.size() + outbox.tell(now()).size();
        assertThat(inbox.expect(1, sent)).isTrue();
        assertThat(inbox.isBroken()).isTrue();
        assertThat(inbox.gaps()).isEqualTo(1);
        assertThat(inbox.reason()).contains("frame " + sent + " of epoch 1");

        outbox.restart();
        assertThat(take(outbox.tell(now()))).isEqualTo(Outcome.COMPLETE);
        assertThat(inbox.expect(2, inbox.sequence())).isFalse();
    }

    @Test
    void D2_whatIsOnItsWayWhenAStreamBeginsAnewIsOfNoUseAny() {
        take(outbox.tell(now()));
        alice.root().incrementTotal("lost");
        List<StreamFrame> late = outbox.tell(now());
        outbox.restart();
        assertThat(take(outbox.tell(now()))).isEqualTo(Outcome.COMPLETE);
        assertThat(take(late)).isEqualTo(Outcome.OLD);
        assertThat(inbox.isBroken()).isFalse();
    }

    @Test
    void D6_aSlowReaderIsToldNothingMoreAndLaterTheDifferenceToWhatIsSoThen() {
        List<StreamFrame> told = new ArrayList<>(outbox.tell(now()));
        int rounds = 0;
        while (!outbox.isHeldUp()) {
            alice.root().incrementTotal("orders");
            told.addAll(outbox.tell(now()));
            rounds++;
        }
        assertThat(told.size()).isLessThanOrEqualTo(Outbox.CREDIT_FRAMES);
        for (int i = 0; i < 1_000; i++) {
            alice.root().incrementTotal("orders");
            assertThat(outbox.tell(now())).isEmpty();
        }
        take(told);
        outbox.acknowledge(inbox.epoch(), inbox.sequence());
        List<StreamFrame> rest = outbox.tell(now());
        assertThat(rest).hasSizeLessThanOrEqualTo(3);
        assertThat(take(rest)).isEqualTo(Outcome.COMPLETE);
        assertThat(requireNonNull(view("alice").snapshot()).globalContext().totalCounters())
                .containsEntry("orders", rounds + 1_000L);
    }

    @Test
    void D7_aNodeThatFallsSilentIsShownByItsSummaryAndNotByWhatItWasDoing() {
        take(outbox.tell(now()));
        NodeSummary summary = new NodeSummary(7, 1, 2, 3);
        ClusterStatus later = new ClusterStatus(
                NOW,
                "alice",
                List.of(
                        row(alice),
                        new NodeStatus(bob.node(), NodeState.STALE, Duration.ofSeconds(4), "silent", summary, null)));
        assertThat(take(outbox.tell(later))).isEqualTo(Outcome.COMPLETE);
        assertThat(view("bob").snapshot()).isNull();
        assertThat(view("bob").reason()).isEqualTo("silent");
        assertThat(view("bob").summary()).isEqualTo(summary);
        assertThat(view("alice").snapshot()).isNotNull();
    }

    @Test
    void D3_aNewLifeOfAnAliasIsAnotherNode() {
        take(outbox.tell(now()));
        bob.root().incrementTotal("orders");
        try (ContextRuntime again = ContextRuntime.builder().alias("bob").build()) {
            ClusterStatus later = new ClusterStatus(NOW, "alice", List.of(row(alice), row(again)));
            assertThat(take(outbox.tell(later))).isEqualTo(Outcome.COMPLETE);
            assertThat(requireNonNull(inbox.view()).nodes()).hasSize(2);
            assertThat(requireNonNull(view("bob").snapshot()).globalContext().totalCounters())
                    .isEmpty();
        }
    }

    @Test
    void noFrameIsLongerThanItMayBe() {
        for (int i = 0; i < 20_000; i++) {
            alice.root().child("job-" + i).withData("payload", "x".repeat(60)).open();
        }
        List<StreamFrame> whole = outbox.tell(now());
        assertThat(whole)
                .allSatisfy(frame -> assertThat(frame.body().length).isLessThanOrEqualTo(Outbox.MOST_FRAME_BYTES));
        assertThat(take(whole)).isIn(Outcome.TAKEN, Outcome.COMPLETE);
        assertThat(inbox.gaps()).isZero();
    }

    @Test
    void S15_whatMakesNoSenseIsNotBelievedAndANewBeginningSettlesIt() {
        byte[] strange = StatusJson.write(bob.status()).getBytes(StandardCharsets.UTF_8);
        byte[] nodes = outbox.tell(now()).get(0).body();
        byte[] mine = StatusJson.write(alice.status()).getBytes(StandardCharsets.UTF_8);
        List<StreamFrame> hostile = List.of(
                new StreamFrame(1, 2, Content.FULL, true, "[".repeat(200_000).getBytes(StandardCharsets.UTF_8)),
                new StreamFrame(1, 2, Content.FULL, true, new byte[0]),
                new StreamFrame(1, 2, Content.FULL, true, new byte[Outbox.MOST_FRAME_BYTES + 1]),
                new StreamFrame(1, 2, Content.DELTA, true, mine),
                new StreamFrame(1, 2, Content.NODES, true, mine),
                new StreamFrame(1, Long.MAX_VALUE, Content.FULL, true, mine),
                new StreamFrame(Long.MAX_VALUE, 2, Content.FULL, true, mine),
                new StreamFrame(-1, -1, Content.FULL, true, mine));
        for (StreamFrame frame : hostile) {
            Inbox fresh = new Inbox();
            assertThat(fresh.take(new StreamFrame(1, 1, Content.NODES, false, nodes)))
                    .isEqualTo(Outcome.TAKEN);
            assertThat(fresh.take(frame)).as("%s", frame).isIn(Outcome.GAP, Outcome.OLD);
            assertThat(fresh.view()).isNull();
            assertThat(fresh.take(new StreamFrame(2, 1, Content.NODES, true, nodes)))
                    .isEqualTo(Outcome.COMPLETE);
        }
        Inbox alone = new Inbox();
        String onlyAlice = StatusJson.write(new ClusterStatus(NOW, "alice", List.of(row(alice))));
        alone.take(new StreamFrame(1, 1, Content.NODES, false, onlyAlice.getBytes(StandardCharsets.UTF_8)));
        assertThat(alone.take(new StreamFrame(1, 2, Content.FULL, true, strange)))
                .as("a node that is none of the stream")
                .isEqualTo(Outcome.GAP);
    }

    @Test
    void D6_aReaderThatIsSlowerThanTheFirstNodeChangesIsToldOfTheLastOneToo() {
        try (ContextRuntime carol = ContextRuntime.builder().alias("carol").build()) {
            List<StreamFrame> way = new ArrayList<>(outbox.tell(status(alice, bob, carol)));
            int complete = 0;
            for (int round = 0; round < 200; round++) {
                // All change between two credits, and there are credits for one frame at a time.
                for (ContextRuntime each : List.of(alice, bob, carol)) {
                    each.root().incrementTotal("orders");
                }
                way.addAll(outbox.tell(status(alice, bob, carol)));
                if (outbox.isHeldUp() && !way.isEmpty()) {
                    Outcome outcome = inbox.take(way.remove(0));
                    outbox.acknowledge(inbox.epoch(), inbox.sequence());
                    complete += outcome == Outcome.COMPLETE ? 1 : 0;
                }
            }
            while (!way.isEmpty()) {
                complete += inbox.take(way.remove(0)) == Outcome.COMPLETE ? 1 : 0;
            }
            int carolsLast = requireNonNull(view("carol").snapshot())
                    .globalContext()
                    .totalCounters()
                    .getOrDefault("orders", 0L)
                    .intValue();
            assertThat(inbox.gaps()).isZero();
            assertThat(carolsLast).as("the last node is not left behind").isGreaterThan(190);
            assertThat(complete).as("the view goes on").isGreaterThan(60);
        }
    }

    @Test
    void ofANodeInConflictWhoseStatusIsGoneNoneIsShown() {
        String why = "two live nodes use the alias";
        assertThat(take(outbox.tell(conflict(bob.status(), why)))).isEqualTo(Outcome.COMPLETE);
        assertThat(view("bob").snapshot()).isNotNull();

        List<StreamFrame> gone = outbox.tell(conflict(null, "its answer cannot be read; " + why));
        assertThat(gone).extracting(StreamFrame::last).containsExactly(false, true);
        assertThat(take(gone)).isEqualTo(Outcome.COMPLETE);
        assertThat(view("bob").state()).isEqualTo(NodeState.CONFLICT);
        assertThat(view("bob").snapshot()).isNull();
        assertThat(view("alice").state()).isEqualTo(NodeState.UP);

        assertThat(take(outbox.tell(conflict(bob.status(), why)))).isEqualTo(Outcome.COMPLETE);
        assertThat(view("bob").snapshot()).isNotNull();
    }

    @Test
    void D7_aListOfNodesThatIsLongerThanAFrameComesInSeveral() {
        List<NodeStatus> rows = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            rows.add(new NodeStatus(
                    new NodeIdentity("checkout-service-7d9f8b6c5d-" + (10_000 + i), "01a210f0a144-" + i),
                    NodeState.STALE,
                    Duration.ofSeconds(4),
                    "its stream has been silent for more than 3 s; it may be stopped, blocked or cut off",
                    new NodeSummary(700, 1, 1, 1),
                    null));
        }
        List<NodeStatus> all =
                Stream.concat(Stream.of(row(alice)), rows.stream()).toList();
        List<StreamFrame> whole = outbox.tell(new ClusterStatus(NOW, "alice", all));
        assertThat(whole)
                .allSatisfy(frame -> assertThat(frame.body().length).isLessThanOrEqualTo(Outbox.MOST_FRAME_BYTES));
        assertThat(whole).extracting(StreamFrame::content).containsExactly(Content.SOME_NODES, Content.NODES);
        assertThat(take(whole)).isEqualTo(Outcome.TAKEN);
        outbox.acknowledge(inbox.epoch(), inbox.sequence());
        assertThat(take(outbox.tell(new ClusterStatus(NOW, "alice", all)))).isEqualTo(Outcome.COMPLETE);
        assertThat(requireNonNull(inbox.view()).nodes())
                .extracting(NodeStatus::node)
                .containsExactlyElementsOf(all.stream().map(NodeStatus::node).toList());
        assertThat(requireNonNull(inbox.view()).nodes())
                .extracting(NodeStatus::reason)
                .containsExactlyElementsOf(all.stream().map(NodeStatus::reason).toList());
        outbox.acknowledge(inbox.epoch(), inbox.sequence());

        // That one node goes is news, and no hole.
        assertThat(take(outbox.tell(new ClusterStatus(NOW, "alice", all.subList(0, 1_000)))))
                .isEqualTo(Outcome.COMPLETE);
        assertThat(requireNonNull(inbox.view()).nodes()).hasSize(1_000);
        assertThat(view("alice").snapshot()).isNotNull();
        assertThat(inbox.gaps()).isZero();
    }

    @Test
    void S16_longReasonsOfManyNodesAreCutAndPartsOfAListDoNotFillTheMemoryOfTheReader() {
        List<NodeStatus> rows = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            rows.add(new NodeStatus(
                    new NodeIdentity("node-" + i, "incarnation-" + i),
                    NodeState.UP,
                    Duration.ZERO,
                    "nothing is open at \"" + "x".repeat(8_000) + '"',
                    null,
                    null));
        }
        List<StreamFrame> cut = outbox.tell(new ClusterStatus(NOW, "node-0", rows));
        assertThat(cut.stream().mapToInt(frame -> frame.body().length).sum()).isLessThan(2 * Outbox.MOST_FRAME_BYTES);
        assertThat(take(cut)).isEqualTo(Outcome.COMPLETE);
        assertThat(requireNonNull(view("node-7").reason()))
                .startsWith("nothing is open at \"xxx")
                .endsWith("..");

        String fat = StatusJson.write(new ClusterStatus(NOW, "node-0", rows.subList(0, 30)));
        Inbox fresh = new Inbox();
        Outcome outcome = Outcome.TAKEN;
        int taken = 0;
        while (outcome == Outcome.TAKEN) {
            outcome = fresh.take(
                    new StreamFrame(1, ++taken, Content.SOME_NODES, false, fat.getBytes(StandardCharsets.UTF_8)));
        }
        assertThat(outcome).isEqualTo(Outcome.GAP);
        assertThat(taken).isLessThan(30);
        Inbox ofOne = new Inbox(1);
        ofOne.take(new StreamFrame(1, 1, Content.SOME_NODES, false, bytes(rows.subList(0, 1))));
        assertThat(ofOne.take(new StreamFrame(1, 2, Content.NODES, true, bytes(rows.subList(1, 2)))))
                .isEqualTo(Outcome.GAP);
    }

    private static byte[] bytes(List<NodeStatus> rows) {
        return StatusJson.write(new ClusterStatus(NOW, "alice", rows)).getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void D7_whoIsSilentGetsOlderByTheClockOfTheReaderAndYoungerWhenItWasHeardMeanwhile() {
        ManualTicker ticker = new ManualTicker(NOW);
        Outbox writer = new Outbox(ticker);
        Inbox reader = new Inbox(Inbox.MOST_NODES, ticker);
        writer.tell(silentBob(NodeState.DOWN, 16)).forEach(reader::take);
        assertThat(ageOfBob(reader)).isEqualTo(Duration.ofSeconds(16));

        ticker.advance(Duration.ofMinutes(30));
        alice.root().incrementTotal("orders");
        List<StreamFrame> later = writer.tell(silentBob(NodeState.DOWN, 16 + 1_800));
        assertThat(later).extracting(StreamFrame::content).containsExactly(Content.DELTA);
        later.forEach(reader::take);
        assertThat(ageOfBob(reader)).isEqualTo(Duration.ofSeconds(16 + 1_800));

        writer.tell(silentBob(NodeState.STALE, 14)).forEach(reader::take);
        ticker.advance(Duration.ofSeconds(5));
        // It said hello a second ago, and its stream is silent still.
        List<StreamFrame> heard = writer.tell(silentBob(NodeState.STALE, 1));
        assertThat(heard).extracting(StreamFrame::content).startsWith(Content.NODES);
        heard.forEach(reader::take);
        assertThat(ageOfBob(reader)).isEqualTo(Duration.ofSeconds(1));

        // What waited for the reader is told as it is then.
        ClusterStatus waited = silentBob(NodeState.DOWN, 20);
        long asOf = ticker.nanos();
        ticker.advance(Duration.ofSeconds(7));
        writer.tell(waited, asOf).forEach(reader::take);
        assertThat(ageOfBob(reader)).isEqualTo(Duration.ofSeconds(27));
        ticker.advance(Duration.ofSeconds(7));
        assertThat(writer.tell(waited, asOf)).as("nothing is new").isEmpty();
        assertThat(reader.gaps()).isZero();
    }

    private ClusterStatus silentBob(NodeState state, long seconds) {
        return new ClusterStatus(
                NOW,
                "alice",
                List.of(
                        row(alice),
                        new NodeStatus(bob.node(), state, Duration.ofSeconds(seconds), "silent", null, null)));
    }

    private Duration ageOfBob(Inbox reader) {
        return requireNonNull(reader.view()).nodes().stream()
                .filter(row -> row.node().equals(bob.node()))
                .findFirst()
                .orElseThrow()
                .age();
    }

    @Test
    void D7_theNumbersOfANodeOfWhichAPartIsToldAreThoseOfNow() {
        FastnContext till = bob.root().child("Till").open();
        ManualTicker ticker = new ManualTicker(NOW);
        Outbox outbox = new Outbox(ticker);
        for (int contexts = 5; contexts < 8; contexts++) {
            ticker.advance(Silence.NUMBERS_PACE);
            till.incrementTotal("orders");
            StatusSnapshot part = partOf(bob.status());
            NodeSummary truth = new NodeSummary(contexts, contexts, 0, 0);
            List<StreamFrame> frames = outbox.tell(new ClusterStatus(
                    NOW, "alice", List.of(new NodeStatus(bob.node(), NodeState.UP, Duration.ZERO, null, truth, part))));
            assertThat(take(frames)).isEqualTo(Outcome.COMPLETE);
            assertThat(view("bob").summary()).isEqualTo(truth);
            assertThat(outbox.tell(new ClusterStatus(
                            NOW,
                            "alice",
                            List.of(new NodeStatus(bob.node(), NodeState.UP, Duration.ZERO, null, truth, part)))))
                    .isEmpty();
        }
    }

    @Test
    void D6_numbersAloneAreToldEachFiveSecondsAndNotBeforeAllTreesAre() {
        ManualTicker ticker = new ManualTicker(NOW);
        Outbox outbox = new Outbox(ticker);
        List<NodeStatus> trees = List.of(row(alice), row(bob));
        take(outbox.tell(withCarols(trees, null)));
        assertThat(take(outbox.tell(withCarols(trees, 1L))))
                .as("the first ones are news")
                .isEqualTo(Outcome.COMPLETE);
        for (long contexts = 2; contexts < 6; contexts++) {
            ticker.advance(Duration.ofSeconds(1));
            assertThat(outbox.tell(withCarols(trees, contexts))).isEmpty();
            assertThat(outbox.hasNumbersToTell()).isFalse();
        }
        ticker.advance(Duration.ofSeconds(1));
        assertThat(outbox.hasNumbersToTell()).isTrue();
        assertThat(take(outbox.tell(withCarols(trees, 5L)))).isEqualTo(Outcome.COMPLETE);
        assertThat(view("carol").summary()).isEqualTo(new NodeSummary(5, 0, 0, 0));
        assertThat(outbox.hasNumbersToTell()).isFalse();
        outbox.acknowledge(inbox.epoch(), inbox.sequence());

        // The reader is as far behind as it may be, so that bob is left out.
        for (int i = 0; i < Outbox.CREDIT_FRAMES - 1; i++) {
            alice.root().incrementTotal("orders");
            outbox.tell(withCarols(List.of(row(alice), trees.get(1)), 5L)).forEach(inbox::take);
        }
        alice.root().incrementTotal("orders");
        bob.root().incrementTotal("orders");
        List<NodeStatus> later = List.of(row(alice), row(bob));
        ticker.advance(Duration.ofSeconds(10));
        assertThat(take(outbox.tell(withCarols(later, 5L)))).isEqualTo(Outcome.TAKEN);
        outbox.acknowledge(inbox.epoch(), inbox.sequence());
        List<StreamFrame> frames = outbox.tell(withCarols(later, 6L));
        assertThat(frames).extracting(StreamFrame::content).doesNotContain(Content.NODES);
        assertThat(take(frames)).isEqualTo(Outcome.COMPLETE);
        assertThat(outbox.tell(withCarols(later, 6L)))
                .extracting(StreamFrame::content)
                .containsExactly(Content.NODES);
    }

    /** Of carol nothing is open at the path. */
    private ClusterStatus withCarols(List<NodeStatus> trees, @Nullable Long contexts) {
        NodeSummary summary = contexts == null ? null : new NodeSummary(contexts, 0, 0, 0);
        NodeIdentity carol = new NodeIdentity("carol", "cccc-1");
        return new ClusterStatus(
                NOW,
                "alice",
                List.of(
                        trees.get(0),
                        trees.get(1),
                        new NodeStatus(carol, NodeState.UP, Duration.ZERO, "nothing there", summary, null)));
    }

    private static StatusSnapshot partOf(StatusSnapshot whole) {
        return new StatusSnapshot(
                whole.node(),
                whole.timestamp(),
                whole.version(),
                null,
                whole.globalContext().children().get(0),
                List.of(),
                List.of(),
                List.of());
    }

    @Test
    void whereTheClockOfTheWriterIsSetBackTheReaderTellsTheTimeThatItTells() {
        for (Duration step : List.of(Duration.ZERO, Duration.ofMinutes(-50), Duration.ofMinutes(-40))) {
            Instant time = NOW.plus(step);
            alice.root().incrementTotal("orders");
            StatusSnapshot now = alice.status();
            StatusSnapshot told = new StatusSnapshot(
                    now.node(), time, now.version(), null, now.globalContext(), List.of(), List.of(), List.of());
            take(outbox.tell(new ClusterStatus(
                    time.plusMillis(5),
                    "alice",
                    List.of(new NodeStatus(alice.node(), NodeState.UP, Duration.ZERO, null, null, told)))));
            assertThat(requireNonNull(inbox.view()).timestamp()).isEqualTo(step.isZero() ? time.plusMillis(5) : time);
        }
    }

    @Test
    void D2_whatIsToldAnewIsOfTheTimeThatTheWriterTellsThenThoughItsClockWasSetBackAfterAGap() {
        take(outbox.tell(now()));
        List<StreamFrame> later = outbox.tell(at(NOW.plusSeconds(60)));
        assertThat(later).hasSizeGreaterThan(1);
        assertThat(inbox.take(later.get(0))).isEqualTo(Outcome.TAKEN);
        assertThat(inbox.expect(outbox.epoch(), Long.MAX_VALUE)).isTrue();

        outbox.restart();
        take(outbox.tell(at(NOW.minusSeconds(3_000))));
        assertThat(requireNonNull(inbox.view()).timestamp()).isEqualTo(NOW.minusSeconds(3_000));
    }

    private ClusterStatus at(Instant time) {
        alice.root().incrementTotal("orders");
        StatusSnapshot now = alice.status();
        StatusSnapshot told = new StatusSnapshot(
                now.node(), time, now.version(), null, now.globalContext(), List.of(), List.of(), List.of());
        NodeStatus carol = new NodeStatus(
                new NodeIdentity("carol", "c" + time), NodeState.DOWN, Duration.ZERO, "silent", null, null);
        return new ClusterStatus(
                time,
                "alice",
                List.of(new NodeStatus(alice.node(), NodeState.UP, Duration.ZERO, null, null, told), carol));
    }

    /** The reader drops whoever is in the list of nodes no more, however far behind it is. */
    @Test
    void D6_aNodeThatWasGoneWhileTheReaderWasBehindIsToldAsAWhole() {
        take(outbox.tell(now()));
        outbox.acknowledge(inbox.epoch(), inbox.sequence());
        List<StreamFrame> ahead = new ArrayList<>();
        while (ahead.size() < Outbox.CREDIT_FRAMES - 1) {
            alice.root().incrementTotal("orders");
            ahead.addAll(outbox.tell(status(bob, alice)));
        }
        ahead.addAll(outbox.tell(status(alice)));
        assertThat(outbox.isHeldUp()).isTrue();
        take(ahead);
        outbox.acknowledge(inbox.epoch(), inbox.sequence());
        bob.root().incrementTotal("orders");
        assertThat(take(outbox.tell(now()))).isEqualTo(Outcome.COMPLETE);
        assertThat(inbox.gaps()).as(inbox.reason()).isZero();
        assertThat(view("bob").snapshot()).isNotNull();
    }

    private ClusterStatus conflict(@Nullable StatusSnapshot ofBob, String why) {
        return new ClusterStatus(
                NOW,
                "alice",
                List.of(
                        new NodeStatus(alice.node(), NodeState.UP, Duration.ZERO, "nothing to tell", null, null),
                        new NodeStatus(bob.node(), NodeState.CONFLICT, Duration.ZERO, why, null, ofBob)));
    }

    @Test
    void S16_aStreamOfANodeHasOneNode() {
        Inbox ofOne = new Inbox(1);
        assertThat(ofOne.take(outbox.tell(now()).get(0))).isEqualTo(Outcome.GAP);
        assertThat(ofOne.reason()).contains("a stream of 2 nodes, and 1 is the limit");
    }

    @Test
    void S16_manyFatDeltasDoNotFillTheMemoryOfTheReader() {
        List<FastnContext> jobs = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            jobs.add(alice.root().child("job-" + i).open());
        }
        Inbox ofOne = new Inbox(1);
        StatusSnapshot told = alice.status();
        ofOne.take(frame(1, Content.NODES, StatusJson.write(new ClusterStatus(NOW, "alice", List.of(row(alice))))));
        assertThat(ofOne.take(frame(2, Content.FULL, StatusJson.write(told)))).isEqualTo(Outcome.COMPLETE);
        // One context after the other gets fat, and no frame is longer than it may be.
        Outcome outcome = Outcome.COMPLETE;
        int taken = 0;
        for (int i = 0; i < jobs.size() && outcome == Outcome.COMPLETE; i++) {
            for (int key = 0; key < 40; key++) {
                jobs.get(i).setData("fat-" + key, "x".repeat(1_000));
            }
            StatusSnapshot later = alice.status();
            String delta = StatusJson.write(SnapshotDelta.between(told, later));
            assertThat(delta.length()).isLessThan(Outbox.MOST_FRAME_BYTES);
            outcome = ofOne.take(frame(3 + i, Content.DELTA, delta));
            told = later;
            taken++;
        }
        assertThat(outcome).isEqualTo(Outcome.GAP);
        assertThat(ofOne.reason()).contains("the status of \"alice\" has grown to");
        assertThat(taken).isBetween(10, 30);
    }

    @Test
    void aNodeThatChangesForVeryLongIsReadForVeryLong() {
        FastnContext job = alice.root().child("job").open();
        take(outbox.tell(now()));
        for (int i = 0; i < 200; i++) {
            job.setData("text", String.valueOf((char) ('a' + i % 26)).repeat(8_000));
            assertThat(take(outbox.tell(now()))).as("round %d", i).isEqualTo(Outcome.COMPLETE);
            outbox.acknowledge(inbox.epoch(), inbox.sequence());
        }
        assertThat(inbox.gaps()).isZero();
    }

    private static StreamFrame frame(long sequence, Content content, String json) {
        return new StreamFrame(1, sequence, content, true, json.getBytes(StandardCharsets.UTF_8));
    }

    private static ClusterStatus status(ContextRuntime... runtimes) {
        return new ClusterStatus(
                NOW, "alice", Stream.of(runtimes).map(StreamTest::row).toList());
    }

    /** Frames are lost, doubled and reordered; readers ask for a new beginning at times; in the end they know what is so. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void D1_D2_whateverTheWayDoesToFramesTheReaderNeverBelievesWhatWasNeverSo(long seed) {
        Random random = new Random(seed);
        List<FastnContext> open = new ArrayList<>();
        List<ClusterStatus> history = new ArrayList<>();
        List<StreamFrame> way = new ArrayList<>();
        for (int step = 0; step < 600; step++) {
            switch (random.nextInt(4)) {
                case 0 ->
                    open.add(alice.root().child("job-" + random.nextInt(5)).open());
                case 1 -> {
                    if (!open.isEmpty()) {
                        open.remove(random.nextInt(open.size())).close();
                    }
                }
                case 2 -> alice.root().incrementTotal("orders");
                default -> bob.root().incrementTotal("taken");
            }
            ClusterStatus status = now();
            history.add(status);
            way.addAll(outbox.tell(status));
            while (!way.isEmpty() && random.nextInt(3) != 0) {
                StreamFrame frame = way.get(random.nextInt(Math.min(3, way.size())));
                if (random.nextInt(10) != 0) {
                    way.remove(frame);
                }
                if (random.nextInt(20) != 0 && inbox.take(frame) == Outcome.COMPLETE) {
                    assertThat(history)
                            .as("seed %d, step %d", seed, step)
                            .anyMatch(past -> sameTrees(past, inbox.view()));
                }
            }
            if (random.nextInt(5) == 0) {
                outbox.acknowledge(inbox.epoch(), inbox.sequence());
            }
            if (inbox.isBroken() && random.nextInt(10) == 0) {
                outbox.restart();
            }
        }
        outbox.restart();
        assertThat(take(outbox.tell(now()))).isEqualTo(Outcome.COMPLETE);
        assertThat(sameTrees(now(), inbox.view())).isTrue();
    }

    private static boolean sameTrees(ClusterStatus one, @Nullable ClusterStatus other) {
        if (other == null || one.nodes().size() != other.nodes().size()) {
            return false;
        }
        for (int i = 0; i < one.nodes().size(); i++) {
            if (!tree(one.nodes().get(i)).equals(tree(other.nodes().get(i)))) {
                return false;
            }
        }
        return true;
    }

    private static String tree(NodeStatus row) {
        StringBuilder drawn = new StringBuilder();
        StatusSnapshot snapshot = requireNonNull(row.snapshot());
        drawn.append(snapshot.globalContext().totalCounters());
        snapshot.globalContext()
                .children()
                .forEach(child -> drawn.append(' ').append(child.id()).append(child.name()));
        return drawn.toString();
    }

    private Outcome take(List<StreamFrame> frames) {
        Outcome outcome = Outcome.OLD;
        for (StreamFrame frame : frames) {
            outcome = inbox.take(frame);
        }
        return outcome;
    }

    private NodeStatus view(String alias) {
        return requireNonNull(inbox.view()).nodes().stream()
                .filter(row -> row.node().alias().equals(alias))
                .findFirst()
                .orElseThrow();
    }

    private ClusterStatus now() {
        return new ClusterStatus(NOW, "alice", List.of(row(alice), row(bob)));
    }

    private static NodeStatus row(ContextRuntime runtime) {
        StatusSnapshot snapshot = runtime.status();
        return new NodeStatus(runtime.node(), NodeState.UP, Duration.ZERO, null, NodeSummary.of(snapshot), snapshot);
    }

    private static void open(ContextRuntime runtime, int contexts) {
        for (int i = 0; i < contexts; i++) {
            runtime.root().child("job-" + i).open();
        }
    }
}
