package com.fastn.status.stream;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.SnapshotDelta;
import com.fastn.context.status.StatusFormatException;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a reader knows by a stream.
 *
 * <p>It takes the frames of an epoch one by one, leaves out what it has seen, and believes nothing any more after a hole or
 * a frame that makes no sense, until the stream begins anew (rules D1, D2, S15). What it knew stays readable meanwhile. Not
 * thread-safe.
 */
public final class Inbox {
    /** Why nothing is shown of who wants a newer reader. */
    public static final String OUTDATED = "it speaks a newer schema: upgrade needed on this side";

    private static final StatusJson.ReadLimits LIMITS =
            StatusJson.ReadLimits.DEFAULT.withMaxLength(Outbox.MOST_FRAME_BYTES);
    /** How many nodes a stream of the whole cluster may have. */
    public static final int MOST_NODES = 2_000;

    /** What many small deltas may add up to; a node of ours tells fewer. */
    private static final int MOST_CONTEXTS = 20_000;
    /** What the status of a node may have, written down; a node of ours writes no more than a frame has room for. */
    private static final int MOST_NODE_BYTES = 2 * Outbox.MOST_FRAME_BYTES;

    private static final int VAGUE_BYTES = 16 << 10;

    /** What a list of nodes may have that comes in several frames. */
    private static final int MOST_LIST_BYTES = 16 * Outbox.MOST_FRAME_BYTES;

    private final int mostNodes;
    private final Ticker ticker;

    // Mutable state
    /** Of a list of nodes that comes in several frames, what has come. */
    private final List<NodeStatus> someNodes = new ArrayList<>();

    private int someNodesBytes;
    private final Map<String, StatusSnapshot> snapshots = new HashMap<>();
    private final Map<String, Size> sizes = new HashMap<>();

    private @Nullable ClusterStatus nodes;
    /** When the list of the nodes came: who is silent in it gets older here. */
    private long nodesNanos;

    /** The last time that the writer told, by its clock, which may have been set. */
    private Instant timestamp = Instant.EPOCH;
    /** Whether more is told that is of the same time as that. */
    private boolean sameTime;

    private @Nullable ClusterStatus view;
    private long epoch;
    private long sequence;
    private long gaps;
    private boolean broken;
    /** Whether the last frame that was taken was the last of what was to be told. */
    private boolean whole;
    /** Whether a frame of this epoch wants a newer reader. */
    private boolean outdated;

    private String reason = "";

    /** Makes an inbox that knows nothing, for a stream of the whole cluster. */
    public Inbox() {
        this(MOST_NODES);
    }

    /**
     * Makes an inbox that knows nothing.
     *
     * @param mostNodes how many nodes the stream may have
     */
    public Inbox(int mostNodes) {
        this(mostNodes, Ticker.system());
    }

    /**
     * Makes an inbox that knows nothing.
     *
     * @param mostNodes how many nodes the stream may have
     * @param ticker the clock by which nodes that are silent get older
     */
    public Inbox(int mostNodes, Ticker ticker) {
        this.mostNodes = mostNodes;
        this.ticker = ticker;
    }

    /** What became of a frame. */
    public enum Outcome {
        /** It was taken, and more is to come before the whole is known. */
        TAKEN,
        /** It was taken, and {@link #view} is new; it is {@code null} where the list of the nodes itself wants a newer reader. */
        COMPLETE,
        /** It was known already, or is of a former epoch. */
        OLD,
        /** Something is missing or makes no sense: ask for a new beginning. */
        GAP
    }

    /**
     * Takes a frame from whoever sent it.
     *
     * @param frame the frame
     * @return what became of it
     */
    public Outcome take(StreamFrame frame) {
        if (frame.epoch() < epoch || (frame.epoch() == epoch && frame.sequence() <= sequence)) {
            return Outcome.OLD;
        }
        if (frame.epoch() > epoch && frame.sequence() == 1) {
            epoch = frame.epoch();
            sequence = 0;
            broken = false;
            whole = false;
            outdated = false;
            snapshots.clear();
            sizes.clear();
            nodes = null;
            sameTime = false;
            forgetSomeNodes();
        }
        if (broken || frame.epoch() != epoch || frame.sequence() != sequence + 1) {
            return gap("frame " + frame.sequence() + " of epoch " + frame.epoch() + " came after frame " + sequence
                    + " of epoch " + epoch);
        }
        try {
            read(frame);
        } catch (StatusFormatException e) {
            if (e.kind() != StatusFormatException.Kind.UPGRADE_NEEDED) {
                return gap(String.valueOf(e.getMessage()));
            }
            // To begin anew would not help; the others of the stream may be readable (rule D9).
            outdated = true;
        } catch (IllegalArgumentException e) {
            return gap(String.valueOf(e.getMessage()));
        }
        sequence = frame.sequence();
        whole = frame.last();
        if (!whole) {
            return Outcome.TAKEN;
        }
        view = sum();
        sameTime = false;
        return Outcome.COMPLETE;
    }

