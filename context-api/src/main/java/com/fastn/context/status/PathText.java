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
        if (parent == null) {
            text.setLength(0);
        } else {
            if (before != null && parent == before.parent()) {
                text.setLength(parentEnd);
            } else if (parent != before) {
                text.setLength(0);
                text.append(parent);
            }
            parentEnd = text.length();
            text.append('.');
        }
        ContextPath.append(text, path.leaf());
        last = path;
        int length = text.length();
        if (chars.length < length) {
            chars = new char[2 * length];
        }
        text.getChars(0, length, chars, 0);
        return length;
    }

    /** {@return the characters, valid until the next path is set} */
    char[] chars() {
        return chars;
    }
}
