package com.fastn.context.status;

/** The lines of a drawing, each cut to the width of the screen and moved in by the indent. */
final class Page {
    private final StringBuilder out = new StringBuilder();
    private final boolean colours;
    private final int width;
    private String indent = "";

    Page(boolean colours, int width) {
        this.colours = colours;
        this.width = width;
    }

    Line line() {
        return new Line(colours).add(indent);
    }

    void end(Line line) {
        out.append(line.text(width)).append('\n');
    }

    /** Adds an empty line, unless the page begins here. */
    void gap() {
        if (!out.isEmpty()) {
            out.append('\n');
        }
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
