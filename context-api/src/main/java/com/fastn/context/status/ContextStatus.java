package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One context at the moment of a snapshot, with its children.
 *
 * @param id the context's number in its runtime; siblings may share a name, never an id
 * @param name the context's name
 * @param label the name for people, by default the name
 * @param path the names from the root down
 * @param kind what the context stands for
 * @param state where it is in its life
 * @param cancelReason why it was asked to stop, or {@code null} when it was not
 * @param trouble why it is worth a look, or {@code null} when nothing is known
 * @param duration since it was created
 * @param lastActivity since its last sign of life; for the root of a tree, since the last one of anything in it
 * @param activity what the last sign of life was, such as {@code request}, or {@code null}
 * @param onThread whether it was known to run on a thread at this moment
 * @param caller the known caller elsewhere, or {@code null}
 * @param operations what it is inside of, the innermost last
 * @param metrics values shown in its row, in the order of their first setting
 * @param data values stored on it (String, Number, Boolean, null, List, Map), in the order of their first setting
 * @param totalCounters what its path counted, including contexts of the same path that ended
 * @param liveCounters what its path counts as going on
 * @param subtreeTotalCounters the same for its path and all paths below it
 * @param subtreeLiveCounters the same for its path and all paths below it
 * @param children the open children, the oldest first
 * @param foldedChildren what this snapshot leaves out below it
 */
