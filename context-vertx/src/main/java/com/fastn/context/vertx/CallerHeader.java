package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.NodeIdentity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a message says who sent it: {@code 1 incarnation id alias-length alias path}, in one header of bounded length.
 *
 * <p>It may come from anybody who reaches the bus, so it is read as what it claims and never as what is so: it names a
 * caller for people to see, and gives no rights.
 */
final class CallerHeader {
    static final String NAME = "fastn-caller";
    static final int MOST_CHARS = 1_024;

    private static final String VERSION = "1";
    private static final int MOST_PATH_CHARS = 640;

    private CallerHeader() {}

    static String write(NodeIdentity node, ContextNode caller) {
        String alias = clean(node.alias());
        String path = clean(shortened(caller.path()));
        return VERSION + ' ' + node.incarnation() + ' ' + caller.id() + ' ' + alias.length() + ' ' + alias + ' ' + path;
    }

    /** A name may have any character; a header with control characters would be read as a forged one. */
    private static String clean(String text) {
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

    /** Reads a header; null when it is not one that we would write. */
    static @Nullable CallerLink read(String header) {
        if (header.length() > MOST_CHARS || !isClean(header)) {
            return null;
        }
        String[] parts = header.split(" ", 5);
        if (parts.length != 5 || !parts[0].equals(VERSION) || parts[1].isEmpty()) {
            return null;
        }
        try {
            long id = Long.parseLong(parts[2]);
            int length = Integer.parseInt(parts[3]);
            String rest = parts[4];
            if (id < 0 || length < 1 || length + 2 > rest.length() || rest.charAt(length) != ' ') {
                return null;
            }
            return new CallerLink(rest.substring(0, length), parts[1], id, rest.substring(length + 1));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static boolean isClean(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isISOControl(text.charAt(i))) {
                return false;
            }
        }
        return true;
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
}
