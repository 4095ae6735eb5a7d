package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.StatusRenderer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What somebody wants to know.
 *
 * @param nodes aliases or beginnings of incarnations; empty for all nodes
 * @param format how to write the answer
 * @param depth how many levels of the tree, 1 for the root alone, or {@code null} for all
 * @param path the part of the tree to show, or {@code null} for all of it
 * @param width columns of the coloured drawing
 * @param lines lines of the drawing of a node's tree, the rest of which is counted; 0 for all. In JSON, contexts that are enough
 *     to draw so many
 */
record StatusQuery(
        List<String> nodes,
        Format format,
        @Nullable Integer depth,
        @Nullable ContextPath path,
        int width,
        int lines) {
    static final int DEFAULT_WIDTH = 100;

    private static final int MOST_NODES = 1_000;
    private static final int LONGEST_TEXT = 8_192;
    private static final int NARROWEST = 20;
    private static final int WIDEST = 500;
    private static final int MOST_LINES = 100_000;
    private static final int DEEPEST = 10_000;

    StatusQuery {
        nodes = List.copyOf(nodes);
        requireNonNull(format, "format");
    }

    /** {@return the question for everything, as JSON} */
    static StatusQuery all() {
        return new StatusQuery(List.of(), Format.JSON, null, null, DEFAULT_WIDTH, 0);
    }

    /**
     * Reads the body of a bus request.
     *
     * @param body keys and values as JSON has them
     * @return the question
     * @throws BadQueryException if it is not understood
     */
    static StatusQuery of(Map<String, ?> body) {
        Fields fields = new Fields(body);
        StatusQuery query = new StatusQuery(
                fields.texts("nodes"),
                fields.format(),
                fields.number("depth", 1, DEEPEST),
                fields.path(),
                fields.width(),
                fields.lines());
        fields.refuseOthers("key");
        return query;
    }

    /**
     * Reads the parameters of an HTTP request.
     *
     * @param parameters names and values; {@code nodes} is separated by commas
     * @param preferred the format when none is named
     * @return the question
     * @throws BadQueryException if it is not understood
     */
    static StatusQuery ofParameters(Map<String, String> parameters, Format preferred) {
        Map<String, Object> body = new LinkedHashMap<>(parameters);
        String nodes = parameters.get("nodes");
        if (nodes != null) {
            body.put("nodes", List.of(nodes.split(",")));
        }
        body.putIfAbsent("format", preferred.text());
        Fields fields = new Fields(body);
        List.of("scope", "recent", "deltas").forEach(fields::know);
        StatusQuery query = new StatusQuery(
                fields.texts("nodes"),
                fields.format(),
                fields.number("depth", 1, DEEPEST),
                fields.path(),
                fields.width(),
                fields.lines());
        fields.refuseOthers("parameter");
        return query;
    }

    /**
     * {@return how many contexts of a tree whoever draws it so high can need} Twice as many: one that does not fit there is
     * passed over for the next one.
     *
     * @param most if all are wanted
     */
    int contexts(int most) {
        return lines == 0 ? most : Math.min(most, 2 * lines);
    }

    /** {@return whether the whole tree of a node is asked for} */
    boolean isWhole() {
        return path == null && depth == null;
    }

    /** {@return this question for everything of the same nodes} */
    StatusQuery whole() {
        return new StatusQuery(nodes, format, null, null, width, lines);
    }

    /** {@return this question without what tells apart who asks the same of the trees: nodes, format, width and lines} */
    StatusQuery part() {
        return new StatusQuery(List.of(), Format.JSON, depth, path, DEFAULT_WIDTH, 0);
    }

    /** {@return the part of this question that a single node answers, as the body of a bus request} */
    Map<String, Object> forOneNode() {
        Map<String, Object> body = new LinkedHashMap<>();
        if (depth != null) {
            body.put("depth", depth);
        }
        if (path != null) {
            body.put("path", path.toString());
        }
        return body;
    }

    /** The ways to write an answer. */
    enum Format {
        /** For programs. */
        JSON("json"),
        /** For people. */
        TEXT("text"),
        /** For people at a terminal with colours. */
        ANSI("ansi");

        private final String text;

        Format(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    /** Takes known keys out of a body, and then says what is left over. */
    private static final class Fields {
        private final Map<String, ?> body;
        private final TreeSet<String> known = new TreeSet<>();

        Fields(Map<String, ?> body) {
            this.body = body;
        }

        void know(String key) {
            known.add(key);
        }

        private @Nullable Object take(String key) {
            known.add(key);
            return body.get(key);
        }

        Format format() {
            Object value = take("format");
            if (value == null) {
                return Format.JSON;
            }
            List<String> names = new ArrayList<>();
            for (Format format : Format.values()) {
                if (format.text().equals(value)) {
                    return format;
                }
                names.add(format.text());
            }
            throw malformed(NearestNames.unknown("format", String.valueOf(value), names));
        }

        List<String> texts(String key) {
            Object value = take(key);
            if (value == null) {
                return List.of();
            }
            if (!(value instanceof Iterable<?> items)) {
                throw malformed("\"" + key + "\" wants a list of texts, such as [\"alice\", \"bob\"]");
            }
            List<String> texts = new ArrayList<>();
            for (Object item : items) {
                if (!(item instanceof String text) || text.isBlank() || text.length() > LONGEST_TEXT) {
                    throw malformed(
                            "\"" + key + "\" wants a list of texts that are not empty, such as [\"alice\", \"bob\"]");
                }
                texts.add(text.trim());
                if (texts.size() > MOST_NODES) {
                    throw malformed("\"" + key + "\" takes at most " + MOST_NODES + " names");
                }
            }
            return texts;
        }

        int width() {
            Integer width = number("width", NARROWEST, WIDEST);
            return width == null ? DEFAULT_WIDTH : width;
        }

        int lines() {
            Integer lines = number("lines", 0, MOST_LINES);
            if (lines != null) {
                return lines;
            }
            return format() == Format.JSON ? 0 : StatusRenderer.USUAL_TREE_LINES;
        }

        @Nullable
        Integer number(String key, int least, int most) {
            Object value = take(key);
            if (value == null) {
                return null;
            }
            Long number = null;
            if (value instanceof Integer || value instanceof Long) {
                number = ((Number) value).longValue();
            } else if (value instanceof String text && text.matches("\\d{1,9}")) {
                number = Long.valueOf(text);
            }
            if (number == null || number < least || number > most) {
                throw malformed("\"" + key + "\" wants a whole number from " + least + " to " + most + ", not "
                        + Printable.line(String.valueOf(value)));
            }
            return number.intValue();
        }

        @Nullable
        ContextPath path() {
            Object value = take("path");
            if (value == null) {
                return null;
            }
            if (value instanceof String dotted && !dotted.isBlank() && dotted.length() <= LONGEST_TEXT) {
                return ContextPath.parse(dotted);
            }
            if (value instanceof Iterable<?>) {
                List<String> names = texts("path");
                if (!names.isEmpty()) {
                    return ContextPath.of(names);
                }
            }
            throw malformed("\"path\" wants the names from the root down, such as \"global.checkout\" or [\"global\","
                    + " \"checkout\"]");
        }

        void refuseOthers(String what) {
            for (String key : body.keySet()) {
                if (!known.contains(key)) {
                    throw malformed(NearestNames.unknown(what, key, known));
                }
            }
        }

        private static BadQueryException malformed(String sentence) {
            return new BadQueryException(BadQueryException.MALFORMED, sentence);
        }
    }
}
