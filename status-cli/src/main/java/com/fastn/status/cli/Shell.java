package com.fastn.status.cli;

import java.util.regex.Pattern;

/** Writes words of a command that somebody may paste into a shell. */
final class Shell {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_.:@%+/][A-Za-z0-9_.:@%+/-]*");

    private Shell() {}

    /** {@return the word, quoted if a shell would see more in it than a word} */
    static String quoted(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + Printable.line(word).replace("'", "'\\''") + "'";
    }
}
