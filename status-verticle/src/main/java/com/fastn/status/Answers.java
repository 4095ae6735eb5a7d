package com.fastn.status;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.SnapshotFold;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import java.nio.charset.StandardCharsets;
import java.util.function.IntFunction;

/**
 * Writes status for those who asked. An answer has a largest size (rule M10): beyond it contexts are folded, and counted,
 * until it fits.
 */
final class Answers {
    /** What people and programs get at most. */
    static final int MOST_BYTES = 1 << 20;
    /** What one node sends to another at most, so that it does not hold up what else goes between them. */
    static final int MOST_WIRE_BYTES = 256 << 10;

    /** More than this never fits. */
    static final int MOST_CONTEXTS = 8_192;

    private static final int FEWEST_CONTEXTS = 8;

    private static final SnapshotLimits LIMITS = SnapshotView.limits(SnapshotView.DEEPEST, MOST_CONTEXTS);

    private Answers() {}

    static byte[] json(StatusSnapshot snapshot) {
        return whole(fitting(snapshot));
    }

    /** {@return the snapshot as {@link #json} tells it} */
    static StatusSnapshot fitting(StatusSnapshot snapshot) {
        return SnapshotFold.fold(snapshot, LIMITS.withMaxBytes(MOST_BYTES));
    }

    /** Writes a snapshot that fits. */
    static byte[] whole(StatusSnapshot fitting) {
        return bytes(StatusJson.write(fitting));
    }

    static byte[] delta(SnapshotDelta delta) {
        return bytes(StatusJson.write(delta));
    }

    static byte[] wire(StatusSnapshot snapshot) {
        return bytes(StatusJson.write(SnapshotFold.fold(snapshot, LIMITS.withMaxBytes(MOST_WIRE_BYTES))));
    }

    static byte[] json(ClusterStatus status) {
        return fitted(MOST_BYTES, contexts -> bytes(StatusJson.write(folded(status, contexts))));
    }

    static String text(StatusSnapshot snapshot, StatusQuery query) {
        return renderer(query).render(folded(snapshot, MOST_CONTEXTS));
    }

    static String text(ClusterStatus status, StatusQuery query) {
        return renderer(query).render(folded(status, MOST_CONTEXTS));
    }

    private static byte[] bytes(String json) {
        return json.getBytes(StandardCharsets.UTF_8);
    }

    private static StatusRenderer renderer(StatusQuery query) {
        return query.format() == StatusQuery.Format.ANSI ? StatusRenderer.ansi(query.width()) : StatusRenderer.plain();
    }

    private static byte[] fitted(int mostBytes, IntFunction<byte[]> write) {
        int contexts = MOST_CONTEXTS;
        byte[] written = write.apply(contexts);
        while (written.length > mostBytes && contexts > FEWEST_CONTEXTS) {
            // Contexts differ in size, so what the size says about their number is a guess, taken a little low.
            long guess = (long) contexts * mostBytes / written.length * 9 / 10;
            contexts = (int) Math.max(FEWEST_CONTEXTS, Math.min(guess, contexts / 2));
            written = write.apply(contexts);
        }
        return written;
    }

    private static StatusSnapshot folded(StatusSnapshot snapshot, int contexts) {
        return SnapshotView.folded(snapshot, SnapshotView.DEEPEST, contexts);
    }

    private static ClusterStatus folded(ClusterStatus status, int contexts) {
        int each = Math.max(1, contexts / Math.max(1, status.nodes().size()));
        return new ClusterStatus(
                status.timestamp(),
                status.answeredBy(),
                status.nodes().stream()
                        .map(node -> node.snapshot() == null ? node : withSnapshot(node, folded(node.snapshot(), each)))
                        .toList());
    }

    private static NodeStatus withSnapshot(NodeStatus node, StatusSnapshot snapshot) {
        return new NodeStatus(node.node(), node.state(), node.age(), node.reason(), node.summary(), snapshot);
    }
}
