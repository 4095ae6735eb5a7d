package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
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
    // Linked upwards and shared: the paths of a tree take one object for each node, however deep it is.
    private final @Nullable ContextPath parent;
    private final String leaf;
    private final int depth;
    private final int hash;

    private ContextPath(@Nullable ContextPath parent, String leaf) {
        this.parent = parent;
        this.leaf = requireNonNull(leaf, "name");
        this.depth = parent == null ? 1 : parent.depth + 1;
        this.hash = 31 * (parent == null ? 1 : parent.hash) + leaf.hashCode();
    }

    /**
     * Makes a path from its names, the root's first.
     *
     * @param names at least one name
     * @return the path
     * @throws IllegalArgumentException if there is no name
     */
    public static ContextPath of(List<String> names) {
        ContextPath path = null;
        for (String name : requireNonNull(names, "names")) {
            path = new ContextPath(path, name);
        }
        if (path == null) {
            throw new IllegalArgumentException("a path needs at least one name: that of the root");
        }
        return path;
    }

    /**
     * Makes a path from its names, the root's first.
     *
     * @param names at least one name
     * @return the path
     * @throws IllegalArgumentException if there is no name
     */
    public static ContextPath of(String... names) {
        return of(Arrays.asList(requireNonNull(names, "names")));
    }

    /**
     * Reads the dotted form. Every text is a path: a backslash at the very end stands for itself.
     *
     * @param dotted the text, as {@link #toString} writes it
     * @return the path
     */
    public static ContextPath parse(String dotted) {
        requireNonNull(dotted, "dotted");
        ContextPath path = null;
        StringBuilder name = new StringBuilder();
        for (int i = 0; i < dotted.length(); i++) {
            char c = dotted.charAt(i);
            if (c == '\\' && i + 1 < dotted.length()) {
                i++;
                name.append(dotted.charAt(i));
            } else if (c == '.') {
                path = new ContextPath(path, name.toString());
                name.setLength(0);
            } else {
                name.append(c);
            }
        }
        return new ContextPath(path, name.toString());
    }

    /** {@return the names from the root down, at least one} */
    public List<String> names() {
        return List.of(namesFromTop());
    }

    private String[] namesFromTop() {
        String[] names = new String[depth];
        for (ContextPath path = this; path != null; path = path.parent) {
            names[path.depth - 1] = path.leaf;
        }
        return names;
    }

    /** {@return the last name} */
    public String leaf() {
        return leaf;
    }

    /** {@return how many names there are} */
    public int depth() {
        return depth;
    }

    /** {@return the path without its last name, or {@code null} for the root's path} */
    public @Nullable ContextPath parent() {
        return parent;
    }

    /**
     * Makes the path of a child.
     *
     * @param name the child's name
     * @return this path with one more name
     */
    public ContextPath child(String name) {
        return new ContextPath(this, name);
    }

    /**
     * Tells whether this path is the other one or lies below it.
     *
     * @param other the path of a possible ancestor
     * @return whether the other path's names begin this one
     */
    public boolean startsWith(ContextPath other) {
        return depth >= requireNonNull(other, "other").depth
                && upTo(other.depth).equals(other);
    }

    private ContextPath upTo(int wanted) {
        ContextPath path = this;
        while (path.depth > wanted) {
            path = requireNonNull(path.parent, "a path deeper than 1 has a parent");
        }
        return path;
    }

    @Override
    public int compareTo(ContextPath other) {
        requireNonNull(other, "other");
        ContextPath mine = upTo(Math.min(depth, other.depth));
        ContextPath its = other.upTo(Math.min(depth, other.depth));
        int byName = 0;
        // The difference nearest to the root decides, so the last one that is found on the way up.
        while (mine != its && mine != null && its != null) {
            int c = mine.leaf.compareTo(its.leaf);
            byName = c != 0 ? c : byName;
            mine = mine.parent;
            its = its.parent;
        }
        return byName != 0 ? byName : Integer.compare(depth, other.depth);
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof ContextPath p && p.hash == hash && p.depth == depth && compareTo(p) == 0;
    }

    @Override
    public int hashCode() {
        return hash;
    }

    /** {@return the dotted form} */
    @Override
    public String toString() {
        StringBuilder dotted = new StringBuilder();
        String[] names = namesFromTop();
        for (int i = 0; i < names.length; i++) {
            if (i > 0) {
                dotted.append('.');
            }
            append(dotted, names[i]);
        }
        return dotted.toString();
    }

    /** Adds a name as it stands in the dotted form. */
    static void append(StringBuilder dotted, String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '.' || c == '\\') {
                dotted.append('\\');
            }
            dotted.append(c);
        }
    }
}