    /**
     * Hears from the writer how far it is. A frame that was the last for a while leaves no hole that a later one would show;
     * by this it is missed all the same.
     *
     * @param sentEpoch the epoch of the last frame that was sent, long enough ago to have come
     * @param sent the number of that frame
     * @return whether something is missing
     */
    public boolean expect(long sentEpoch, long sent) {
        if (sentEpoch < epoch || (sentEpoch == epoch && sent <= sequence)) {
            return false;
        }
        var unused = gap("frame " + sent + " of epoch " + sentEpoch + " was sent and did not come, and frame "
                + sequence + " of epoch " + epoch + " was the last");
        return true;
    }

    private Outcome gap(String why) {
        if (!broken) {
            gaps++;
            reason = why;
        }
        broken = true;
        return Outcome.GAP;
    }

    private void read(StreamFrame frame) {
        if (frame.body().length > Outbox.MOST_FRAME_BYTES) {
            throw new IllegalArgumentException(
                    "a frame has " + frame.body().length + " bytes, and " + Outbox.MOST_FRAME_BYTES + " is the limit");
        }
        switch (frame.content()) {
            case SOME_NODES -> {
                someNodesBytes += frame.body().length;
                if (someNodesBytes > MOST_LIST_BYTES) {
                    throw new IllegalArgumentException(
                            "a list of nodes of more than " + MOST_LIST_BYTES + " bytes, which is the limit");
                }
                someNodes.addAll(nodes(frame).nodes());
            }
            case NODES -> {
                ClusterStatus told = nodes(frame);
                if (!someNodes.isEmpty()) {
                    someNodes.addAll(told.nodes());
                    told = new ClusterStatus(told.timestamp(), told.answeredBy(), someNodes);
                    forgetSomeNodes();
                }
                nodes = told;
                nodesNanos = ticker.nanos();
                tookAt(told.timestamp());
                snapshots.keySet().retainAll(incarnations(told));
                for (NodeStatus row : told.nodes()) {
                    if (row.state() == NodeState.UP && row.reason() != null) {
                        // It lives, and has no status to tell, such as of a part of its tree that is gone.
                        snapshots.remove(row.node().incarnation());
                    }
                }
                sizes.keySet().retainAll(snapshots.keySet());
            }
            case FULL -> keep(StatusJson.readSnapshot(frame.body(), LIMITS), new Size(frame.body().length, 0));
            case DELTA -> {
                SnapshotDelta delta = StatusJson.readDelta(frame.body(), LIMITS);
                StatusSnapshot base = snapshots.get(delta.node().incarnation());
                if (base == null) {
                    throw new IllegalArgumentException(
                            "a delta of \"" + delta.node().alias() + "\" without its base");
                }
                Size before = sizes.getOrDefault(delta.node().incarnation(), Size.NOTHING);
                keep(delta.apply(base), before.plus(frame.body().length));
            }
            case OTHER -> {}
        }
    }

    private ClusterStatus nodes(StreamFrame frame) {
        ClusterStatus told = StatusJson.readCluster(frame.body(), LIMITS);
        int count = someNodes.size() + told.nodes().size();
        if (count > mostNodes) {
            throw new IllegalArgumentException("a stream of " + count + " nodes, and " + mostNodes + " is the limit");
        }
        return told;
    }

    private void forgetSomeNodes() {
        someNodes.clear();
        someNodesBytes = 0;
    }

    /** Of what is told together the latest; what is told later is later, whatever its clock says. */
    private void tookAt(Instant time) {
        if (!sameTime || time.isAfter(timestamp)) {
            timestamp = time;
        }
        sameTime = true;
    }

