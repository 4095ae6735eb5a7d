package com.fastn.context.vertx;

import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.NodeIdentity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a message says who sent it: {@code 2 incarnation key id alias-length alias path}, in one header of bounded length.
 *
 * <p>It may come from anybody who reaches the bus, so it is read as what it claims and never as what is so: it names a
 * caller for people to see, and gives no rights. Its key, which is that of one caller, is what a later cancellation of that
 * caller has to name: so only who saw a request of that caller can stop the work for it. Version 1 is the same without a
 * key, for a message that wants no reply or cannot come to another node.
 */
final class CallerHeader {
    static final String NAME = "fastn-caller";
    static final int MOST_CHARS = 1_024;

    private static final String VERSION = "2";
    private static final String WITHOUT_KEY = "1";
    private static final int MOST_PATH_CHARS = 640;
    private static final int MOST_ALIAS_CHARS = 256;

    private CallerHeader() {}

    /**
     * Writes a header.
     *
     * @param path the caller's path, as {@link #text} gives it
     */
    static String write(NodeIdentity node, @Nullable String key, long callerId, String path) {
        String alias = clean(shortened(node.alias()));
        return (key == null ? WITHOUT_KEY : VERSION)
                + ' '
                + node.incarnation()
                + ' '
                + (key == null ? "" : key + ' ')
                + callerId
                + ' '
                + alias.length()
                + ' '
                + alias
                + ' '
                + path;
    }

    /** A path as a header has it. */
    static String text(ContextPath path) {
        return clean(shortened(path));
    }

    /** A name may have any character; a header with control characters would be read as a forged one. */
    static String clean(String text) {
        if (isClean(text)) {
            return text;
        }
        StringBuilder clean = new StringBuilder(text);
        for (int i = 0; i < clean.length(); i++) {
            if (Character.isISOControl(clean.charAt(i))) {
                clean.setCharAt(i, '\uFFFD');
            }
        }
        return clean.toString();
    }

    /**
     * Reads a header; null when it is not one that we would write.
     *
     * @param here the node that reads it
     * @param owesReply whether the message that has it is to be replied to
     */
    static @Nullable Caller read(String header, NodeIdentity here, boolean owesReply) {
        if (header.length() > MOST_CHARS || !isClean(header)) {
            return null;
        }
        // Read for each message: what is of this node, as most is, makes no new text.
        boolean hasKey = header.startsWith(VERSION + ' ');
        int afterIncarnation = header.indexOf(' ', 2);
        if (!(hasKey || header.startsWith(WITHOUT_KEY + ' ')) || afterIncarnation <= 2) {
            return null;
        }
        int beforeId = hasKey ? header.indexOf(' ', afterIncarnation + 1) : afterIncarnation;
        int afterId = header.indexOf(' ', beforeId + 1);
        int afterLength = header.indexOf(' ', afterId + 1);
        if (beforeId < 0 || afterId < 0 || afterLength < 0) {
            return null;
        }
        try {
            long contextId = Long.parseLong(header, beforeId + 1, afterId, 10);
            int alias = afterLength + 1;
            long afterAlias = alias + (long) Integer.parseInt(header, afterId + 1, afterLength, 10);
            if (contextId < 0 || afterAlias <= alias || afterAlias + 2 > header.length()) {
                return null;
            }
            int space = (int) afterAlias;
            if (header.charAt(space) != ' ') {
                return null;
            }
            CallerLink link = new CallerLink(
                    part(header, alias, space, here.alias()),
                    part(header, 2, afterIncarnation, here.incarnation()),
                    contextId,
                    header.substring(space + 1),
                    owesReply);
            return new Caller(link, hasKey ? header.substring(afterIncarnation + 1, beforeId) : null);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static String part(String header, int from, int to, String known) {
        return known.length() == to - from && header.startsWith(known, from) ? known : header.substring(from, to);
    }

    private static boolean isClean(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isISOControl(text.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /** As much of an alias as there is room for: one of wide characters has two chars for each. */
    private static String shortened(String alias) {
        if (alias.length() <= MOST_ALIAS_CHARS) {
            return alias;
        }
        boolean inTheMiddle = Character.isHighSurrogate(alias.charAt(MOST_ALIAS_CHARS - 1));
        return alias.substring(0, inTheMiddle ? MOST_ALIAS_CHARS - 1 : MOST_ALIAS_CHARS);
    }

    /** The whole path, or its root and as many of its last names as there is room for. */
    private static String shortened(ContextPath path) {
        String whole = path.toString();
        if (whole.length() <= MOST_PATH_CHARS) {
            return whole;
        }
        List<String> names = path.names();
        ContextPath kept = ContextPath.of(names.get(names.size() - 1));
        for (int from = names.size() - 2; from > 0; from--) {
            ContextPath longer = ContextPath.of(names.subList(from, names.size()));
            if (longer.toString().length() > MOST_PATH_CHARS - 2) {
                break;
            }
            kept = longer;
        }
        String text = "\u2026." + kept;
        return text.length() <= MOST_PATH_CHARS ? text : text.substring(0, MOST_PATH_CHARS);
    }

    /**
     * Who sent a message, as it says.
     *
     * @param link what is shown
     * @param key what a cancellation of that caller has to name, or null when none can come
     */
    record Caller(CallerLink link, @Nullable String key) {}
}
