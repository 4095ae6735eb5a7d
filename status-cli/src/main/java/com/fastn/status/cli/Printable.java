package com.fastn.status.cli;

import com.fastn.context.status.Sanitizer;

/** Makes text from outside fit for one line of a terminal (rule S6). Snapshots need it not: the renderers clean what they draw. */
final class Printable {
    private static final int LONGEST_LINE = 400;

    private Printable() {}

    /** {@return the text on one line, of bounded length, with what a terminal would obey spelled out} */
    static String line(String text) {
        return Sanitizer.line(text, LONGEST_LINE);
    }
}
