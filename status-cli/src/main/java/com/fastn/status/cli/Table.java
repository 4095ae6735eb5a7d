package com.fastn.status.cli;

import com.fastn.context.status.DisplayWidth;
import com.fastn.context.status.Sanitizer;
import java.util.ArrayList;
import java.util.List;

/** Rows of cells, each column as wide as its widest cell. Every cell is cleaned (rule S6). */
final class Table {
    private static final int WIDEST_CELL = 120;
    private static final String BETWEEN = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    Table(String... titles) {
        row((Object[]) titles);
    }

    /** Adds a row; a cell without anything to tell is {@code -}. */
    void row(Object... cells) {
        List<String> row = new ArrayList<>();
        for (Object cell : cells) {
            String text = Sanitizer.line(String.valueOf(cell), WIDEST_CELL);
            row.add(text.isEmpty() ? "-" : text);
        }
        rows.add(row);
    }

    /** {@return the lines, cut to the terminal's width} */
    String drawn(Terminal terminal) {
        List<Integer> widths = new ArrayList<>();
        for (List<String> row : rows) {
            for (int i = 0; i < row.size(); i++) {
                int width = DisplayWidth.of(row.get(i));
                if (i == widths.size()) {
                    widths.add(width);
                }
                widths.set(i, Math.max(widths.get(i), width));
            }
        }
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                line.append(i == 0 ? "" : BETWEEN).append(row.get(i));
                line.append(" ".repeat(i == row.size() - 1 ? 0 : widths.get(i) - DisplayWidth.of(row.get(i))));
            }
            text.append(terminal.fitted(line.toString())).append('\n');
        }
        return text.toString();
    }
}
