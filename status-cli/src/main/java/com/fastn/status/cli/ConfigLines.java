package com.fastn.status.cli;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The lines on which the keys of a configuration stand. The parser forgets them, so this finds them again when something has to be said
 * of one: in tables, in tables within a line, and behind dots. It is for a text that the parser has understood; of any other it finds
 * something or nothing.
 */
final class ConfigLines {
    private static final String TRIPLE_BASIC = "\"\"\"";
    private static final String TRIPLE_LITERAL = "'''";
    private static final char END = '\0';

    private final String text;
    private final Map<List<String>, Integer> lines = new HashMap<>();
    private int at;
    private int line = 1;

    /** The tables and lists within a line that are open, the innermost first. */
    private final Deque<Open> open = new ArrayDeque<>();
    /** What the keys at the beginning of lines are of. */
    private List<String> table = List.of();
    /** Whether a key comes next, and not a value. */
    private boolean key = true;
    /** Whose value comes next, or has come. */
    private List<String> current = List.of();

    private ConfigLines(String text) {
        this.text = text;
        while (at < text.length()) {
            next();
        }
    }

    /** A table or list within a line, and whose value it is. */
    private record Open(boolean isTable, List<String> key) {}

    /** {@return the line on which a key or table is first named, or 0 where it is not found} */
    static int of(String text, List<String> key) {
        return new ConfigLines(text).lines.getOrDefault(key, 0);
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : END;
    }

    private void skip() {
        line += peek() == '\n' ? 1 : 0;
        at++;
    }

    private void next() {
        switch (peek()) {
            case '\n' -> {
                key |= open.isEmpty();
                skip();
            }
            case ' ', '\t', '\r' -> skip();
            case '#' -> skipTo("\n");
            case '=' -> {
                key = false;
                skip();
            }
            case ',' -> {
                key = !open.isEmpty() && open.element().isTable;
                skip();
            }
            case '{' -> begin(true);
            case '[' -> {
                if (key) {
                    header();
                } else {
                    begin(false);
                }
            }
            case '}', ']' -> {
                Open ended = open.poll();
                current = ended == null ? current : ended.key;
                key = false;
                skip();
            }
            default -> {
                if (key) {
                    current = named(open.isEmpty() ? table : open.element().key);
                    key = false;
                } else {
                    value();
                }
            }
        }
    }

    private void begin(boolean isTable) {
        open.push(new Open(isTable, current));
        key = isTable;
        skip();
    }

    private void header() {
        while (peek() == '[') {
            skip();
        }
        table = named(List.of());
        skipTo("\n");
    }

    private void value() {
        if (peek() == '"' || peek() == '\'') {
            quoted();
        } else {
            skipTo(",]}#\n");
        }
    }

    /** Goes on to the first of some characters, and past at least one. */
    private void skipTo(String ends) {
        do {
            skip();
        } while (at < text.length() && ends.indexOf(peek()) < 0);
    }

    /** {@return the names of a key with dots, below those of a table} */
    private List<String> named(List<String> above) {
        List<String> names = new ArrayList<>(above);
        int first = line;
        boolean more = true;
        while (more) {
            skipBlanks();
            names.add(name());
            lines.putIfAbsent(List.copyOf(names), first);
            skipBlanks();
            more = peek() == '.';
            at += more ? 1 : 0;
        }
        return List.copyOf(names);
    }

    private String name() {
        if (peek() == '"' || peek() == '\'') {
            return quoted();
        }
        int begin = Math.min(at, text.length());
        skipTo(". \t]=\r\n");
        return text.substring(begin, Math.min(at, text.length()));
    }

    private void skipBlanks() {
        while (peek() == ' ' || peek() == '\t') {
            skip();
        }
    }

    /** {@return what stands between quotation marks; what is escaped in it, no key that is known has} */
    private String quoted() {
        char mark = peek();
        String triple = mark == '"' ? TRIPLE_BASIC : TRIPLE_LITERAL;
        String end = text.startsWith(triple, at) ? triple : String.valueOf(mark);
        int begin = at + end.length();
        for (int i = 0; i < end.length(); i++) {
            skip();
        }
        while (at < text.length() && !text.startsWith(end, at)) {
            if (mark == '"' && peek() == '\\') {
                skip();
            }
            skip();
        }
        int stop = Math.min(at, text.length());
        for (int i = 0; i < end.length(); i++) {
            skip();
        }
        // The last of more than three quotation marks are of the text.
        while (end.equals(triple) && peek() == mark) {
            skip();
        }
        return text.substring(Math.min(begin, stop), stop);
    }
}
