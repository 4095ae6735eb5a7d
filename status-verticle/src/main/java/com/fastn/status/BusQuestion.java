package com.fastn.status;

import com.fastn.context.status.Explanation;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A question on the event bus: which status, and what beside or instead of it.
 *
 * @param query which nodes, which part, and how to write it
 * @param recent whether the contexts that ended last are wanted too
 * @param episodes whether the times in which contexts were stuck are wanted too
 * @param explain whether the answer is why contexts are stuck, instead of a status
 * @param context whom to explain, by path or short name, or {@code null} for all that are stuck
 * @param sinceVersion the version that the asker has, or {@code null}; a node that has no other one says so, and no more
 * @param sinceTimestamp the timestamp of that, or {@code null}; a node that still knows it tells what changed since
 */
record BusQuestion(
        StatusQuery query,
        boolean recent,
        boolean episodes,
        boolean explain,
        @Nullable String context,
        @Nullable Long sinceVersion,
        @Nullable Instant sinceTimestamp) {
    private static final String RECENT = "recent";
    private static final String EPISODES = "episodes";
    private static final String EXPLAIN = "explain";
    private static final String SINCE_VERSION = "since_version";
    private static final String SINCE_TIMESTAMP = "since_timestamp";

    /** Of the name of a context. */
    static final int LONGEST_TEXT = 8_192;

    /**
     * Reads the body of a request.
     *
     * @param body keys and values as JSON has them
     * @return the question
     * @throws BadQueryException if it is not understood
     */
    static BusQuestion of(Map<String, ?> body) {
        Map<String, Object> rest = new LinkedHashMap<>(body);
        boolean recent = flag(RECENT, rest.remove(RECENT));
        boolean episodes = flag(EPISODES, rest.remove(EPISODES));
        Object explain = rest.remove(EXPLAIN);
        String context = null;
        if (explain instanceof String name && !name.isBlank() && name.length() <= LONGEST_TEXT) {
            context = name;
        } else if (explain != null && !(explain instanceof Boolean)) {
            throw malformed("\"explain\" wants true, or the path or short name of a context");
        }
        Object since = rest.remove(SINCE_VERSION);
        if (since != null && !(since instanceof Integer || since instanceof Long)) {
            throw malformed("\"since_version\" wants the number that the last status had as \"version\"");
        }
        Object timestamp = rest.remove(SINCE_TIMESTAMP);
        return new BusQuestion(
                StatusQuery.of(rest),
                recent,
                episodes,
                context != null || Boolean.TRUE.equals(explain),
                context,
                since == null ? null : ((Number) since).longValue(),
                timestamp == null ? null : timestamp(since, timestamp));
    }

    private static Instant timestamp(@Nullable Object version, Object timestamp) {
        try {
            if (version != null && timestamp instanceof String text) {
                return Instant.parse(text);
            }
        } catch (DateTimeParseException e) {
            // Told below.
        }
        throw malformed(
                "\"since_timestamp\" stands beside \"since_version\", and wants the \"timestamp\" of that status");
    }

    static BusQuestion of(StatusQuery query) {
        return new BusQuestion(query, false, false, false, null, null, null);
    }

    /**
     * {@return the question why contexts are stuck}
     *
     * @param query which nodes and which part
     * @param context whom to explain, or {@code null} for all that are stuck
     */
    static BusQuestion explaining(StatusQuery query, @Nullable String context) {
        return new BusQuestion(query, false, false, true, context, null, null);
    }

    private static boolean flag(String key, @Nullable Object value) {
        if (value == null || value instanceof Boolean) {
            return Boolean.TRUE.equals(value);
        }
        throw malformed("\"" + key + "\" wants true or false");
    }

    private static BadQueryException malformed(String sentence) {
        return new BadQueryException(BadQueryException.MALFORMED, sentence);
    }

    /** {@return the part of this question that a single node answers, as the body of a bus request} */
    Map<String, Object> forOneNode() {
        Map<String, Object> body = new LinkedHashMap<>(query.forOneNode());
        if (recent) {
            body.put(RECENT, true);
        }
        if (episodes) {
            body.put(EPISODES, true);
        }
        return body;
    }

    /**
     * Explains by what the nodes said.
     *
     * @param answer what they said
     * @return a JSON object or a text
     * @throws BadQueryException if no node shows such a context
     */
    Object explain(ClusterAnswer answer) {
        List<Explanation> all = Explanations.of(answer, context);
        if (query.format() == StatusQuery.Format.JSON) {
            return Explanations.json(all, answer);
        }
        return Explanations.text(all, answer, query);
    }
}
