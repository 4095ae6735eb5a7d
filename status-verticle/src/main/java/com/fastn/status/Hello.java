package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeSummary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a node tells all others about itself, again and again.
 *
 * @param node who it is
 * @param bootedMillis when it started, by its own wall clock; only compared between lives of one alias
 * @param kind why it speaks
 * @param summary itself in four numbers, or {@code null} when it did not count
 * @param publishes whether it publishes the status of the cluster, if it comes first of those that do
 * @param newer whether it wants a reader that knows more than this one, so that anything of it may be missing
 */
record Hello(
        NodeIdentity node,
        long bootedMillis,
        Kind kind,
        @Nullable NodeSummary summary,
        boolean publishes,
        boolean newer) {
    static final int SCHEMA = 1;

    private static final int LONGEST_NAME = 256;
    private static final String UNNAMED = "(unnamed)";
    private static final String UNKNOWN = "(unknown)";
    private static final List<String> NUMBERS = List.of("contexts", "locks_held", "lock_waiters", "warnings");

    Hello {
        requireNonNull(node, "node");
        requireNonNull(kind, "kind");
    }

    Hello(NodeIdentity node, long bootedMillis, Kind kind, @Nullable NodeSummary summary, boolean publishes) {
        this(node, bootedMillis, kind, summary, publishes, false);
    }

    Hello(NodeIdentity node, long bootedMillis, Kind kind, @Nullable NodeSummary summary) {
        this(node, bootedMillis, kind, summary, false);
    }

    /** {@return the body of the message} */
    Map<String, Object> toMap() {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("schema", SCHEMA);
        body.put("min_schema", newer ? SCHEMA + 1 : SCHEMA);
        body.put("kind", kind.text());
        body.put("alias", node.alias());
        body.put("incarnation", node.incarnation());
        body.put("booted_ms", bootedMillis);
        if (summary != null) {
            Map<String, Object> numbers = new LinkedHashMap<>();
            numbers.put("contexts", summary.contexts());
            numbers.put("locks_held", summary.locksHeld());
            numbers.put("lock_waiters", summary.lockWaiters());
            numbers.put("warnings", summary.warnings());
            body.put("summary", numbers);
        }
        if (publishes) {
            body.put("publishes", true);
        }
        return body;
    }

    /**
     * Reads the body of a message. It may come from anybody who reaches the bus, so nothing in it is believed unseen.
     *
     * <p>One that wants a newer reader is read as far as it can be, so that its node is not missing without a word (rule D9): of those
     * that tell no incarnation all of one alias are one.
     *
     * @param body keys and values as JSON has them
     * @return the hello
     * @throws IllegalArgumentException if it is none
     */
    static Hello of(Map<String, ?> body) {
        boolean newer = body.get("min_schema") instanceof Number least && least.longValue() > SCHEMA;
        String alias = name(body, "alias", newer ? UNNAMED : null);
        String incarnation = name(body, "incarnation", newer ? UNKNOWN + " " + alias : null);
        Kind kind = Kind.of(body.get("kind"));
        NodeSummary summary = null;
        // What is not known is left out, and never 0.
        if (body.get("summary") instanceof Map<?, ?> numbers && (!newer || areNumbers(numbers))) {
            summary = new NodeSummary(
                    count(numbers, "contexts"),
                    count(numbers, "locks_held"),
                    count(numbers, "lock_waiters"),
                    count(numbers, "warnings"));
        }
        return new Hello(
                new NodeIdentity(alias, incarnation),
                count(body, "booted_ms"),
                kind,
                summary,
                Boolean.TRUE.equals(body.get("publishes")),
                newer);
    }

    private static boolean areNumbers(Map<?, ?> numbers) {
        return NUMBERS.stream().allMatch(key -> numbers.get(key) instanceof Number);
    }

    /** {@return whether a node may be called so} */
    static boolean isName(String name) {
        return !name.isBlank() && name.length() <= LONGEST_NAME;
    }

    private static String name(Map<String, ?> body, String key, @Nullable String otherwise) {
        if (body.get(key) instanceof String name && isName(name)) {
            return name;
        }
        if (otherwise != null) {
            return otherwise;
        }
        throw new IllegalArgumentException("\"" + key + "\" is missing, empty or longer than " + LONGEST_NAME);
    }

    private static long count(Map<?, ?> numbers, String key) {
        return numbers.get(key) instanceof Number number ? Math.max(0, number.longValue()) : 0;
    }

    /** The reasons to speak. */
    enum Kind {
        /** It has just started and knows nobody: who hears it answers directly. */
        NEWCOMER("newcomer"),
        /** It lives. */
        ALIVE("alive"),
        /** It stops, cleanly. */
        GOODBYE("goodbye");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }

        private static Kind of(@Nullable Object text) {
            for (Kind kind : values()) {
                if (kind.text.equals(text)) {
                    return kind;
                }
            }
            // A later version may know more reasons; whoever speaks lives.
            return ALIVE;
        }
    }
}
