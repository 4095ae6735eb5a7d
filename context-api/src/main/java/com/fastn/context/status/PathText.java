package com.fastn.context.status;

import org.jspecify.annotations.Nullable;

/**
 * The dotted form of one path after another, without a new text for each: siblings share all but the last name, and a first
 * child only adds one.
 */
final class PathText {
    private final StringBuilder text = new StringBuilder();
    private char[] chars = new char[256];
    private @Nullable ContextPath last;
    private int parentEnd;

    /** {@return how many characters of {@link #chars} are the path} */
    @SuppressWarnings("ReferenceEquality") // paths of one tree share their parents, and others are only slower
    int set(ContextPath path) {
        ContextPath parent = path.parent();
        ContextPath before = last;
        int kept = 0;
        if (parent == null) {
            text.setLength(0);
        } else {
            if (before != null && parent == before.parent()) {
                text.setLength(parentEnd);
                kept = parentEnd;
            } else if (parent == before) {
                kept = text.length();
            } else {
                text.setLength(0);
                text.append(parent);
            }
            parentEnd = text.length();
            text.append('.');
        }
        ContextPath.append(text, path.leaf());
        last = path;
        return copied(kept);
    }

    /**
     * For a walk that knows where the paths of all ancestors end, also those it has left since.
     *
     * @param endOfParent how many characters of the last paths are the parent's path
     * @param name the child's name
     * @return how many characters the child's path has
     */
    int child(int endOfParent, String name) {
        text.setLength(endOfParent);
        text.append('.');
        ContextPath.append(text, name);
        last = null;
        return copied(endOfParent);
    }

    private int copied(int kept) {
        int length = text.length();
        if (chars.length < length) {
            chars = new char[2 * length];
            text.getChars(0, length, chars, 0);
        } else {
            text.getChars(kept, length, chars, kept);
        }
        return length;
    }

    /** {@return the characters, valid until the next path is set} */
    char[] chars() {
        return chars;
    }
}
