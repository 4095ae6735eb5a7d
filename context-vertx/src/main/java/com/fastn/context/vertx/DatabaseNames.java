package com.fastn.context.vertx;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Names for calls of databases. Of a SQL statement they tell what it does and to which table, {@code SELECT orders}; of a
 * command its word, {@code redis GET}. No literal, no comment and no parameter is ever part of a name: they may be secrets, and
 * there is no end of them. That there are not too many tables is a matter of {@link DatabaseCalls}.
 */
final class DatabaseNames {
    private static final String OTHER_STATEMENT = "SQL";
    private static final int LONGEST_WORD = 32;
    private static final int LONGEST_TABLE = 64;
    // A statement may be as long as what is inserted by it; its name stands at its beginning.
    private static final int MOST_READ = 8_192;
    private static final char BACKSLASH = '\\';

    /** The words that a statement begins with, and the one that its table comes after; the empty word where it has none. */
    private static final Map<String, String> VERBS = Map.ofEntries(
            Map.entry("SELECT", "FROM"),
            Map.entry("DELETE", "FROM"),
            Map.entry("INSERT", "INTO"),
            Map.entry("MERGE", "INTO"),
            Map.entry("REPLACE", "INTO"),
            Map.entry("UPDATE", "UPDATE"),
            Map.entry("TRUNCATE", "TRUNCATE"),
            Map.entry("LOCK", "LOCK"),
            Map.entry("CALL", "CALL"),
            Map.entry("COPY", "COPY"),
            Map.entry("CREATE", "TABLE"),
            Map.entry("ALTER", "TABLE"),
            Map.entry("DROP", "TABLE"),
            Map.entry("VALUES", ""),
            Map.entry("BEGIN", ""),
            Map.entry("START", ""),
            Map.entry("COMMIT", ""),
            Map.entry("ROLLBACK", ""),
            Map.entry("SAVEPOINT", ""),
            Map.entry("RELEASE", ""),
            Map.entry("SET", ""),
            Map.entry("SHOW", ""),
            Map.entry("EXPLAIN", ""),
            Map.entry("ANALYZE", ""),
            Map.entry("VACUUM", ""),
            Map.entry("LISTEN", ""),
            Map.entry("UNLISTEN", ""),
            Map.entry("NOTIFY", ""),
            Map.entry("GRANT", ""),
            Map.entry("REVOKE", ""),
            Map.entry("REFRESH", ""),
            Map.entry("USE", ""),
            Map.entry("EXEC", ""),
            Map.entry("EXECUTE", ""));

    /** What may stand between the word that a table comes after and the table. */
    private static final Set<String> FILLERS =
            Set.of("ONLY", "TABLE", "LATERAL", "IF", "NOT", "EXISTS", "IGNORE", "LOW_PRIORITY");

    private DatabaseNames() {}

    /** What a statement does, and the table that it does it to where that is found. */
    static String statement(String sql) {
        return new Statement(sql).name();
    }

    /** A command of a database that is not asked in SQL. */
    static String command(@Nullable String system, String command) {
        String word = word(command).toUpperCase(Locale.ROOT);
        return system == null ? word : word(system) + " " + word;
    }

    private static String word(String text) {
        if (text.isEmpty() || text.length() > LONGEST_WORD) {
            return "other";
        }
        for (int i = 0; i < text.length(); i++) {
            if (!isLetter(text.charAt(i)) && !isDigit(text.charAt(i)) && "_-.".indexOf(text.charAt(i)) < 0) {
                return "other";
            }
        }
        return text;
    }

    private static boolean isLetter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** Reads a statement once, from left to right; what it does not understand is no part of the name. */
    private static final class Statement {
        private final String sql;
        private final int end;
        /** For each parenthesis that is open, whether a query stands in it. */
        private final Deque<Boolean> open = new ArrayDeque<>();

        private int at;
        /** Whether queries with names come first, each in its parentheses. */
        private boolean with;

        Statement(String sql) {
            this.sql = sql;
            this.end = Math.min(sql.length(), MOST_READ);
        }

        String name() {
            String verb = verb();
            String before = verb == null ? "" : VERBS.getOrDefault(verb, "");
            if (verb == null || before.isEmpty()) {
                return verb == null ? OTHER_STATEMENT : verb;
            }
            String table = before.equals(verb) ? table() : tableAfter(before);
            return table == null ? verb : verb + " " + table;
        }

        /** What the statement begins with, or null when that is not known. */
        private @Nullable String verb() {
            for (String token = next(); token != null; token = next()) {
                String upper = token.toUpperCase(Locale.ROOT);
                boolean inside = !open.isEmpty();
                if (isParenthesis(token, upper) || (with && inside)) {
                    continue;
                }
                if (VERBS.containsKey(upper)) {
                    return upper;
                }
                with |= upper.equals("WITH");
                if (!with) {
                    return null;
                }
            }
            return null;
        }

        /** The table of the statement itself; where that is another query, the table of that one. */
        private @Nullable String tableAfter(String before) {
            int depth = open.size();
            String inner = null;
            for (String token = next(); token != null; token = next()) {
                String upper = token.toUpperCase(Locale.ROOT);
                if (!isParenthesis(token, upper) && upper.equals(before) && (open.isEmpty() || open.peek())) {
                    String table = table();
                    if (table != null && open.size() <= depth) {
                        return table;
                    }
                    inner = inner == null ? table : inner;
                }
            }
            return inner;
        }

