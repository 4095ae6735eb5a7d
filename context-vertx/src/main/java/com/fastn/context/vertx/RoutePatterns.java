package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The routes of an application, by which its requests are named: {@code GET /orders/:id}. */
final class RoutePatterns {
    static final RoutePatterns NONE = new RoutePatterns(List.of());

    private final List<Pattern> patterns;

    private RoutePatterns(List<Pattern> patterns) {
        this.patterns = patterns;
    }

    boolean isEmpty() {
        return patterns.isEmpty();
    }

    RoutePatterns with(String route) {
        List<Pattern> longer = new ArrayList<>(patterns);
        longer.add(parse(requireNonNull(route, "route").strip()));
        return new RoutePatterns(List.copyOf(longer));
    }

    private static Pattern parse(String route) {
        int space = route.indexOf(' ');
        String method = space < 0 ? null : route.substring(0, space);
        String path = route.substring(space + 1).strip();
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException("\"" + route
                    + "\" is no route; write a method, a space and a path that begins with a slash, such as"
                    + " \"GET /orders/:id\"");
        }
        return new Pattern(method, path, segments(path));
    }

    /** The route that a request fits, as it was written, or null. */
    @Nullable
    String match(String method, String path) {
        if (!path.startsWith("/")) {
            return null;
        }
        List<String> segments = segments(path);
        for (Pattern pattern : patterns) {
            if (pattern.fits(method, segments)) {
                return pattern.path;
            }
        }
        return null;
    }

    private static List<String> segments(String path) {
        int end = path.length();
        while (end > 1 && path.charAt(end - 1) == '/') {
            end--;
        }
        return List.of(path.substring(1, Math.max(1, end)).split("/", -1));
    }

    private record Pattern(@Nullable String method, String path, List<String> segments) {
        boolean fits(String asked, List<String> given) {
            if (method != null && !method.equals(asked)) {
                return false;
            }
            for (int i = 0; i < segments.size(); i++) {
                String wanted = segments.get(i);
                if (wanted.equals("*") && i == segments.size() - 1) {
                    return given.size() >= i;
                }
                if (i >= given.size() || !fits(wanted, given.get(i))) {
                    return false;
                }
            }
            return given.size() == segments.size();
        }

        private static boolean fits(String wanted, String given) {
            return wanted.startsWith(":") ? !given.isEmpty() : wanted.equals(given);
        }
    }
}
