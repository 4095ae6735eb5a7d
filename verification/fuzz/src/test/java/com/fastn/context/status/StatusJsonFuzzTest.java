package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fastn.context.status.StatusJson.ReadLimits;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What comes as JSON from other nodes, from recordings and from whoever pretends to be one (rules S13, S15). */
class StatusJsonFuzzTest {
    /** What is written is longer than what was read: every part is there, and texts are escaped. */
    private static final ReadLimits AGAIN = ReadLimits.DEFAULT.withMaxLength(16 << 20);

    @FuzzTest
    void aSnapshotIsReadAndCanBeUsedOrIsRefused(byte[] json) {
        StatusSnapshot snapshot = read(() -> StatusJson.readSnapshot(json));
        if (snapshot == null) {
            return;
        }
        settles(snapshot, StatusJson::write, text -> StatusJson.readSnapshot(text, AGAIN));
        assertThat(StatusRenderer.plain().render(snapshot)).isNotEmpty();
        assertThat(StatusRenderer.ansi(80).maxTreeLines(20).render(snapshot)).isNotEmpty();
        assertThat(Explainer.of(snapshot).explainAll()).isNotNull();
        StatusSnapshot folded =
                SnapshotFold.fold(snapshot, new SnapshotLimits(3, 2, 5, SnapshotLimits.DEFAULT.maxBytes()));
        assertThat(StatusJson.write(folded)).isNotEmpty();
        assertThat(NodeSummary.of(snapshot)).isNotNull();
        SnapshotDelta nothing;
        try {
            nothing = SnapshotDelta.between(snapshot, snapshot);
        } catch (IllegalArgumentException refused) {
            assertThat(refused).hasMessageContaining("two contexts have the id");
            return;
        }
        assertThat(StatusJson.write(nothing.apply(snapshot))).isEqualTo(StatusJson.write(snapshot));
    }

    @FuzzTest
    void aClusterIsReadAndCanBeUsedOrIsRefused(byte[] json) {
        ClusterStatus cluster = read(() -> StatusJson.readCluster(json));
        if (cluster == null) {
            return;
        }
        settles(cluster, StatusJson::write, text -> StatusJson.readCluster(text, AGAIN));
        assertThat(StatusRenderer.plain().render(cluster)).isNotEmpty();
        assertThat(StatusRenderer.plain().render(Explainer.of(cluster).explainAll()))
                .isNotNull();
    }

    @FuzzTest
    void aDeltaIsReadAndAppliedOrIsRefused(byte[] json) {
        SnapshotDelta delta = read(() -> StatusJson.readDelta(json, ReadLimits.DEFAULT));
        if (delta == null) {
            return;
        }
        settles(delta, StatusJson::write, text -> StatusJson.readDelta(text, AGAIN));
        StatusSnapshot next;
        try {
            next = delta.apply(Seeds.snapshot());
        } catch (IllegalArgumentException refused) {
            assertThat(refused.getMessage()).isNotBlank();
            return;
        }
        settles(next, StatusJson::write, text -> StatusJson.readSnapshot(text, AGAIN));
        assertThat(StatusRenderer.plain().render(next)).isNotEmpty();
        // What a delta makes of a tree in which each context has its own id is another such tree.
        StatusSnapshot again = SnapshotDelta.between(Seeds.snapshot(), next).apply(Seeds.snapshot());
        assertThat(StatusJson.write(again)).isEqualTo(StatusJson.write(next));
    }

    @FuzzTest
    void whatExplainsIsReadAndCanBeDrawnOrIsRefused(byte[] bytes) {
        String json = new String(bytes, StandardCharsets.UTF_8);
        Explanation explanation = read(() -> StatusJson.readExplanation(json));
        if (explanation != null) {
            settles(explanation, StatusJson::write, StatusJson::readExplanation);
            assertThat(StatusRenderer.plain().render(explanation)).isNotNull();
        }
        WaitEpisode episode = read(() -> StatusJson.readEpisode(json));
        if (episode != null) {
            settles(episode, StatusJson::write, StatusJson::readEpisode);
        }
        DeadlockReport deadlock = read(() -> StatusJson.readDeadlock(json));
        if (deadlock != null) {
            settles(deadlock, StatusJson::write, StatusJson::readDeadlock);
        }
    }

    /** Nothing but a refusal with reasons comes out of a reader. */
    private static <T> @Nullable T read(Reader<T> reader) {
        try {
            return reader.read();
        } catch (StatusFormatException refused) {
            assertThat(refused.why()).isNotBlank().doesNotContain("\u001b");
            return null;
        }
    }

    /** What was read can be written, and what is written is read as the same. */
    private static <T> void settles(T value, Function<T, String> writer, Function<String, T> reader) {
        String first = writer.apply(value);
        assertThat(writer.apply(reader.apply(first))).isEqualTo(first);
    }

    private interface Reader<T> {
        T read();
    }
}
