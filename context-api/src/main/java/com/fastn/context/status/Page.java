package com.fastn.context.status;

/** The lines of a drawing, each cut to the width of the screen and moved in by the indent. */
final class Page {
    private final StringBuilder out = new StringBuilder();
    private final boolean colours;
    private final int width;
    private final boolean ascii;
    private String indent = "";
    private int lines;

    Page(boolean colours, int width) {
        this(colours, width, false);
    }

    Page(boolean colours, int width, boolean ascii) {
        this.colours = colours;
        this.width = width;
        this.ascii = ascii;
    }

    Line line() {
        return new Line(colours).add(indent);
    }

    void end(Line line) {
        out.append(line.text(width, ascii)).append('\n');
        lines++;
    }

    /** Adds an empty line, unless the page begins here. */
    void gap() {
        if (!out.isEmpty()) {
            out.append('\n');
            lines++;
        }
    }

    /** {@return how many lines there are} */
    int lines() {
        return lines;
    }

    void indent(String columns) {
        indent = columns;
    }

    int width() {
        return width;
    }

    String text() {
        return out.toString();
    }
}
