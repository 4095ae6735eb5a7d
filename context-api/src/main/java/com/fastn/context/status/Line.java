package com.fastn.context.status;

/** One line of the drawing while it is put together. Whatever is added is cleaned; only colours of our own go in beside it. */
final class Line {
    private final boolean colours;
    private final StringBuilder body = new StringBuilder();
    private final StringBuilder mark = new StringBuilder();

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
        String start = ascii ? AsciiText.of(body) : body.toString();
        String end = ascii ? AsciiText.of(mark) : mark.toString();
        String whole = start + end;
        if (width <= 0 || DisplayWidth.of(whole) <= width) {
            return whole;
        }
        String ellipsis = ascii ? AsciiText.ELLIPSIS : DisplayWidth.ELLIPSIS;
        int markWidth = DisplayWidth.of(end);
        return markWidth > 0 && markWidth <= width / 2
                ? DisplayWidth.cut(start, width - markWidth, ellipsis) + end
                : DisplayWidth.cut(whole, width, ellipsis);
    }

    private void append(StringBuilder target, Ink ink, String text) {
        if (text.isEmpty()) {
            return;
        }
        boolean coloured = colours && ink != Ink.PLAIN;
        target.append(coloured ? ink.start() : "").append(Sanitizer.clean(text)).append(coloured ? Ink.RESET : "");
    }
}
