package com.fastn.status.cli;

/**
 * How large a terminal is.
 *
 * @param columns how wide; 0 when unknown
 * @param rows how high; 0 when unknown
 */
record Size(int columns, int rows) {
    static final Size UNKNOWN = new Size(0, 0);
}