public record ContextStatus(
        long id,
        String name,
        String label,
        ContextPath path,
        ContextKind kind,
        ContextState state,
        @Nullable CancelReason cancelReason,
        @Nullable ContextTrouble trouble,
        Duration duration,
        Duration lastActivity,
        @Nullable String activity,
        boolean onThread,
        @Nullable CallerLink caller,
        List<OperationStatus> operations,
        Map<String, MetricValue> metrics,
        Map<String, @Nullable Object> data,
        Map<String, Long> totalCounters,
        Map<String, Long> liveCounters,
        Map<String, Long> subtreeTotalCounters,
        Map<String, Long> subtreeLiveCounters,
        List<ContextStatus> children,
        FoldedChildren foldedChildren) {

    /** Copies the collections, keeping their order. */
    public ContextStatus {
        requireNonNull(name, "name");
        requireNonNull(label, "label");
        requireNonNull(path, "path");
        requireNonNull(kind, "kind");
        requireNonNull(state, "state");
        requireNonNull(duration, "duration");
        requireNonNull(lastActivity, "lastActivity");
        operations = List.copyOf(operations);
        metrics = ordered(metrics);
        data = ordered(data);
        totalCounters = ordered(totalCounters);
        liveCounters = ordered(liveCounters);
        subtreeTotalCounters = ordered(subtreeTotalCounters);
        subtreeLiveCounters = ordered(subtreeLiveCounters);
        children = List.copyOf(children);
        requireNonNull(foldedChildren, "foldedChildren");
    }

    /** {@return whether it was asked to stop} */
    public boolean isCancelled() {
        return cancelReason != null;
    }

    /**
     * Makes a copy with other children.
     *
     * @param shown the children that the copy has
     * @param folded what else there is
     * @return the copy
     */
    public ContextStatus withChildren(List<ContextStatus> shown, FoldedChildren folded) {
        return copy(Duration.ZERO, operations, true, trouble, shown, folded);
    }

    /**
     * Makes a copy with other data.
     *
     * @param values the values that the copy has
     * @return the copy
     */
    public ContextStatus withData(Map<String, @Nullable Object> values) {
        return new ContextStatus(
                id,
                name,
                label,
                path,
                kind,
                state,
                cancelReason,
                trouble,
                duration,
                lastActivity,
                activity,
                onThread,
                caller,
                operations,
                metrics,
                values,
                totalCounters,
                liveCounters,
                subtreeTotalCounters,
                subtreeLiveCounters,
                children,
                foldedChildren);
    }

    /** Makes a copy as it is after some time in which nothing happened. */
    ContextStatus aged(Duration elapsed) {
        List<OperationStatus> older = operations.isEmpty()
                ? operations
                : operations.stream().map(o -> o.aged(elapsed)).toList();
        return copy(elapsed, older, true, trouble, children, foldedChildren.aged(elapsed));
    }

    /** Makes a copy that says who the context is and what it is innermost inside of, for one whose values are too many. */
    ContextStatus withoutDetails() {
        List<OperationStatus> innermost = operations.subList(Math.max(0, operations.size() - 1), operations.size());
        return copy(Duration.ZERO, innermost, false, trouble, children, foldedChildren);
    }

    /** Makes a copy that tells why it is worth a look. */
    ContextStatus withTrouble(@Nullable ContextTrouble why) {
        return why == trouble ? this : copy(Duration.ZERO, operations, true, why, children, foldedChildren);
    }

    private ContextStatus copy(
            Duration older,
            List<OperationStatus> inside,
            boolean details,
            @Nullable ContextTrouble worst,
            List<ContextStatus> below,
            FoldedChildren folded) {
        return new ContextStatus(
                id,
                name,
                label,
                path,
                kind,
                state,
                cancelReason,
                worst,
                duration.plus(older),
                lastActivity.plus(older),
                activity,
                onThread,
                caller,
                inside,
                details ? metrics : Map.of(),
                details ? data : Map.of(),
                details ? totalCounters : Map.of(),
                details ? liveCounters : Map.of(),
                details ? subtreeTotalCounters : Map.of(),
                details ? subtreeLiveCounters : Map.of(),
                below,
                folded);
    }

    private static <V extends @Nullable Object> Map<String, V> ordered(Map<String, V> map) {
        return map.isEmpty() ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }

    /**
     * Compares without recursion, as a tree may be deep (rule C6).
     *
     * @param other what to compare with
     * @return whether it says the same, with the same below it
     */
    @Override
    public boolean equals(@Nullable Object other) {
        if (this == other) {
            return true;
        }
        if (!(other instanceof ContextStatus status)) {
            return false;
        }
        ArrayDeque<ContextStatus> mine = new ArrayDeque<>();
        ArrayDeque<ContextStatus> theirs = new ArrayDeque<>();
        mine.push(this);
        theirs.push(status);
        while (!mine.isEmpty()) {
            ContextStatus one = mine.pop();
            ContextStatus two = theirs.pop();
            if (one != two) {
                if (!one.equalsAlone(two)) {
                    return false;
                }
                one.children.forEach(mine::push);
                two.children.forEach(theirs::push);
            }
        }
        return true;
    }

    private boolean equalsAlone(ContextStatus other) {
        return id == other.id
                && onThread == other.onThread
                && kind == other.kind
                && state == other.state
                && trouble == other.trouble
                && children.size() == other.children.size()
                && name.equals(other.name)
                && label.equals(other.label)
                && path.equals(other.path)
                && Objects.equals(cancelReason, other.cancelReason)
                && duration.equals(other.duration)
                && lastActivity.equals(other.lastActivity)
                && Objects.equals(activity, other.activity)
                && Objects.equals(caller, other.caller)
                && operations.equals(other.operations)
                && metrics.equals(other.metrics)
                && data.equals(other.data)
                && totalCounters.equals(other.totalCounters)
                && liveCounters.equals(other.liveCounters)
                && subtreeTotalCounters.equals(other.subtreeTotalCounters)
                && subtreeLiveCounters.equals(other.subtreeLiveCounters)
                && foldedChildren.equals(other.foldedChildren);
    }

    /** {@return a hash of who it is and who is below it} */
    @Override
    public int hashCode() {
        int hash = 0;
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.push(this);
        while (!open.isEmpty()) {
            ContextStatus at = open.pop();
            hash = 31 * (31 * (31 * hash + Long.hashCode(at.id)) + at.name.hashCode()) + at.duration.hashCode();
            at.children.forEach(open::push);
        }
        return hash;
    }

    /** {@return all that it says, with all below it, whose paths follow from their names} */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        ArrayDeque<Iterator<ContextStatus>> rest = new ArrayDeque<>();
        open.push(this);
        rest.push(begin(text, "path=" + path));
        while (!open.isEmpty()) {
            Iterator<ContextStatus> children = rest.element();
            if (children.hasNext()) {
                ContextStatus child = children.next();
                open.push(child);
                rest.push(child.begin(text, "name=" + child.name));
            } else {
                rest.pop();
                text.append("], foldedChildren=")
                        .append(open.pop().foldedChildren)
                        .append(']');
                text.append(!rest.isEmpty() && rest.element().hasNext() ? ", " : "");
            }
        }
        return text.toString();
    }

    private Iterator<ContextStatus> begin(StringBuilder text, String who) {
        text.append("ContextStatus[id=%d, %s, label=%s, kind=%s, state=%s, cancelReason=%s, trouble=%s, "
                .formatted(id, who, label, kind, state, cancelReason, trouble));
        text.append(
                "duration=%s, lastActivity=%s, activity=%s, onThread=%s, caller=%s, operations=%s, metrics=%s, data=%s, "
                        .formatted(duration, lastActivity, activity, onThread, caller, operations, metrics, data));
        text.append("totalCounters=%s, liveCounters=%s, subtreeTotalCounters=%s, subtreeLiveCounters=%s, children=["
                .formatted(totalCounters, liveCounters, subtreeTotalCounters, subtreeLiveCounters));
        return children.iterator();
    }

    /** Tells all but the path, the children and what is folded. */
    void tell(RowSink sink) {
        sink.row(
                id,
                name,
                label,
                kind,
                state,
                cancelReason,
                trouble,
                JsonLimits.nanos(duration),
                JsonLimits.nanos(lastActivity),
                activity,
                onThread,
                caller,
                operations,
                metrics,
                data,
                totalCounters,
                liveCounters,
                subtreeTotalCounters,
                subtreeLiveCounters);
    }
}
