package com.fastn.status.cli;

/** Makes text from outside fit for a terminal (rule S6). Snapshots need it not: the renderers clean what they draw. */
final class Printable {
    private static final int LONGEST_LINE = 400;

    private Printable() {}

    /** {@return the text on one line, of bounded length, with what a terminal would obey spelled out} */
    static String line(String text) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (line.length() >= LONGEST_LINE) {
                return line.append('…').toString();
            }
            if (isShown(c)) {
                line.appendCodePoint(c);
            } else {
                line.append("\\u{").append(Integer.toHexString(c)).append('}');
            }
        }
        return line.toString();
    }

    /**
     * Escapes in JSON what a terminal would obey. Outside of texts valid JSON holds none of it but line feeds and tabs, so
     * the value stays the same.
     */
    static String json(String json) {
        StringBuilder safe = null;
        for (int i = 0; i < json.length(); ) {
            int c = json.codePointAt(i);
            int end = i + Character.charCount(c);
            if (c != '\n' && c != '\t' && !isShown(c)) {
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

    private static boolean isShown(int c) {
        if (c >= 0x20 && c < 0x7f) {
            return true;
        }
        int type = Character.getType(c);
        return type != Character.CONTROL
                && type != Character.FORMAT
                && type != Character.LINE_SEPARATOR
                && type != Character.PARAGRAPH_SEPARATOR
                && type != Character.SURROGATE
                && type != Character.PRIVATE_USE
                && type != Character.UNASSIGNED;
    }
}
