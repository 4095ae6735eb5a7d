package com.fastn.status;

/** Makes text of others fit for one line of a log or of an error message (rules S6, S7). */
final class Printable {
    private static final int LONGEST = 200;

    private Printable() {}

    /** {@return the text with controls, line ends and direction marks spelled out, cut to a sensible length} */
    static String line(String text) {
        StringBuilder out = new StringBuilder(Math.min(text.length(), LONGEST) + 16);
        int i = 0;
        while (i < text.length()) {
            if (out.length() >= LONGEST) {
                return out.append("..").toString();
            }
            int point = text.codePointAt(i);
            if (isHarmless(point)) {
                out.appendCodePoint(point);
            } else {
                out.append("\\u{").append(Integer.toHexString(point)).append('}');
            }
            i += Character.charCount(point);
        }
        return out.toString();
    }

    private static boolean isHarmless(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }
}
