package com.fastn.status;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.SnapshotFold;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusPage;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

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

    /** More than this never fits between two nodes: nothing that a context tells is shorter. */
    static final int MOST_WIRE_CONTEXTS = MOST_WIRE_BYTES / 250;
    /** So many usually do. */
    private static final int LIKELY_WIRE_CONTEXTS = MOST_WIRE_BYTES / 600;

    /** What a context takes at least that has a path of some length and little to tell. */
    private static final int FEWEST_CONTEXT_BYTES = 400;

    /** Room for a few contexts that somebody named, without their values. */
    private static final int NAMED_BYTES = 32 << 10;

    private static final int FIRST_BYTES = 16 << 10;
    private static final String TOO_MANY = "left out, because so many nodes do not fit; ask for this one";

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
        ByteArrayOutputStream out = new ByteArrayOutputStream(FIRST_BYTES);
        StatusJson.write(fitting, out);
        return out.toByteArray();
    }

    static byte[] delta(SnapshotDelta delta) {
        return bytes(StatusJson.write(delta));
    }

    /** Whatever is likely to fit is written first and measured then: to measure costs as much as to write. */
    static byte[] wire(StatusSnapshot snapshot) {
        if (isSmall(snapshot)) {
            byte[] written = whole(folded(snapshot, MOST_WIRE_CONTEXTS));
            if (written.length <= MOST_WIRE_BYTES) {
                return written;
            }
        }
        return whole(fittingWire(snapshot));
    }

    /**
     * Writes a snapshot that shows whoever is named.
     *
     * @param snapshot the snapshot, in which they are
     * @param named an id, a path or a short name
     * @return the JSON, or {@code null} if it does not fit with them
     */
    static byte @Nullable [] wireShowing(StatusSnapshot snapshot, String named) {
        byte[] written = whole(NamedContexts.shown(
                snapshot, named, all -> SnapshotFold.fold(all, LIMITS.withMaxBytes(MOST_WIRE_BYTES - NAMED_BYTES))));
        return written.length <= MOST_WIRE_BYTES ? written : null;
    }

    private static boolean isSmall(StatusSnapshot snapshot) {
        return countUpTo(snapshot, LIKELY_WIRE_CONTEXTS + 1) <= LIKELY_WIRE_CONTEXTS
                && snapshot.activeLocks().size()
                                + snapshot.lockWaiters().size()
                                + snapshot.warnings().size()
                        <= LIKELY_WIRE_CONTEXTS / 2;
    }

    private static int countUpTo(StatusSnapshot snapshot, int most) {
        int count = 0;
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.push(snapshot.globalContext());
        while (!open.isEmpty() && count < most) {
            count++;
            open.pop().children().forEach(open::push);
        }
        return count;
    }

    /** {@return the snapshot as {@link #wire} tells it} */
    static StatusSnapshot fittingWire(StatusSnapshot snapshot) {
        return SnapshotFold.fold(snapshot, LIMITS.withMaxBytes(MOST_WIRE_BYTES));
    }

    /** Writes a page, whose contexts were chosen so that it fits. */
    static byte[] page(StatusPage page) {
        return bytes(StatusJson.write(page));
    }

    static byte[] json(ClusterStatus status) {
        return rowsAtLeast(status, Answers::whole);
    }

    /** Writes nodes with so many contexts of each at most. */
    static byte[] json(ClusterStatus status, int contexts) {
        return json(contexts < MOST_CONTEXTS ? folded(status, contexts) : status);
    }

    /** There may be so many nodes that not even their roots fit; then their rows are told without a status. */
    private static byte[] rowsAtLeast(ClusterStatus status, Function<ClusterStatus, byte[]> write) {
        byte[] written = fitted(status, MOST_BYTES, write);
        if (written.length > MOST_BYTES) {
            written = write.apply(rows(status));
        }
        if (written.length > MOST_BYTES) {
            throw tooLarge(status, written.length, MOST_BYTES);
        }
        return written;
    }

    private static byte[] whole(ClusterStatus fitting) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(FIRST_BYTES);
        StatusJson.write(fitting, out);
        return out.toByteArray();
    }

    /** Writes what is published to everybody each second at most, and so has as many bytes as what one node tells another. */
    static byte[] published(ClusterStatus status) {
        byte[] written = fitted(status, MOST_WIRE_BYTES, Answers::whole);
        if (written.length > MOST_WIRE_BYTES) {
            written = whole(rows(status));
        }
        if (written.length > MOST_WIRE_BYTES) {
            // Who consumes it may ask for the rest.
            written = whole(mapped(rows(status), node -> row(node, node.reason(), null)));
        }
        if (written.length > MOST_WIRE_BYTES) {
            written = whole(mapped(rows(status), node -> row(node, null, null)));
        }
        if (written.length > MOST_WIRE_BYTES) {
            throw tooLarge(status, written.length, MOST_WIRE_BYTES);
        }
        return written;
    }

    private static BadQueryException tooLarge(ClusterStatus status, int bytes, int mostBytes) {
        return new BadQueryException(
                BadQueryException.TOO_LARGE,
                "the rows of " + status.nodes().size() + " nodes have " + bytes + " bytes, and " + mostBytes
                        + " is the limit; ask for some of the nodes");
    }

    private static ClusterStatus rows(ClusterStatus status) {
        return mapped(
                status,
                node -> node.snapshot() == null
                        ? node
                        : row(node, node.reason() == null ? TOO_MANY : node.reason(), NodeSummary.of(node.snapshot())));
    }

    private static NodeStatus row(NodeStatus node, @Nullable String reason, @Nullable NodeSummary summary) {
        return new NodeStatus(node.node(), node.state(), node.age(), reason, summary, null);
    }

    private static ClusterStatus mapped(ClusterStatus status, UnaryOperator<NodeStatus> change) {
        return new ClusterStatus(
                status.timestamp(),
                status.answeredBy(),
                status.nodes().stream().map(change).toList());
    }

    static String text(StatusSnapshot snapshot, StatusQuery query) {
        byte[] drawn = fitted(
                countUpTo(snapshot, MOST_CONTEXTS),
                MOST_BYTES,
                contexts -> bytes(renderer(query).render(folded(snapshot, contexts))));
        return new String(drawn, StandardCharsets.UTF_8);
    }

    static String text(ClusterStatus status, StatusQuery query) {
        byte[] drawn = rowsAtLeast(status, folded -> bytes(renderer(query).render(folded)));
        return new String(drawn, StandardCharsets.UTF_8);
    }

    private static byte[] bytes(String json) {
        return json.getBytes(StandardCharsets.UTF_8);
    }

    static StatusRenderer renderer(StatusQuery query) {
        boolean coloured = query.format() == StatusQuery.Format.ANSI;
        StatusRenderer whole = coloured ? StatusRenderer.ansi(query.width()) : StatusRenderer.plain();
        return whole.maxTreeLines(query.lines());
    }

    /** Each node gets the same room, and what one does not need the others may have. */
    private static byte[] fitted(ClusterStatus status, int mostBytes, Function<ClusterStatus, byte[]> write) {
        int most = Math.max(1, MOST_CONTEXTS / Math.max(1, status.nodes().size()));
        int[] counts = status.nodes().stream()
                .mapToInt(node -> node.snapshot() == null ? 0 : countUpTo(node.snapshot(), most))
                .toArray();
        int each = room(counts, mostBytes / FEWEST_CONTEXT_BYTES);
        byte[] written = write.apply(folded(status, each));
        while (written.length > mostBytes && each > 1) {
            // Contexts differ in size, so what the size says about their number is a guess, taken a little low.
            long guess = (long) total(counts, each) * mostBytes / written.length * 9 / 10;
            each = Math.min(each - 1, room(counts, guess));
            written = write.apply(folded(status, each));
        }
        return written;
    }

    private static int total(int[] counts, int each) {
        int total = 0;
        for (int count : counts) {
            total += Math.min(count, each);
        }
        return total;
    }

    /** {@return how many contexts of each there may be at most, at least 1, so that together they are no more than so many} */
    private static int room(int[] counts, long contexts) {
        int[] smallestFirst = counts.clone();
        Arrays.sort(smallestFirst);
        long left = contexts;
        for (int i = 0; i < smallestFirst.length; i++) {
            long each = left / (smallestFirst.length - i);
            if (smallestFirst[i] > each) {
                return (int) Math.max(1, each);
            }
            left -= smallestFirst[i];
        }
        return smallestFirst.length == 0 ? 1 : Math.max(1, smallestFirst[smallestFirst.length - 1]);
    }

    private static byte[] fitted(int most, int mostBytes, IntFunction<byte[]> write) {
        int contexts = most;
        byte[] written = write.apply(contexts);
        while (written.length > mostBytes && contexts > 1) {
            // Contexts differ in size, so what the size says about their number is a guess, taken a little low.
            long guess = (long) contexts * mostBytes / written.length * 9 / 10;
            contexts = (int) Math.max(1, Math.min(guess, contexts - 1));
            written = write.apply(contexts);
        }
        return written;
    }

    private static StatusSnapshot folded(StatusSnapshot snapshot, int contexts) {
        return SnapshotView.folded(snapshot, SnapshotView.DEEPEST, contexts);
    }

    private static ClusterStatus folded(ClusterStatus status, int each) {
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