        /** Keeps count of the parentheses; {@code FROM} tells of a table only where a query stands in them. */
        private boolean isParenthesis(String token, String upper) {
            if (token.equals("(")) {
                open.push(false);
            } else if (token.equals(")")) {
                open.poll();
            } else {
                if (upper.equals("SELECT") && !open.isEmpty()) {
                    open.pop();
                    open.push(true);
                }
                return false;
            }
            return true;
        }

        /** The name that comes next, or null when something else does. */
        private @Nullable String table() {
            String token = next();
            while (token != null && FILLERS.contains(token.toUpperCase(Locale.ROOT))) {
                token = next();
            }
            if (token == null || !isName(token)) {
                if (token != null) {
                    isParenthesis(token, token);
                }
                return null;
            }
            StringBuilder name = new StringBuilder();
            fold(token, name);
            while (at < end && sql.charAt(at) == '.' && name.length() < LONGEST_TABLE) {
                at++;
                String part = next();
                if (part == null || !isName(part)) {
                    break;
                }
                fold(part, name.append('.'));
            }
            return name.length() > LONGEST_TABLE ? name.substring(0, LONGEST_TABLE) + "*" : name.toString();
        }

        private static boolean isName(String token) {
            char c = token.charAt(0);
            return isLetter(c) || c == '_' || (isQuote(c) && token.length() > 1);
        }

        private static boolean isQuote(char c) {
            return c == '"' || c == '`' || c == '[';
        }

        /** What has a digit in it is somebody's number: one table of each day or tenant is one name. */
        private static void fold(String token, StringBuilder name) {
            String bare = isQuote(token.charAt(0)) ? token.substring(1, token.length() - 1) : token;
            String separator = "";
            for (String piece : bare.split("_", -1)) {
                name.append(separator).append(isPlain(piece) ? piece : "?");
                separator = "_";
            }
        }

        private static boolean isPlain(String piece) {
            for (int i = 0; i < piece.length(); i++) {
                if (!isLetter(piece.charAt(i)) && piece.charAt(i) != '-') {
                    return false;
                }
            }
            return true;
        }

        /** A word, a quoted name or a single character; what is a literal or a comment is passed over. */
        private @Nullable String next() {
            while (at < end) {
                char c = sql.charAt(at);
                if (Character.isWhitespace(c)) {
                    at++;
                } else if (c == '-' && follows('-')) {
                    at = after("\n", at + 2);
                } else if (c == '/' && follows('*')) {
                    comment();
                } else if (c == '\'') {
                    literal();
                } else if (c == '$') {
                    dollar();
                } else if (isQuote(c)) {
                    String name = quoted(c == '[' ? ']' : c);
                    if (name != null) {
                        return name;
                    }
                } else if (isLetter(c) || c == '_') {
                    int from = at;
                    while (at < end && isPartOfWord(sql.charAt(at))) {
                        at++;
                    }
                    // The letter of a literal such as E'..' is no word.
                    if (at >= end || sql.charAt(at) != '\'') {
                        return sql.substring(from, at);
                    }
                } else if (isDigit(c)) {
                    while (at < end && (isPartOfWord(sql.charAt(at)) || sql.charAt(at) == '.')) {
                        at++;
                    }
                } else {
                    at++;
                    return String.valueOf(c);
                }
            }
            return null;
        }

        private static boolean isPartOfWord(char c) {
            return isLetter(c) || isDigit(c) || c == '_' || c == '$';
        }

        private boolean follows(char wanted) {
            return at + 1 < end && sql.charAt(at + 1) == wanted;
        }

        private int after(String closing, int from) {
            int found = sql.indexOf(closing, from);
            return found < 0 ? end : Math.min(end, found + closing.length());
        }

        private void literal() {
            at++;
            while (at < end) {
                char c = sql.charAt(at++);
                if (c == BACKSLASH) {
                    // Some databases read an escape here and others do not: nobody knows where this literal ends.
                    at = end;
                } else if (c == '\'') {
                    if (at >= end || sql.charAt(at) != '\'') {
                        return;
                    }
                    at++;
                }
            }
        }

        /** A name in quotes. Where a bracket is none, it is a character like others. */
        private @Nullable String quoted(char closing) {
            int from = at;
            int close = sql.indexOf(closing, at + 1);
            if (closing == ']' && !isName(from + 1, Math.min(close, end))) {
                at++;
                return "[";
            }
            if (close < 0 || close >= end || sql.charAt(close - 1) == BACKSLASH) {
                at = end;
                return null;
            }
            at = close + 1;
            return sql.substring(from, at);
        }

        private boolean isName(int from, int to) {
            for (int i = from; i < to; i++) {
                if (!isPartOfWord(sql.charAt(i)) && sql.charAt(i) != ' ') {
                    return false;
                }
            }
            return to > from && !isDigit(sql.charAt(from));
        }

        /** In some databases comments stand in comments: where one does, nobody knows where it ends. */
        private void comment() {
            int close = after("*/", at + 2);
            at = sql.substring(at + 2, close).contains("/*") ? end : close;
        }

        /** A parameter, {@code $1}, or a literal between tags, {@code $tag$..$tag$}. */
        private void dollar() {
            int close = at + 1;
            while (close < end && isPartOfWord(sql.charAt(close)) && sql.charAt(close) != '$') {
                close++;
            }
            boolean tag = close < end && sql.charAt(close) == '$' && (close == at + 1 || !isDigit(sql.charAt(at + 1)));
            at = tag ? after(sql.substring(at, close + 1), close + 1) : close;
        }
    }
}
