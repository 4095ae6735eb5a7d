package com.fastn.status.stream;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.SnapshotFold;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What one reader of a stream was told, and may be told next.
 *
 * <p>Nothing waits here. A reader that is slow costs what it was told last, whatever happens meanwhile, and when it has
 * caught up it is told the difference to what is so then (rule D6). Not thread-safe.
 */
public final class Outbox {
    /** How many frames a reader may be behind. */
    public static final int CREDIT_FRAMES = 64;
    /** How many bytes a reader may be behind, one frame apart. */
    public static final int CREDIT_BYTES = 256 << 10;
    /** No frame is longer, so that it does not hold up what else goes between two nodes. */
    public static final int MOST_FRAME_BYTES = 256 << 10;

    /** How long a reason may be in a list of nodes that is longer than a frame. */
    private static final int LONGEST_REASON = 200;

    private static final SnapshotLimits LIMITS = new SnapshotLimits(30, 1_000, 8_192, MOST_FRAME_BYTES - 1_024);

    private final Ticker ticker;

    // Mutable state
    private final Map<String, StatusSnapshot> told = new HashMap<>();
    private final Map<String, StatusSnapshot> sources = new HashMap<>();
    private final Deque<Sent> unacknowledged = new ArrayDeque<>();
    private List<NodeStatus> toldRows = List.of();
    /** Of when they are. */
    private long toldNanos;

    /** When it was told. */
    private long listedNanos;

    private boolean toldNodes;
    /** Whether numbers of nodes are others than those that the reader knows. */
    private boolean owesNumbers;
    /** Who was told of last, when the reader's credits were used up: with whoever comes after it is gone on. */
    private @Nullable String toldLast;

    private long epoch = 1;
    private long sequence;
    private int unacknowledgedBytes;

    /** Makes an outbox of a reader who was told nothing. */
    public Outbox() {
        this(Ticker.system());
    }

    /**
     * Makes an outbox of a reader who was told nothing.
     *
     * @param ticker the clock by which nodes that are silent get older
     */
    public Outbox(Ticker ticker) {
        this.ticker = ticker;
    }

    /** {@return how often the stream began, from 1} */
    public long epoch() {
        return epoch;
    }

    /**
     * Takes note of what the reader has.
     *
     * @param ofEpoch the epoch it means
     * @param upTo the number of the last frame that it has
     */
    public void acknowledge(long ofEpoch, long upTo) {
        if (ofEpoch != epoch) {
            return;
        }
        while (!unacknowledged.isEmpty() && unacknowledged.peekFirst().sequence() <= upTo) {
            unacknowledgedBytes -= unacknowledged.removeFirst().bytes();
        }
    }

    /** Begins anew: the reader missed something, and what is on its way to it is of no use. */
    public void restart() {
        epoch++;
        sequence = 0;
        told.clear();
        sources.clear();
        toldRows = List.of();
        toldNodes = false;
        owesNumbers = false;
        toldLast = null;
        unacknowledged.clear();
        unacknowledgedBytes = 0;
    }

    /**
     * Tells what is new.
     *
     * @param now what is so
     * @return frames, in their order; none when nothing is new, or when the reader is so far behind that it must catch up
     */
    public List<StreamFrame> tell(ClusterStatus now) {
        return tell(now, ticker.nanos());
    }

    /**
     * Tells what is new.
     *
     * @param now what is so, or was so a while ago and nothing else is known yet
     * @param asOfNanos of when that is
     * @return frames, in their order; none when nothing is new, or when the reader is so far behind that it must catch up
     */
    public List<StreamFrame> tell(ClusterStatus now, long asOfNanos) {
        List<StreamFrame> frames = new ArrayList<>();
        List<NodeStatus> nodes = now.nodes();
        takeBackFromConflicts(now, asOfNanos, frames);
        if (isListDue(nodes, asOfNanos) && hasCredit()) {
            list(now, nodes, asOfNanos, frames);
            toldNodes = true;
        }
        owesNumbers = toldNodes && !sameRows(nodes, asOfNanos);
        boolean knowsRows = knowsRows(nodes, asOfNanos);
        int begun = afterToldLast(nodes);
        if (!tell(nodes.subList(begun, nodes.size()), knowsRows, frames)) {
            return frames;
        }
        int round = frames.size();
        if (!tell(nodes.subList(0, begun), knowsRows, frames)) {
            // They change faster than the reader reads; what it has is of all of them, and is shown.
            if (round > 0 && knowsRows && nodes.stream().allMatch(this::isKnown)) {
                markLast(frames, round - 1);
            }
            return frames;
        }
        if (!knowsRows) {
            return frames;
        }
        toldLast = null;
        if (!frames.isEmpty()) {
            markLast(frames, frames.size() - 1);
        }
        return frames;
    }

