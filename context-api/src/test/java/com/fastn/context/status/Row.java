package com.fastn.context.status;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A context status under construction, with the least that a test must say. */
final class Row {
    private final long id;
    private final String name;
    private final ContextKind kind;
    private final List<Row> children = new ArrayList<>();
    private final List<OperationStatus> operations = new ArrayList<>();
    private final Map<String, MetricValue> metrics = new LinkedHashMap<>();
    private final Map<String, @Nullable Object> data = new LinkedHashMap<>();
    private final Map<String, Long> totals = new LinkedHashMap<>();
    private final Map<String, Long> lives = new LinkedHashMap<>();
    private final Map<String, Long> subtreeTotals = new LinkedHashMap<>();
    private final Map<String, Long> subtreeLives = new LinkedHashMap<>();
    private String label;
    private Duration age = Duration.ZERO;
    private Duration since = Duration.ZERO;
    private @Nullable String verb;
    private boolean onThread;
    private @Nullable CancelReason reason;
    private @Nullable ContextTrouble trouble;
    private ContextState state = ContextState.ACTIVE;
    private @Nullable CallerLink caller;
    private FoldedChildren folded = FoldedChildren.NONE;

    Row(long id, String name, ContextKind kind) {
        this.id = id;
        this.name = name;
        this.label = name;
        this.kind = kind;
    }

    /** {@return the length of time written as in {@code 2h 15m 32s} or {@code 12.3s}} */
    static Duration time(String text) {
        Duration time = Duration.ZERO;
        for (String part : text.split(" ", -1)) {
            double number = Double.parseDouble(part.substring(0, part.length() - 1));
            long unit = switch (part.charAt(part.length() - 1)) {
                case 'd' -> 86_400_000;
                case 'h' -> 3_600_000;
                case 'm' -> 60_000;
                default -> 1_000;
            };
            time = time.plusMillis(Math.round(number * unit));
        }
        return time;
    }

    Row label(String text) {
        label = text;
        return this;
    }

    Row age(String text) {
        age = time(text);
        return this;
    }

    Row active(String text) {
        since = time(text);
        return this;
    }

    Row active(String what, String text) {
        verb = what;
        return active(text);
    }

    Row onThread() {
        onThread = true;
        return this;
    }

    Row note(String text) {
        return data("note", text);
    }

    Row data(String key, @Nullable Object value) {
        data.put(key, value);
        return this;
    }

    Row metric(String key, MetricValue value) {
        metrics.put(key, value);
        return this;
    }

    Row total(String key, long value) {
        totals.put(key, value);
        return this;
    }

    Row live(String key, long value) {
        lives.put(key, value);
        return this;
    }

    Row below(String key, long total, long live) {
        subtreeTotals.put(key, total);
        subtreeLives.put(key, live);
        return this;
    }

    Row inside(String operation, String elapsed, boolean stuck) {
        operations.add(new OperationStatus(operation, time(elapsed), stuck));
        return this;
    }

    Row cancelled(String message) {
        reason = new CancelReason(CancelReason.Kind.REQUESTED, message, "global");
        return this;
    }

    Row trouble(ContextTrouble why) {
        trouble = why;
        return this;
    }

    Row state(ContextState now) {
        state = now;
        return this;
    }

    Row calledBy(String path, long contextId, String node) {
        caller = new CallerLink(node, "1-a", contextId, path);
        return this;
    }

    /** The same of a message that nobody has to reply to. */
    Row sentBy(String path, long contextId, String node) {
        caller = new CallerLink(node, "1-a", contextId, path, false);
        return this;
    }

    Row folded(long more) {
        folded = FoldedChildren.of(more);
        return this;
    }

    Row folded(long count, long contexts, String oldest, long stuck) {
        folded = new FoldedChildren(count, contexts, time(oldest), stuck);
        return this;
    }

    Row with(Row... more) {
        children.addAll(List.of(more));
        return this;
    }

    ContextStatus status() {
        return status(null);
    }

    private ContextStatus status(@Nullable ContextPath parent) {
        ContextPath path = parent == null ? ContextPath.of(name) : parent.child(name);
        List<ContextStatus> built = new ArrayList<>();
        children.forEach(child -> built.add(child.status(path)));
        return new ContextStatus(
                id,
                name,
                label,
                path,
                kind,
                state,
                reason,
                trouble,
                age,
                since,
                verb,
                onThread,
                caller,
                operations,
                metrics,
                data,
                totals,
                lives,
                subtreeTotals,
                subtreeLives,
                built,
                folded);
    }
}
