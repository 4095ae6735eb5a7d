package com.fastn.context.status;

/** The columns of a terminal that a text takes. Where terminals differ, it counts the wider answer. */
public final class DisplayWidth {
    static final String ELLIPSIS = "…";

    private static final int PICTURE_SELECTOR = 0xfe0f;

    /** First and last code points of what takes two columns, in order. */
    private static final int[] WIDE = {
        0x1100, 0x115f, 0x231a, 0x231b, 0x2329, 0x232a, 0x23e9, 0x23ec, 0x23f0, 0x23f0, 0x23f3, 0x23f3, 0x25fd, 0x25fe,
        0x2614, 0x2615, 0x2648, 0x2653, 0x267f, 0x267f, 0x2693, 0x2693, 0x26a1, 0x26a1, 0x26aa, 0x26ab, 0x26bd, 0x26be,
        0x26c4, 0x26c5, 0x26ce, 0x26ce, 0x26d4, 0x26d4, 0x26ea, 0x26ea, 0x26f2, 0x26f3, 0x26f5, 0x26f5, 0x26fa, 0x26fa,
        0x26fd, 0x26fd, 0x2705, 0x2705, 0x270a, 0x270b, 0x2728, 0x2728, 0x274c, 0x274c, 0x274e, 0x274e, 0x2753, 0x2755,
        0x2757, 0x2757, 0x2795, 0x2797, 0x27b0, 0x27b0, 0x27bf, 0x27bf, 0x2b1b, 0x2b1c, 0x2b50, 0x2b50, 0x2b55, 0x2b55,
        0x2e80, 0x303e, 0x3041, 0x4dbf, 0x4e00, 0xa4cf, 0xa960, 0xa97f, 0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe10, 0xfe19,
        0xfe30, 0xfe6f, 0xff00, 0xff60, 0xffe0, 0xffe6, 0x16fe0, 0x18aff, 0x1aff0, 0x1b2ff, 0x1f004, 0x1f004, 0x1f0cf,
        0x1f0cf, 0x1f18e, 0x1f18e, 0x1f191, 0x1f19a, 0x1f1e6, 0x1f320, 0x1f321, 0x1f64f, 0x1f680, 0x1f6ff, 0x1f7e0,
        0x1f7eb, 0x1f900, 0x1faff, 0x20000, 0x3fffd
    };

    private DisplayWidth() {}

    /**
     * {@return the columns that a text takes, not counting our own colour sequences}
     *
     * @param text a text that a {@link Sanitizer} has cleaned
     */
    public static int of(CharSequence text) {
        int width = 0;
        for (int i = 0; i < text.length(); ) {
            int end = endOfSequence(text, i);
            if (end == i) {
                end = endOfCluster(text, i);
                width += ofCluster(text, i, end);
            }
            i = end;
        }
        return width;
    }

    /**
     * Cuts a text to a width, with an ellipsis where something is missing. A colour sequence is kept whole or not at all, a
     * character keeps its marks, and no colour stays open.
     *
     * @param text a text that a {@link Sanitizer} has cleaned
     * @param width the columns that there are, at least 1
     * @return the text itself where it fits, or its beginning with an ellipsis
     */
    public static String cut(String text, int width) {
        return cut(text, width, ELLIPSIS);
    }

    /** Cuts a text as {@link #cut(String, int)} does, with another ellipsis; where not even that fits, it is cut too. */
    static String cut(String text, int width, String ellipsis) {
        if (of(text) <= width) {
            return text;
        }
        StringBuilder kept = new StringBuilder();
        int used = 0;
        boolean coloured = false;
        for (int i = 0; i < text.length(); ) {
            int end = endOfSequence(text, i);
            if (end == i) {
                end = endOfCluster(text, i);
                used += ofCluster(text, i, end);
                if (used > width - ellipsis.length()) {
                    break;
                }
            } else {
                coloured = !text.startsWith(Ink.RESET, i);
            }
            kept.append(text, i, end);
            i = end;
        }
        return kept.append(ellipsis, 0, Math.max(1, Math.min(ellipsis.length(), width)))
                .append(coloured ? Ink.RESET : "")
                .toString();
    }

    /** {@return where the colour sequence that begins here ends, or the same place when none begins} */
    private static int endOfSequence(CharSequence text, int start) {
        if (text.charAt(start) != Ink.ESCAPE) {
            return start;
        }
        int i = start;
        while (i < text.length() && text.charAt(i) != 'm') {
            i++;
        }
        return Math.min(i + 1, text.length());
    }

    /** {@return where the character that begins here ends, its marks included} */
    private static int endOfCluster(CharSequence text, int start) {
        int i = start + Character.charCount(Character.codePointAt(text, start));
        while (i < text.length()) {
            int c = Character.codePointAt(text, i);
            if (!takesNoColumn(c)) {
                break;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    private static int ofCluster(CharSequence text, int start, int end) {
        int first = Character.codePointAt(text, start);
        if (text.charAt(end - 1) == PICTURE_SELECTOR || isWide(first)) {
            return 2;
        }
        return takesNoColumn(first) ? 0 : 1;
    }

    private static boolean takesNoColumn(int c) {
        if (c < 0x300) {
            return false;
        }
        int type = Character.getType(c);
        return type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK || type == Character.FORMAT;
    }

    private static boolean isWide(int c) {
        if (c < WIDE[0]) {
            return false;
        }
        int low = 0;
        int high = WIDE.length / 2 - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (c < WIDE[2 * middle]) {
                high = middle - 1;
            } else if (c > WIDE[2 * middle + 1]) {
                low = middle + 1;
            } else {
                return true;
            }
        }
        return false;
    }
}
