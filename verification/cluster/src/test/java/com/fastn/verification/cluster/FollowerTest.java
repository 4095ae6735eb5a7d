package com.fastn.verification.cluster;

import static com.fastn.verification.cluster.Answers.list;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import io.vertx.core.Handler;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.ReadStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the plans look at is seen by a look that comes too late for it. */
class FollowerTest {
    private static final NodeIdentity BOB = new NodeIdentity("bob", "bbbb-1");
    private static final NodeIdentity CAROL = new NodeIdentity("carol", "cccc-1");

    private final Follower follower = new Follower();
    private final Told told = new Told();

    @Test
    void D7_whoWasCalledSilentForAMomentStaysKnownAsThat() {
        follower.follow("by the stream of carol", "carol", told);
        tell(NodeState.UP, NodeState.UP);
        assertThat(FaultRun.everSilent(view())).isEmpty();
        tell(NodeState.UP, NodeState.STALE);
        tell(NodeState.UP, NodeState.UP);
        assertThat(FaultRun.everSilent(view())).containsExactly(CAROL.incarnation());
        assertThat(View.streamed(view()).rows()).extracting(View.Row::state).containsOnly("UP");
    }

    @Test
    void D7_whoWasCalledSilentIsExcusedOnlyByWhatKeptItFromBeingHeardJustThen() {
        follower.follow("by the stream of carol", "carol", told);
        tell(NodeState.UP, NodeState.STALE);
        JsonObject view = view();
        long at = list(view, "ever_silent").get(0).getLong("at_ms");
        assertThat(FaultRun.isExcused(view, CAROL.incarnation(), List.of())).isFalse();
        assertThat(isExcused(view, at - 9_000, at - 5_000)).as("long before").isFalse();
        assertThat(isExcused(view, at + 1, at + 2_000)).as("later").isFalse();
        assertThat(isExcused(view, at - 3_500, at - 500)).isTrue();
        assertThat(isExcused(view, at - 3_500, at + 9_000)).as("longer").isTrue();

        view.getJsonArray("ever_silent")
                .add(new JsonObject().put("incarnation", CAROL.incarnation()).put("at_ms", at + 60_000));
        assertThat(isExcused(view, at - 3_500, at - 500)).as("each time").isFalse();
    }

    private static boolean isExcused(JsonObject view, long from, long to) {
        return FaultRun.isExcused(
                view,
                CAROL.incarnation(),
                List.of(new JsonObject().put("from_ms", from).put("to_ms", to)));
    }

    @Test
    void aStreamThatToldNothingProvesNothing() {
        follower.follow("by the stream", null, told);
        assertThatThrownBy(() -> FaultRun.everSilent(view())).hasMessage("nothing was told by the stream");
    }

    @Test
    void ofAStreamOfOneNodeTheOthersMayBeMissing() {
        follower.follow("by the stream of carol", "carol", told);
        tell(NodeState.UP, NodeState.UP);
        assertThat(View.streamed(view()).isOf("carol")).isTrue();
        assertThat(View.streamed(view()).isOf("bob")).isFalse();
        assertThat(Fleet.neighbour("n1", 3)).isEqualTo("n2");
        assertThat(Fleet.neighbour("n2", 3)).isEqualTo("n0");
    }

    private void tell(NodeState bob, NodeState carol) {
        requireNonNull(told.handler)
                .handle(new ClusterStatus(Instant.EPOCH, "bob", List.of(row(BOB, bob), row(CAROL, carol))));
    }

    private static NodeStatus row(NodeIdentity node, NodeState state) {
        return new NodeStatus(node, state, Duration.ZERO, "of a test", null, null);
    }

    /** As it comes from another process. */
    private JsonObject view() {
        return list(new JsonObject(follower.view().encode()), "views").get(0);
    }

    private static final class Told implements ReadStream<ClusterStatus> {
        private @Nullable Handler<ClusterStatus> handler;

        @Override
        public Told handler(@Nullable Handler<ClusterStatus> newHandler) {
            handler = newHandler;
            return this;
        }

        @Override
        public Told exceptionHandler(@Nullable Handler<Throwable> newHandler) {
            return this;
        }

        @Override
        public Told pause() {
            return this;
        }

        @Override
        public Told resume() {
            return this;
        }

        @Override
        public Told fetch(long amount) {
            return this;
        }

        @Override
        public Told endHandler(@Nullable Handler<Void> newHandler) {
            return this;
        }
    }
}
