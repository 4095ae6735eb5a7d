package com.fastn.context.vertx;

import io.vertx.core.http.HttpMethod;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Names of bounded number for HTTP requests: what looks like the value of a parameter is not part of a name, so that
 * {@code /orders/17} and {@code /orders/18} are both {@code /orders/:id}. What looks like a word is one until too many
 * different ones have stood in its place.
 */
final class HttpNames {
    private static final int MOST_SEGMENTS = 8;
    private static final int LONGEST_WORD = 32;

    // A client may send any word for a method, and each would be a name of its own.
    private static final Set<String> METHODS =
            HttpMethod.values().stream().map(HttpMethod::name).collect(Collectors.toUnmodifiableSet());

    private final LearnedWords words = new LearnedWords("/", "/");

    /** The method and the folded path. */
    String request(String method, String path) {
        LearnedWords.Place place = words.first();
        int end = end(path);
        int segments = 0;
        int at = 0;
        while (at < end) {
            int slash = path.indexOf('/', at);
            int next = slash < 0 || slash > end ? end : slash;
            if (next > at) {
                if (segments == MOST_SEGMENTS) {
                    place = place.rest();
                    break;
                }
                place = isWord(path, at, next) ? place.word(path.substring(at, next)) : place.value();
                segments++;
            }
            at = next + 1;
        }
        place.seen();
        return place.textAfter(method(method));
    }

    /** A method that is one; others are all the same. */
    static String method(String method) {
        return METHODS.contains(method) ? method : "OTHER";
    }

    static String withoutQuery(String path) {
        int end = end(path);
        return end == path.length() ? path : path.substring(0, end);
    }

    /** Host and port of a URL. */
    static String authority(String url) {
        int scheme = url.indexOf("://");
        int from = scheme < 0 ? 0 : scheme + 3;
        int to = from;
        while (to < url.length() && "/?#".indexOf(url.charAt(to)) < 0) {
            to++;
        }
        // Whoever stands before the host may be a secret.
        int at = url.lastIndexOf('@', to - 1);
        return url.substring(at >= from ? at + 1 : from, to);
    }

    /** The path of a URL, or the empty string. */
    static String pathOf(String url) {
        int scheme = url.indexOf("://");
        int slash = url.indexOf('/', scheme < 0 ? 0 : scheme + 3);
        return slash < 0 ? "" : url.substring(slash);
    }

    private static int end(String path) {
        for (int i = 0; i < path.length(); i++) {
            if (path.charAt(i) == '?' || path.charAt(i) == '#') {
                return i;
            }
        }
        return path.length();
    }

    /** Whether a segment is a word of the application rather than somebody's value. */
    private static boolean isWord(String path, int from, int to) {
        if (to - from > LONGEST_WORD) {
            return false;
        }
        // Versions are words: v1, v2.
        boolean version = to - from <= 3 && path.charAt(from) == 'v';
        for (int i = from; i < to; i++) {
            char c = path.charAt(i);
            boolean digit = c >= '0' && c <= '9';
            boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            if (digit ? !version : !letter && c != '-' && c != '_' && c != '.') {
                return false;
            }
        }
        return true;
    }
}
