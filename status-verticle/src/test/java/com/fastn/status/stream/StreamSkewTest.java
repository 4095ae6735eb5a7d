package com.fastn.status.stream;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.status.stream.Inbox.Outcome;
import com.fastn.status.stream.StreamFrame.Content;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Streams of an older and of a newer version, whose frames were written down (rule D9). */
class StreamSkewTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Inbox inbox = new Inbox();

    @Test
    void D9_aStreamOfAnOlderVersionThatKnowsFewerFieldsIsRead() {
        List<StreamFrame> frames = recorded("older.ndjson");
        assertThat(take(frames)).containsExactly(Outcome.TAKEN, Outcome.TAKEN, Outcome.COMPLETE, Outcome.COMPLETE);
        assertThat(inbox.isOutdated()).isFalse();
        ClusterStatus view = requireNonNull(inbox.view());
        assertThat(view.isComplete()).isTrue();
        StatusSnapshot alice = snapshot(view, "alice");
        assertThat(alice.version()).isEqualTo(4);
        assertThat(alice.globalContext().children())
                .extracting(ContextStatus::name)
                .containsExactly("order", "late");
        assertThat(snapshot(view, "bob").activeLocks()).isEmpty();
    }

    @Test
    void D9_aStreamOfANewerVersionIsReadAndWhatIsNotKnownIsLeftOut() {
        List<StreamFrame> frames = recorded("newer.ndjson");
        assertThat(frames.get(1).content()).isEqualTo(Content.OTHER);
        assertThat(take(frames))
                .containsExactly(Outcome.TAKEN, Outcome.TAKEN, Outcome.TAKEN, Outcome.COMPLETE, Outcome.COMPLETE);
        assertThat(inbox.isBroken()).isFalse();
        assertThat(inbox.isOutdated()).isFalse();
        ClusterStatus view = requireNonNull(inbox.view());
        assertThat(view.isComplete()).isTrue();
        StatusSnapshot alice = snapshot(view, "alice");
        assertThat(alice.globalContext().children())
                .extracting(ContextStatus::name)
                .containsExactly("late");
        assertThat(alice.activeLocks()).hasSize(1);
        assertThat(alice.warnings()).extracting(StatusWarning::id).containsExactly("moon-full");
    }

    @Test
    void D9_aKindOfContextThatIsNotKnownIsAnotherOne() {
        take(recorded("newer.ndjson").subList(0, 4));
        ContextStatus order = snapshot(requireNonNull(inbox.view()), "alice")
                .globalContext()
                .children()
                .get(0);
        assertThat(order.kind()).isEqualTo(ContextKind.OTHER);
        assertThat(order.totalCounters()).containsEntry("orders", 3L);
    }

    /** To begin anew would be refused again, and again. */
    @Test
    void D9_aNodeThatWantsANewerReaderIsARowThatSaysSoAndTheOthersAreRead() {
        assertThat(take(recorded("refused.ndjson")))
                .containsExactly(Outcome.TAKEN, Outcome.TAKEN, Outcome.COMPLETE, Outcome.COMPLETE);
        assertThat(inbox.isBroken()).isFalse();
        assertThat(inbox.isOutdated()).isTrue();
        ClusterStatus view = requireNonNull(inbox.view());
        assertThat(row(view, "alice").snapshot()).isNull();
        assertThat(row(view, "alice").reason()).contains("upgrade needed");
        assertThat(snapshot(view, "bob").globalContext().name()).isEqualTo("global");
        assertThat(row(view, "bob").reason()).isNull();
    }

    @Test
    void D9_aStreamThatTellsNoNodeThatCouldBeReadIsOutdatedAndNotBroken() {
        List<StreamFrame> frames = recorded("refused.ndjson");
        byte[] newer = new String(frames.get(1).body(), StandardCharsets.UTF_8)
                .replace("status_snapshot", "cluster_status")
                .getBytes(StandardCharsets.UTF_8);
        assertThat(inbox.take(new StreamFrame(1, 1, Content.NODES, false, newer)))
                .isEqualTo(Outcome.TAKEN);
        StreamFrame full = frames.get(2);
        assertThat(inbox.take(new StreamFrame(1, 2, Content.FULL, true, full.body())))
                .isEqualTo(Outcome.COMPLETE);
        assertThat(inbox.isBroken()).isFalse();
        assertThat(inbox.isOutdated()).isTrue();
        assertThat(inbox.view()).isNull();
    }

    private List<Outcome> take(List<StreamFrame> frames) {
        return frames.stream().map(inbox::take).toList();
    }

    private static NodeStatus row(ClusterStatus status, String alias) {
        return status.nodes().stream()
                .filter(row -> row.node().alias().equals(alias))
                .findFirst()
                .orElseThrow();
    }

    private static StatusSnapshot snapshot(ClusterStatus status, String alias) {
        return requireNonNull(row(status, alias).snapshot());
    }

    private static List<StreamFrame> recorded(String name) {
        List<StreamFrame> frames = new ArrayList<>();
        try (InputStream in = requireNonNull(StreamSkewTest.class.getResourceAsStream(name))) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList()) {
                JsonNode frame = MAPPER.readTree(line);
                frames.add(new StreamFrame(
                        1,
                        frame.get("sequence").asLong(),
                        Content.of(frame.get("content").asText()),
                        frame.get("last").asBoolean(),
                        frame.get("body").toString().getBytes(StandardCharsets.UTF_8)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return frames;
    }
}