    private void keep(StatusSnapshot snapshot, Size size) {
        if (nodes == null && outdated) {
            return;
        }
        NodeIdentity node = snapshot.node();
        if (nodes == null || nodes.nodes().stream().noneMatch(row -> row.node().equals(node))) {
            throw new IllegalArgumentException("a status of \"" + node.alias() + "\", which is no node of the stream");
        }
        if (!isSmall(snapshot)) {
            throw new IllegalArgumentException("more than " + MOST_CONTEXTS + " contexts of \"" + node.alias() + '"');
        }
        Size has = size;
        if (has.isVague()) {
            has = new Size(StatusJson.write(snapshot).length(), 0);
            if (has.known() > MOST_NODE_BYTES) {
                throw new IllegalArgumentException("the status of \"" + node.alias() + "\" has grown to " + has.known()
                        + " bytes, and " + MOST_NODE_BYTES + " is the limit");
            }
        }
        snapshots.put(node.incarnation(), snapshot);
        sizes.put(node.incarnation(), has);
        if (node.alias().equals(nodes.answeredBy())) {
            tookAt(snapshot.timestamp());
        }
    }

    /**
     * What the status of a node has, written down.
     *
     * @param known what it had when that was known
     * @param more what came since; some of it may have taken away
     */
    private record Size(int known, int more) {
        static final Size NOTHING = new Size(0, 0);

        Size plus(int bytes) {
            return new Size(known, more + bytes);
        }

        /** {@return whether it is time to measure} Each time so many bytes had to come first that this is not too often. */
        boolean isVague() {
            return more > Math.min(known + VAGUE_BYTES, MOST_NODE_BYTES / 2);
        }

        int most() {
            return known + more;
        }
    }

    /** Of a few bytes each a tree may have too many contexts. */
    private static boolean isSmall(StatusSnapshot snapshot) {
        int count = 0;
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.push(snapshot.globalContext());
        while (!open.isEmpty()) {
            if (++count > MOST_CONTEXTS) {
                return false;
            }
            open.pop().children().forEach(open::push);
        }
        return snapshot.activeLocks().size() <= MOST_CONTEXTS
                && snapshot.lockWaiters().size() <= MOST_CONTEXTS
                && snapshot.warnings().size() <= MOST_CONTEXTS;
    }

    private @Nullable ClusterStatus sum() {
        if (nodes == null) {
            return null;
        }
        List<NodeStatus> rows = new ArrayList<>();
        for (NodeStatus row : Silence.later(nodes.nodes(), Duration.ofNanos(ticker.nanos() - nodesNanos))) {
            // A node that does not answer any more is shown by its last summary, not by what it was doing then.
            boolean speaks = row.state() == NodeState.UP || row.state() == NodeState.CONFLICT;
            StatusSnapshot snapshot = speaks ? snapshots.get(row.node().incarnation()) : null;
            NodeSummary summary =
                    snapshot != null && Silence.countsItself(snapshot) ? NodeSummary.of(snapshot) : row.summary();
            boolean unread = outdated && speaks && snapshot == null && row.reason() == null;
            rows.add(new NodeStatus(
                    row.node(), row.state(), row.age(), unread ? OUTDATED : row.reason(), summary, snapshot));
        }
        return new ClusterStatus(timestamp, nodes.answeredBy(), rows);
    }

    private static Set<String> incarnations(ClusterStatus status) {
        return status.nodes().stream().map(row -> row.node().incarnation()).collect(Collectors.toSet());
    }

    /** {@return what is known, or {@code null} before the first whole, and where the list of the nodes cannot be read} */
    public @Nullable ClusterStatus view() {
        return view;
    }

    /** {@return the epoch of the last frame that was taken, 0 before the first} */
    public long epoch() {
        return epoch;
    }

    /** {@return the number of the last frame that was taken} */
    public long sequence() {
        return sequence;
    }

    /** {@return whether the {@link #view} is that of the last frame that was taken, and not of one before} */
    public boolean isWhole() {
        return whole;
    }

    /** {@return what the statuses that it holds have at most, written down; the {@link #view} may be of former ones} */
    public long heldBytes() {
        long all = 0;
        for (Size size : sizes.values()) {
            all += size.most();
        }
        return all;
    }

    /** {@return whether something of this epoch was not read, because it wants a newer reader} */
    public boolean isOutdated() {
        return outdated;
    }

    /** {@return how often something was missing} */
    public long gaps() {
        return gaps;
    }

    /** {@return whether nothing is believed until the stream begins anew} */
    public boolean isBroken() {
        return broken;
    }

    /** {@return what was wrong the last time, for the log; empty when nothing was} */
    public String reason() {
        return reason;
    }
}
