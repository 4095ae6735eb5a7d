package com.fastn.status.cli;

import com.fastn.context.status.DisplayWidth;
import com.fastn.context.status.Sanitizer;
import java.util.ArrayList;
import java.util.List;

/** Rows of cells, each column as wide as its widest cell. Every cell is cleaned (rule S6). */
final class Table {
    private static final int WIDEST_CELL = 120;
    /** Longer paths there are none. */
    private static final int WHOLE_CELL = 4_096;
    /** What is longer does not move what stands beside the cells of other rows. */
    private static final int WIDEST_WHOLE_COLUMN = 40;

    private static final String BETWEEN = "  ";

    private final List<List<String>> rows = new ArrayList<>();
    private final int widestCell;
    private final int widestColumn;

    Table(String... titles) {
        this(WIDEST_CELL, WIDEST_CELL, titles);
    }

    private Table(int widestCell, int widestColumn, String... titles) {
        this.widestCell = widestCell;
        this.widestColumn = widestColumn;
        row((Object[]) titles);
    }

    /** {@return one whose cells are not cut, such as paths that somebody will copy} */
    static Table whole(String... titles) {
        return new Table(WHOLE_CELL, WIDEST_WHOLE_COLUMN, titles);
    }

    /** Adds a row; a cell without anything to tell is {@code -}. */
    void row(Object... cells) {
        List<String> row = new ArrayList<>();
        for (Object cell : cells) {
            String text = Sanitizer.line(String.valueOf(cell), widestCell);
            row.add(text.isEmpty() ? "-" : text);
        }
        rows.add(row);
    }

    /** {@return the lines, cut to the terminal's width} */
    String drawn(Terminal terminal) {
        List<Integer> widths = new ArrayList<>();
        for (List<String> row : rows) {
            for (int i = 0; i < row.size(); i++) {
                int width = Math.min(widestColumn, DisplayWidth.of(row.get(i)));
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
                int missing = widths.get(i) - DisplayWidth.of(row.get(i));
                line.append(" ".repeat(i == row.size() - 1 ? 0 : Math.max(0, missing)));
            }
            text.append(terminal.fitted(line.toString())).append('\n');
        }
        return text.toString();
    }
}
