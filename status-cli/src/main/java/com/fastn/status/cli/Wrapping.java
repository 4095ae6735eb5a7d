package com.fastn.status.cli;

import com.fastn.context.status.DisplayWidth;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Puts what is wider than a screen on several lines, for what somebody has to read to its end. Our own colours take no room. */
final class Wrapping {
    private static final char ESCAPE = '\u001b';
    private static final Pattern COLOUR = Pattern.compile("\u001b\\[[0-9;]*m");
    private static final int FEWEST_COLUMNS = 8;

    private Wrapping() {}

    /**
     * Breaks a line between words, and a word that is wider than the screen within it.
     *
     * @param line the line, cleaned before
     * @param columns the screen
     * @param indent how far in the lines below the first one begin; where that leaves no room for them, not at all
     * @return one line or more, none wider than the screen unless a character is
     */
    static List<String> of(String line, int columns, int indent) {
        List<String> all = new ArrayList<>();
        int margin = columns >= indent + FEWEST_COLUMNS ? indent : 0;
        String rest = line;
        while (width(rest) > columns) {
            int end = fitting(rest, columns);
            int blank = rest.lastIndexOf(' ', end);
            // What stands left of the margin is a name or a sign, and stays with what it is about.
            int stop = blank > Math.max(margin, blanks(rest)) ? blank : end;
            all.add(rest.substring(0, stop).stripTrailing());
            rest = " ".repeat(margin) + rest.substring(stop).stripLeading();
        }
        if (all.isEmpty() || !rest.isBlank()) {
            all.add(rest);
        }
        return all;
    }

    private static int width(String line) {
        return DisplayWidth.of(
                line.indexOf(ESCAPE) < 0 ? line : COLOUR.matcher(line).replaceAll(""));
    }

    /** {@return with how many blanks a line begins} */
    static int blanks(String line) {
        int count = 0;
        while (count < line.length() && line.charAt(count) == ' ') {
            count++;
        }
        return count;
    }

    /** {@return how many characters of a line have room, and at least one more than the blanks that it begins with} */
    private static int fitting(String line, int columns) {
        int begin = blanks(line);
        int low = Math.min(line.length(), begin + 1);
        int high = line.length();
        while (low < high) {
            int middle = (low + high + 1) / 2;
            if (width(line.substring(0, middle)) <= columns) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        int escape = line.lastIndexOf(ESCAPE, low - 1);
        if (escape > begin && line.indexOf('m', escape) >= low) {
            return escape;
        }
        boolean splits = low < line.length() && Character.isHighSurrogate(line.charAt(low - 1));
        return splits ? (low - 1 > begin ? low - 1 : Math.min(line.length(), low + 1)) : low;
    }
}
