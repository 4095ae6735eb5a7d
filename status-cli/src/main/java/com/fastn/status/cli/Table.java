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
    private static final String NOTHING = "-";

    private final List<List<String>> rows = new ArrayList<>();
    private final int widestCell;
    private final int widestColumn;
    private final boolean whole;

    Table(String... titles) {
        this(WIDEST_CELL, WIDEST_CELL, titles);
    }

    private Table(int widestCell, int widestColumn, String... titles) {
        this.widestCell = widestCell;
        this.widestColumn = widestColumn;
        this.whole = widestColumn < widestCell;
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
            row.add(text.isEmpty() ? NOTHING : text);
        }
        rows.add(row);
    }

    /**
     * Leaves out columns until the rest has room, or no more may be left out: a value that is cut helps nobody.
     *
     * @param terminal where the table is drawn
     * @param titles of the columns that may go, the one that is missed least first
     */
    void fit(Terminal terminal, String... titles) {
        for (String title : titles) {
            List<Integer> widths = widths();
            int all =
                    widths.stream().mapToInt(width -> width + BETWEEN.length()).sum() - BETWEEN.length();
            if (terminal.width() == 0 || all <= terminal.width()) {
                return;
            }
            int column = rows.get(0).indexOf(title);
            rows.forEach(row -> row.remove(column));
        }
    }

    private List<Integer> widths() {
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
        return widths;
    }

    /** {@return the lines, cut to the terminal's width} */
    String drawn(Terminal terminal) {
        List<Integer> widths = widths();
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            int column = 0;
            int cells = told(row);
            for (int i = 0; i < cells; i++) {
                int free = column - DisplayWidth.of(line);
                if (i > 0 && free < BETWEEN.length() && whole) {
                    // Below a value that is longer than its column, and in the column of the notes of others.
                    text.append(terminal.fitted(line.toString())).append('\n');
                    line.setLength(0);
                    free = column;
                }
                line.append(free < 0 ? BETWEEN : " ".repeat(free)).append(row.get(i));
                column += widths.get(i) + BETWEEN.length();
            }
            text.append(terminal.fitted(line.toString())).append('\n');
        }
        return text.toString();
    }

    /** {@return how many cells are drawn} Behind a long value, which has its line for itself, a line without a note would be lost. */
    private int told(List<String> row) {
        int cells = row.size();
        while (whole && cells > 1 && row.get(cells - 1).equals(NOTHING)) {
            cells--;
        }
        return cells;
    }
}
