package com.fastn.context.status;

/**
 * The filter that every text from outside passes before it is drawn (rule S6): what a terminal would obey instead of show,
 * and what nobody can see, comes out as {@code \}{@code u{..}}.
 */
public final class Sanitizer {
    /** More marks than this on one letter reach into the rows above and below. */
    private static final int MOST_MARKS = 4;

    private Sanitizer() {}

    /**
     * {@return the text with everything unprintable spelled out} Cleaning twice changes nothing more.
     *
     * @param text any text
     */
    public static String clean(String text) {
        int i = 0;
        while (i < text.length() && isPlain(text.charAt(i))) {
            i++;
        }
        return i == text.length() ? text : cleanFrom(text, i);
    }

    /**
     * {@return the text, cleaned, on one line of bounded length; fit for a log, an error message or a row}
     *
     * @param text any text
     * @param longest how many characters at most, from which on an ellipsis stands for the rest
     */
    public static String line(String text, int longest) {
        // What is spelled out grows, so no more than this is needed, and a text of any length costs no more.
        String clean = clean(text.length() > longest ? text.substring(0, longest) : text);
        if (text.length() <= longest && clean.length() <= longest) {
            return clean;
        }
        int end = Math.min(clean.length(), longest);
        return (Character.isHighSurrogate(clean.charAt(end - 1))
                        ? clean.substring(0, end - 1)
                        : clean.substring(0, end))
                + '\u2026';
    }

    /**
     * {@return the text in ASCII: what we draw with gets a look-alike, every other character is spelled out}
     *
     * @param cleaned a text that was cleaned before
     */
    public static String ascii(String cleaned) {
        return AsciiText.of(cleaned);
    }

    /**
     * {@return JSON in which everything unprintable is escaped} Outside of texts valid JSON holds none of it but line feeds
     * and tabs, so the value stays the same.
     *
     * @param json valid JSON
     */
    public static String json(String json) {
        StringBuilder safe = null;
        for (int i = 0; i < json.length(); ) {
            int c = json.codePointAt(i);
            int end = i + Character.charCount(c);
            if (c != '\n' && c != '\t' && isUnprintable(c)) {
                if (safe == null) {
                    safe = new StringBuilder(json.length() + 64).append(json, 0, i);
                }
                for (int j = i; j < end; j++) {
                    safe.append("\\u%04x".formatted((int) json.charAt(j)));
                }
            } else if (safe != null) {
                safe.appendCodePoint(c);
            }
            i = end;
        }
        return safe == null ? json : safe.toString();
    }

    private static boolean isPlain(char c) {
        return c >= 0x20 && c < 0x7f;
    }

    private static String cleanFrom(String text, int firstOdd) {
        StringBuilder clean = new StringBuilder(text.length() + 16).append(text, 0, firstOdd);
        int before = firstOdd == 0 ? -1 : text.charAt(firstOdd - 1);
        int marks = 0;
        for (int i = firstOdd; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            marks = isMark(c) ? marks + 1 : 0;
            boolean shown = isVariationSelector(c)
                    ? takesVariation(before)
                    : !isUnprintable(c) && (marks == 0 || (before >= 0 && marks <= MOST_MARKS));
            if (shown) {
                clean.appendCodePoint(c);
            } else {
                clean.append("\\u{").append(Integer.toHexString(c)).append('}');
            }
            before = shown ? c : '}'; // what stands there now
        }
        return clean.toString();
    }

    private static boolean isUnprintable(int c) {
        int type = Character.getType(c);
        return type == Character.CONTROL // C0, DEL and C1
                || type == Character.FORMAT // bidi controls, zero-width characters, tags, the soft hyphen
                || type == Character.LINE_SEPARATOR
                || type == Character.PARAGRAPH_SEPARATOR
                || type == Character.SURROGATE
                || isInvisible(c)
                || (c & 0xfffe) == 0xfffe // never a character, by definition
                || (c >= 0xfdd0 && c <= 0xfdef);
    }

    /** {@return whether Unicode calls it ignorable although its category is that of a letter, a mark or nothing yet} */
    private static boolean isInvisible(int c) {
        return c == 0x034f
                || c == 0x115f
                || c == 0x1160
                || c == 0x17b4
                || c == 0x17b5
                || (c >= 0x180b && c <= 0x180f)
                || (c >= 0x2060 && c <= 0x206f)
                || c == 0x2800 // a braille pattern without dots
                || c == 0x3164
                || (c >= 0xfe00 && c <= 0xfe0d)
                || c == 0xffa0
                || (c >= 0xfff0 && c <= 0xfffb)
                || (c >= 0xe0000 && c <= 0xe0fff);
    }

    private static boolean isMark(int c) {
        int type = Character.getType(c);
        return type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK;
    }

    /** {@return whether it chooses between the text and the picture form of the character before it} */
    private static boolean isVariationSelector(int c) {
        return c == 0xfe0e || c == 0xfe0f;
    }

    private static boolean takesVariation(int before) {
        return (before >= 0x203c && before <= 0x3299) || before >= 0x1f000; // where the symbols are
    }
}
