package com.fastn.status.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Something to look a name up in: the environment, or the system properties. */
@FunctionalInterface
interface Lookup {
    /** What to do where a path cannot be read. */
    String OTHER_LOCALE = "LC_ALL=C.UTF-8";

    @Nullable
    String get(String name);

    /**
     * {@return the path that text from outside is, or {@code null} when there can be no such path} Where the locale has no UTF-8,
     * Java takes no path with a letter beyond ASCII.
     */
    static @Nullable Path path(String first, String... more) {
        try {
            return Path.of(first, more);
        } catch (InvalidPathException e) {
            return null;
        }
    }

    /** {@return what is said of a place that somebody names and that is no path here} */
    static String unreadable(String name, @Nullable String value) {
        return name + " (" + Printable.line(String.valueOf(value)) + ") cannot be read as a path in this locale";
    }

    /** {@return the value, or {@code null} when there is none or it is blank} */
    default @Nullable String nonBlank(String name) {
        String value = get(name);
        return value == null || value.isBlank() ? null : value;
    }
}
