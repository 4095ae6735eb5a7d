package com.fastn.status;

import com.fastn.context.status.Sanitizer;

/** Makes text of others fit for one line of a log or of an error message (rules S6, S7). */
final class Printable {
    private static final int LONGEST_LINE = 200;

    private Printable() {}

    /** {@return the text on one line, of bounded length, with what a terminal or a log would obey spelled out} */
    static String line(String text) {
        return Sanitizer.line(text, LONGEST_LINE);
    }
}
