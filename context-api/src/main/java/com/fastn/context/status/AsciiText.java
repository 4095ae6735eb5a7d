package com.fastn.context.status;

import java.util.Map;

/** Text for terminals that show nothing but ASCII: what is drawn gets a look-alike, every other character is spelled out. */
final class AsciiText {
    static final String ELLIPSIS = "...";

    private static final int PICTURE_SELECTOR = 0xfe0f;

    private static final Map<Integer, String> LOOK_ALIKES = Map.ofEntries(
            glyph('├', "|"),
            glyph('└', "`"),
            glyph('─', "-"),
            glyph('│', "|"),
            glyph('…', ELLIPSIS),
            glyph('●', "*"),
            glyph('◐', "~"),
            glyph('○', "o"),
            glyph('◆', "#"),
            glyph('▸', ">"),
            glyph('▾', "v"),
            glyph('↓', "in"),
            glyph('↑', "out"),
            glyph('∞', "inf"),
            glyph(0x1f512, "[lock]"),
            glyph('⏳', "[wait]"),
            glyph('⚠', "[!]"),
            glyph(0x1f6a8, "[!!]"),
            glyph('ℹ', "[i]"),
            glyph('✅', "[ok]"),
            glyph('❌', "[x]"));

    private AsciiText() {}

    private static Map.Entry<Integer, String> glyph(int codePoint, String lookAlike) {
        return Map.entry(codePoint, lookAlike);
    }

    /** {@return the text in ASCII; what is ASCII already stays, colour sequences too} */
    static String of(CharSequence text) {
        StringBuilder ascii = new StringBuilder(text.length() + 16);
        boolean afterGlyph = false;
        for (int i = 0; i < text.length(); ) {
            int c = Character.codePointAt(text, i);
            i += Character.charCount(c);
            if (c < 0x80) {
                ascii.append((char) c);
                afterGlyph = false;
                continue;
            }
            String lookAlike = LOOK_ALIKES.get(c);
            if (lookAlike != null) {
                ascii.append(lookAlike);
            } else if (c != PICTURE_SELECTOR || !afterGlyph) {
                ascii.append("\\u{").append(Integer.toHexString(c)).append('}');
            }
            afterGlyph = lookAlike != null;
        }
        return ascii.toString();
    }
}
