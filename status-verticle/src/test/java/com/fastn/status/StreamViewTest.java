package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ManualTicker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.status.StreamProgress.Sent;
import com.fastn.status.StreamView.Outcome;
import com.fastn.status.stream.Outbox;
import com.fastn.status.stream.StreamFrame;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a reader shows, without a bus. */
class StreamViewTest {
    private static final NodeIdentity BOB = new NodeIdentity("bob", "bbbb-1");
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final long ROOM = 1 << 20;

    private final ManualTicker ticker = new ManualTicker(Fixtures.NOW);
    private final PeerBytes bytes = new PeerBytes(ROOM, ticker);
    private final StreamView view = new StreamView(1, bytes, ticker);
    private final Outbox outbox = new Outbox(ticker);

    @BeforeEach
    void open() {
        view.begin();
        view.beginAnew(ticker.nanos());
        renew(0);
        assertThat(take(tell(1))).isEqualTo(Outcome.COMPLETE);
        assertThat(shown()).isEqualTo(1);
    }

    @Test
    void D7_afterASilenceNothingIsShownBeforeTheWriterHasSaidHowFarItIs() {
        ticker.advance(ClusterFeed.UP_FOR.plusMillis(1));
        assertThat(view.view()).isNull();
        view.hear();
        assertThat(view.view()).as("it was heard, and may do something else").isNull();
        assertThat(view.trouble()).contains("has not arrived yet");

        view.answered(ticker.nanos());
        ClusterStatus again = view.renewed(new Sent(1, sequence()), ticker.nanos());
        assertThat(again).as("told once more, as it is of now").isNotNull().isEqualTo(view.view());
        assertThat(view.trouble()).isNull();
    }

    @Test
    void D7_afterASilenceWhatTheWriterSentMeanwhileIsWaitedFor() {
        List<StreamFrame> late = tell(2);
        ticker.advance(ClusterFeed.UP_FOR.plusMillis(1));
        renew(sequence() + late.size());
        assertThat(view.view()).isNull();
        assertThat(take(late)).isEqualTo(Outcome.COMPLETE);
        assertThat(view.isAwaited()).isFalse();
        assertThat(shown()).isEqualTo(2);
    }

    @Test
    void D1_D5_whatWasSentAndDoesNotComeIsMissedAndSomeSecondsLaterTheLastIsNotShown() {
        long before = sequence();
        for (int second = 0; second < 2; second++) {
            ticker.advance(SECOND);
            renew(before + 1);
        }
        assertThat(view.hasOverdue()).isTrue();
        StreamProgress broken = StreamProgress.of(view.inbox(), List.of(), view.takeOverdue());
        assertThat(view.take(broken)).isEqualTo(Outcome.BROKEN);
        assertThat(view.hasOverdue()).isFalse();
        assertThat(shown()).as("for a while").isEqualTo(1);
        for (int second = 0; second < 3; second++) {
            assertThat(view.isBehind()).isFalse();
            ticker.advance(SECOND);
            renew(before + 1);
        }
        assertThat(view.isBehind()).isTrue();
        view.dropWhatIsBehind();
        assertThat(view.view()).isNull();
        assertThat(view.trouble()).isEqualTo(StreamView.BEHIND);
        assertThat(bytes.held()).isZero();

        outbox.restart();
        assertThat(take(tell(3))).isEqualTo(Outcome.COMPLETE);
        assertThat(shown()).isEqualTo(3);
        assertThat(view.trouble()).isNull();
    }

    @Test
    void S16_whatFindsNoRoomIsLeftOutWhole() {
        assertThat(bytes.hold(ROOM - bytes.held(), 0)).isTrue();
        outbox.restart();
        assertThat(take(tell(2, 20))).isEqualTo(Outcome.NO_ROOM);
        assertThat(view.isLeftOut()).isTrue();
        assertThat(view.view()).isNull();
        assertThat(view.progress().broken()).isTrue();
        assertThat(view.trouble()).contains("its status is left out");
    }

    private void renew(long sent) {
        view.hear();
        view.answered(ticker.nanos());
        var unused = view.renewed(sent == 0 ? Sent.NOTHING : new Sent(1, sent), ticker.nanos());
    }

    private long sequence() {
        return view.progress().sequence();
    }

    private Outcome take(List<StreamFrame> frames) {
        view.hear();
        return view.take(StreamProgress.of(view.inbox(), frames, null));
    }

    private long shown() {
        return requireNonNull(requireNonNull(view.view()).nodes().get(0).snapshot())
                .version();
    }

    private List<StreamFrame> tell(long version) {
        return tell(version, 1);
    }

    private List<StreamFrame> tell(long version, int jobs) {
        ContextStatus[] children = IntStream.range(0, jobs)
                .mapToObj(i -> Fixtures.context(2 + i, "global.job-" + version + "-" + i))
                .toArray(ContextStatus[]::new);
        NodeStatus row = new NodeStatus(
                BOB,
                NodeState.UP,
                Duration.ZERO,
                null,
                null,
                Fixtures.snapshot(BOB, version, Fixtures.context(1, "global", children)));
        return outbox.tell(new ClusterStatus(Fixtures.NOW, "bob", List.of(row)));
    }
}
