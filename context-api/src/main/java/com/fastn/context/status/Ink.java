package com.fastn.context.status;

/** The colours and weights of the drawing: the only escape sequences that ever leave the renderer. */
enum Ink {
    PLAIN(""),
    TITLE("1;34"),
    BOLD("1"),
    DIM("2"),
    RED("31"),
    GREEN("32"),
    YELLOW("33"),
    CYAN("36"),
    WHITE("37");

    static final char ESCAPE = '\u001b';
    static final String RESET = ESCAPE + "[0m";

    private final String start;

    Ink(String code) {
        this.start = code.isEmpty() ? "" : ESCAPE + "[" + code + "m";
    }

    /** {@return the sequence that begins this colour, or the empty string} */
    String start() {
        return start;
    }
}
