package com.fastn.context.status;

import java.util.ArrayList;
import java.util.List;

/** One line of the drawing while it is put together. Whatever is added is cleaned; only colours of our own go in beside it. */
final class Line {
    private static final int SHORTEST_NAME = 6;

    private final boolean colours;
    private final StringBuilder body = new StringBuilder();
    private final StringBuilder mark = new StringBuilder();
    /** Where names begin and end in the body that are cut before anything else. */
    private final List<int[]> names = new ArrayList<>(2);

    private int kept;

    Line(boolean colours) {
        this.colours = colours;
    }

    Line add(String text) {
        body.append(Sanitizer.clean(text));
        return this;
    }

    Line add(Ink ink, String text) {
        append(body, ink, text);
        return this;
    }

    /** Adds a name in quotes that stay uncoloured. */
    Line quoted(Ink ink, String name) {
        return add("\"").add(ink, name).add("\"");
    }

    /** Adds a name that a narrow screen cuts for what is {@linkplain #keep kept} behind it. */
    Line name(Ink ink, String name) {
        boolean coloured = colours && ink != Ink.PLAIN && !name.isEmpty();
        int begin = body.length() + (coloured ? ink.start().length() : 0);
        append(body, ink, name);
        names.add(new int[] {begin, body.length() - (coloured ? Ink.RESET.length() : 0)});
        return this;
    }

    /** Keeps what was added so far, but for its names, while a narrow screen cuts what comes behind it. */
    Line keep() {
        kept = body.length();
        return this;
    }

    /** Adds a mark to the end, which a narrow screen keeps while it cuts what is before it. */
    Line mark(Ink ink, String text) {
        append(mark, ink, text);
        return this;
    }

    /**
     * Ends the line.
     *
     * @param width the columns that there are, or 0 for no limit
     * @return the text without a line break
     */
    String text(int width) {
        return text(width, false);
    }

    /**
     * Ends the line.
     *
     * @param width the columns that there are, or 0 for no limit
     * @param ascii whether nothing but ASCII can be shown
     * @return the text without a line break
     */
    String text(int width, boolean ascii) {
        String start = shown(body, ascii);
        String end = shown(mark, ascii);
        String whole = start + end;
        if (width <= 0 || DisplayWidth.of(whole) <= width) {
            return whole;
        }
        String ellipsis = ascii ? AsciiText.ELLIPSIS : DisplayWidth.ELLIPSIS;
        int markWidth = DisplayWidth.of(end);
        boolean marked = markWidth > 0 && markWidth <= width / 2;
        int columns = marked ? width - markWidth : width;
        String rest = shown(body.substring(kept), ascii) + (marked ? "" : end);
        String text = beginning(columns - Math.min(DisplayWidth.of(rest), ellipsis.length()), ellipsis, ascii) + rest;
        return DisplayWidth.cut(text, columns, ellipsis) + (marked ? end : "");
    }

    /** {@return what is kept, with names as short as they have to be; the longest is cut first} */
    private String beginning(int columns, String ellipsis, boolean ascii) {
        int[] widths = new int[names.size()];
        for (int i = 0; i < widths.length; i++) {
            widths[i] = DisplayWidth.of(name(i, ascii));
        }
        int lacking = DisplayWidth.of(shown(body.substring(0, kept), ascii)) - columns;
        for (int longest = longest(widths); lacking > 0 && longest >= 0; longest = longest(widths)) {
            widths[longest]--;
            lacking--;
        }
        StringBuilder text = new StringBuilder();
        int done = 0;
        for (int i = 0; i < widths.length && names.get(i)[1] <= kept; i++) {
            text.append(shown(body.substring(done, names.get(i)[0]), ascii))
                    .append(DisplayWidth.cut(name(i, ascii), Math.max(1, widths[i]), ellipsis));
            done = names.get(i)[1];
        }
        return text.append(shown(body.substring(done, kept), ascii)).toString();
    }

    private String name(int i, boolean ascii) {
        return shown(body.substring(names.get(i)[0], names.get(i)[1]), ascii);
    }

    /** {@return which name can be cut most, or -1 when none can} */
    private static int longest(int[] widths) {
        int longest = -1;
        for (int i = 0; i < widths.length; i++) {
            if (widths[i] > (longest < 0 ? SHORTEST_NAME : widths[longest])) {
                longest = i;
            }
        }
        return longest;
    }

    private static String shown(CharSequence text, boolean ascii) {
        return ascii ? AsciiText.of(text) : text.toString();
    }

    private void append(StringBuilder target, Ink ink, String text) {
        if (text.isEmpty()) {
            return;
        }
        boolean coloured = colours && ink != Ink.PLAIN;
        target.append(coloured ? ink.start() : "").append(Sanitizer.clean(text)).append(coloured ? Ink.RESET : "");
    }
}
