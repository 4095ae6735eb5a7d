package com.fastn.status.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A small terminal: it obeys the control sequences that the command is allowed to use, and fails at every other one.
 *
 * <p>A cell holds one character with its marks; the second cell of a wide one is empty.
 */
final class TerminalEmulator {
    private static final Pattern SEQUENCE = Pattern.compile("\u001b\\[(\\??[0-9;]*)([A-Za-z])");

    private final int columns;
    private final int rows;
    private final String[][] cells;
    private int row;
    private int column;
    private boolean cursorVisible = true;
    private boolean alternate;
    private boolean coloured;
    private int scrolled;
    private int widest;

    TerminalEmulator(int columns, int rows) {
        this.columns = columns;
        this.rows = rows;
        this.cells = new String[rows][columns];
        clear(0, 0, rows - 1, columns - 1);
    }

    TerminalEmulator feed(String output) {
        Matcher sequence = SEQUENCE.matcher(output);
        for (int i = 0; i < output.length(); ) {
            int c = output.codePointAt(i);
            if (c == 0x1b) {
                if (!sequence.region(i, output.length()).lookingAt()) {
                    throw new AssertionError("an escape that is no sequence at " + i + ": " + around(output, i));
                }
                obey(sequence.group(1), sequence.group(2).charAt(0), output, i);
                i = sequence.end();
                continue;
            }
            if (c == '\n') {
                lineFeed();
                // Of a terminal in its usual mode: the line discipline adds the carriage return.
                column = 0;
            } else if (c == '\r') {
                column = 0;
            } else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
                throw new AssertionError("control character " + Integer.toHexString(c) + ": " + around(output, i));
            } else {
                print(c);
            }
            i += Character.charCount(c);
        }
        return this;
    }

    private void obey(String parameters, char command, String output, int at) {
        switch (parameters + command) {
            case "H" -> {
                row = 0;
                column = 0;
            }
            case "J" -> {
                clear(row, column, row, columns - 1);
                if (row + 1 < rows) {
                    clear(row + 1, 0, rows - 1, columns - 1);
                }
            }
            case "2J" -> clear(0, 0, rows - 1, columns - 1);
            case "K" -> clear(row, Math.min(column, columns - 1), row, columns - 1);
            case "?25l" -> cursorVisible = false;
            case "?25h" -> cursorVisible = true;
            case "?1049h" -> alternate = true;
            case "?1049l" -> alternate = false;
            case "0m" -> coloured = false;
            case "1m", "2m", "1;34m", "31m", "32m", "33m", "36m", "37m", "7m" -> coloured = true;
            default -> throw new AssertionError("sequence " + parameters + command + ": " + around(output, at));
        }
    }

    private void print(int c) {
        int width = width(c);
        if (width == 0) {
            int before = Math.max(0, Math.min(column, columns) - 1);
            while (before > 0 && cells[row][before].isEmpty()) {
                before--;
            }
            cells[row][before] += Character.toString(c);
            return;
        }
        if (column + width > columns) {
            lineFeed();
            column = 0;
        }
        cells[row][column] = Character.toString(c);
        if (width == 2) {
            cells[row][column + 1] = "";
        }
        column += width;
        widest = Math.max(widest, column);
    }

    private void lineFeed() {
        if (row + 1 < rows) {
            row++;
            return;
        }
        scrolled++;
        for (int i = 1; i < rows; i++) {
            cells[i - 1] = cells[i];
        }
        cells[rows - 1] = new String[columns];
        Arrays.fill(cells[rows - 1], " ");
    }

    private void clear(int fromRow, int fromColumn, int toRow, int toColumn) {
        for (int r = fromRow; r <= toRow; r++) {
            Arrays.fill(cells[r], r == fromRow ? fromColumn : 0, toColumn + 1, " ");
        }
    }

    private static int width(int c) {
        int type = Character.getType(c);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK || c == 0xfe0f || c == 0xfe0e) {
            return 0;
        }
        boolean wide = (c >= 0x1100 && c <= 0x115f)
                || c == 0x23f3
                || c == 0x2705
                || c == 0x274c
                || (c >= 0x2e80 && c <= 0xa4cf && c != 0x303f)
                || (c >= 0xac00 && c <= 0xd7a3)
                || (c >= 0xf900 && c <= 0xfaff)
                || (c >= 0xff00 && c <= 0xff60)
                || (c >= 0x1f300 && c <= 0x1f64f)
                || (c >= 0x1f680 && c <= 0x1f6ff)
                || (c >= 0x20000 && c <= 0x3fffd);
        return wide ? 2 : 1;
    }

    /** {@return what is on the screen, without what is blank at the ends of lines and below} */
    String screen() {
        List<String> lines = new ArrayList<>();
        for (String[] line : cells) {
            lines.add(String.join("", line).stripTrailing());
        }
        int last = lines.size();
        while (last > 0 && lines.get(last - 1).isEmpty()) {
            last--;
        }
        return String.join("\n", lines.subList(0, last)) + "\n";
    }

    boolean isCursorVisible() {
        return cursorVisible;
    }

    boolean isAlternate() {
        return alternate;
    }

    boolean isColoured() {
        return coloured;
    }

    int scrolled() {
        return scrolled;
    }

    /** {@return the last column that was written to, over all rows} */
    int widest() {
        return widest;
    }

    private static String around(String output, int at) {
        return output.substring(Math.max(0, at - 20), Math.min(output.length(), at + 20))
                .replace("\u001b", "ESC");
    }
}