    /** Where the credits were used up before, so that the last nodes are told of however fast the first ones change. */
    private int afterToldLast(List<NodeStatus> nodes) {
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).node().incarnation().equals(toldLast)) {
                return i + 1;
            }
        }
        return 0;
    }

    /** {@return whether there was credit for all of them} */
    private boolean tell(List<NodeStatus> nodes, boolean knowsRows, List<StreamFrame> frames) {
        for (NodeStatus node : nodes) {
            String incarnation = node.node().incarnation();
            StatusSnapshot snapshot = node.snapshot();
            if (snapshot == null) {
                if (knowsRows && node.state() == NodeState.UP) {
                    // The reader has dropped it too, so the next one has no base.
                    told.remove(incarnation);
                    sources.remove(incarnation);
                }
                continue;
            }
            if (isTold(snapshot)) {
                continue;
            }
            if (!toldNodes || !hasCredit()) {
                return false;
            }
            frames.add(frame(incarnation, snapshot));
            toldLast = incarnation;
        }
        return true;
    }

    /**
     * A node in conflict has a reason whether it has a status or not, so the reader cannot see that this is gone. It is told of
     * a cluster without that node first, which is never shown.
     */
    private void takeBackFromConflicts(ClusterStatus now, long asOfNanos, List<StreamFrame> frames) {
        Set<String> gone = now.nodes().stream()
                .filter(node -> node.state() == NodeState.CONFLICT && node.snapshot() == null)
                .map(node -> node.node().incarnation())
                .filter(told::containsKey)
                .collect(Collectors.toSet());
        if (!gone.isEmpty() && hasCredit()) {
            List<NodeStatus> others = now.nodes().stream()
                    .filter(row -> !gone.contains(row.node().incarnation()))
                    .toList();
            list(now, others, asOfNanos, frames);
        }
    }

    /** The reader drops what it knows of all others. */
    private void list(ClusterStatus now, List<NodeStatus> nodes, long asOfNanos, List<StreamFrame> frames) {
        toldRows = nodes.stream().map(Outbox::bare).toList();
        toldNanos = asOfNanos;
        listedNanos = ticker.nanos();
        Set<String> there =
                nodes.stream().map(node -> node.node().incarnation()).collect(Collectors.toSet());
        told.keySet().retainAll(there);
        sources.keySet().retainAll(there);
        // It may have waited here until the reader had caught up.
        List<NodeStatus> rows = Silence.later(toldRows, Duration.ofNanos(Math.max(0, ticker.nanos() - asOfNanos)));
        List<String> parts = new ArrayList<>();
        String whole = StatusJson.write(new ClusterStatus(now.timestamp(), now.answeredBy(), rows));
        if (isShort(whole)) {
            parts.add(whole);
        } else {
            cut(now, rows.stream().map(Outbox::shortened).toList(), parts);
        }
        for (int i = 0; i < parts.size(); i++) {
            boolean end = i == parts.size() - 1;
            frames.add(frame(end ? StreamFrame.Content.NODES : StreamFrame.Content.SOME_NODES, parts.get(i)));
        }
    }

    private static boolean isShort(String json) {
        return json.length() <= MOST_FRAME_BYTES && json.getBytes(StandardCharsets.UTF_8).length <= MOST_FRAME_BYTES;
    }

    private static void cut(ClusterStatus now, List<NodeStatus> rows, List<String> parts) {
        String json = StatusJson.write(new ClusterStatus(now.timestamp(), now.answeredBy(), rows));
        if (rows.size() <= 1 || isShort(json)) {
            parts.add(json);
            return;
        }
        cut(now, rows.subList(0, rows.size() / 2), parts);
        cut(now, rows.subList(rows.size() / 2, rows.size()), parts);
    }

    private static NodeStatus shortened(NodeStatus row) {
        String reason = row.reason();
        if (reason == null || reason.length() <= LONGEST_REASON) {
            return row;
        }
        int end =
                Character.isHighSurrogate(reason.charAt(LONGEST_REASON - 3)) ? LONGEST_REASON - 3 : LONGEST_REASON - 2;
        return new NodeStatus(
                row.node(), row.state(), row.age(), reason.substring(0, end) + "..", row.summary(), row.snapshot());
    }

    private boolean isKnown(NodeStatus node) {
        return node.snapshot() == null || told.containsKey(node.node().incarnation());
    }

    private static void markLast(List<StreamFrame> frames, int index) {
        StreamFrame end = frames.get(index);
        frames.set(index, new StreamFrame(end.epoch(), end.sequence(), end.content(), true, end.body()));
    }

    /** {@return whether the reader is so far behind that it is told nothing until it has caught up} */
    public boolean isHeldUp() {
        return !hasCredit();
    }

    /** By identity: to compare two trees would cost as much as to tell the difference. */
    @SuppressWarnings("ReferenceEquality")
    private boolean isTold(StatusSnapshot snapshot) {
        return snapshot == sources.get(snapshot.node().incarnation());
    }

    private StreamFrame frame(String incarnation, StatusSnapshot snapshot) {
        StatusSnapshot folded = SnapshotFold.fold(snapshot, LIMITS);
        StatusSnapshot base = told.put(incarnation, folded);
        sources.put(incarnation, snapshot);
        if (base != null) {
            String delta = delta(base, folded);
            if (delta != null) {
                return frame(StreamFrame.Content.DELTA, delta);
            }
        }
        return frame(StreamFrame.Content.FULL, StatusJson.write(folded));
    }

    /** A delta that is no shorter than the whole is none. */
    private static @Nullable String delta(StatusSnapshot base, StatusSnapshot later) {
        try {
            String delta = StatusJson.write(SnapshotDelta.between(base, later));
            return delta.length() < MOST_FRAME_BYTES / 4 ? delta : null;
        } catch (IllegalArgumentException e) {
            // Another node under this incarnation, or ids that are there twice: what was told is no base for it.
            return null;
        }
    }

    private StreamFrame frame(StreamFrame.Content content, String json) {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        sequence++;
        unacknowledged.addLast(new Sent(sequence, body.length));
        unacknowledgedBytes += body.length;
        return new StreamFrame(epoch, sequence, content, false, body);
    }

    private boolean hasCredit() {
        return unacknowledged.size() < CREDIT_FRAMES && unacknowledgedBytes < CREDIT_BYTES;
    }

    private boolean isListDue(List<NodeStatus> nodes, long asOfNanos) {
        return !knowsRows(nodes, asOfNanos) || (mayTellNumbers() && !sameRows(nodes, asOfNanos));
    }

    /** Not before all trees are told: where the reader is behind, numbers alone would take their place. */
    private boolean mayTellNumbers() {
        return toldLast == null && ticker.nanos() - listedNanos >= Silence.NUMBERS_PACE.toNanos();
    }

    /** {@return whether it is time to tell numbers of nodes that were new when something was told last, and were left out} */
    public boolean hasNumbersToTell() {
        return owesNumbers && mayTellNumbers() && hasCredit();
    }

    private boolean knowsRows(List<NodeStatus> nodes, long asOfNanos) {
        return toldNodes && Silence.tellTheSameButNumbers(nodes, toldRows, Duration.ofNanos(asOfNanos - toldNanos));
    }

    private boolean sameRows(List<NodeStatus> nodes, long asOfNanos) {
        return Silence.tellTheSame(nodes, toldRows, Duration.ofNanos(asOfNanos - toldNanos));
    }

    private static NodeStatus bare(NodeStatus node) {
        return new NodeStatus(
                node.node(),
                node.state(),
                Duration.ofMillis(node.age().toMillis()),
                node.reason(),
                node.summary(),
                null);
    }

    private record Sent(long sequence, int bytes) {}
}
