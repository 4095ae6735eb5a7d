package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The address of a context: the names from the root down to it.
 *
 * <p>A path is a list of names, so {@code "a.b"/"c"} and {@code "a"/"b.c"} are different (rule M5). Its text is for people
 * and for keys: names joined by dots, with {@code \.} for a dot inside a name and {@code \\} for a backslash;
 * {@link #parse} turns it back. Two contexts at once may have the same path; only an id tells them apart.
 */
public final class ContextPath implements Comparable<ContextPath> {
    private final List<String> names;

    private ContextPath(List<String> names) {
        this.names = names;
    }

    /**
     * Makes a path from its names, the root's first.
     *
     * @param names at least one name
     * @return the path
     * @throws IllegalArgumentException if there is no name
     */
    public static ContextPath of(List<String> names) {
        List<String> copy = List.copyOf(names);
        if (copy.isEmpty()) {
            throw new IllegalArgumentException("a path needs at least one name: that of the root");
        }
        return new ContextPath(copy);
    }

    /**
     * Makes a path from its names, the root's first.
     *
     * @param names at least one name
     * @return the path
     * @throws IllegalArgumentException if there is no name
     */
    public static ContextPath of(String... names) {
        return of(List.of(names));
    }

    /**
     * Reads the dotted form. Every text is a path: a backslash at the very end stands for itself.
     *
     * @param dotted the text, as {@link #toString} writes it
     * @return the path
     */
    public static ContextPath parse(String dotted) {
        requireNonNull(dotted, "dotted");
        List<String> names = new ArrayList<>();
        StringBuilder name = new StringBuilder();
        for (int i = 0; i < dotted.length(); i++) {
            char c = dotted.charAt(i);
            if (c == '\\' && i + 1 < dotted.length()) {
                i++;
                name.append(dotted.charAt(i));
            } else if (c == '.') {
                names.add(name.toString());
                name.setLength(0);
            } else {
                name.append(c);
            }
        }
        names.add(name.toString());
        return new ContextPath(List.copyOf(names));
    }

    /** {@return the names from the root down, at least one} */
    public List<String> names() {
        return names;
    }

    /** {@return the last name} */
    public String leaf() {
        return names.get(names.size() - 1);
    }

    /** {@return how many names there are} */
    public int depth() {
        return names.size();
    }

    /** {@return the path without its last name, or {@code null} for the root's path} */
    public @Nullable ContextPath parent() {
        return names.size() == 1 ? null : new ContextPath(names.subList(0, names.size() - 1));
    }

    /**
     * Makes the path of a child.
     *
     * @param name the child's name
     * @return this path with one more name
     */
    public ContextPath child(String name) {
        List<String> longer = new ArrayList<>(names.size() + 1);
        longer.addAll(names);
        longer.add(requireNonNull(name, "name"));
        return new ContextPath(List.copyOf(longer));
    }

    /**
     * Tells whether this path is the other one or lies below it.
     *
     * @param other the path of a possible ancestor
     * @return whether the other path's names begin this one
     */
    public boolean startsWith(ContextPath other) {
        int length = other.names.size();
        return names.size() >= length && names.subList(0, length).equals(other.names);
    }

    @Override
    public int compareTo(ContextPath other) {
        int common = Math.min(names.size(), other.names.size());
        for (int i = 0; i < common; i++) {
            int c = names.get(i).compareTo(other.names.get(i));
            if (c != 0) {
                return c;
            }
        }
        return Integer.compare(names.size(), other.names.size());
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof ContextPath p && p.names.equals(names);
    }

    @Override
    public int hashCode() {
        return names.hashCode();
    }

    /** {@return the dotted form} */
    @Override
    public String toString() {
        StringBuilder dotted = new StringBuilder();
        for (int i = 0; i < names.size(); i++) {
            if (i > 0) {
                dotted.append('.');
            }
            String name = names.get(i);
            for (int j = 0; j < name.length(); j++) {
                char c = name.charAt(j);
                if (c == '.' || c == '\\') {
                    dotted.append('\\');
                }
                dotted.append(c);
            }
        }
        return dotted.toString();
    }
}
