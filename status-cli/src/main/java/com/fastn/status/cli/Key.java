package com.fastn.status.cli;

/**
 * A key that was pressed.
 *
 * @param kind which one
 * @param character the character, for {@link Kind#CHARACTER}
 */
record Key(Kind kind, char character) {
    static final char CTRL_C = 3;

    static Key of(Kind kind) {
        return new Key(kind, '\0');
    }

    static Key of(char character) {
        return new Key(Kind.CHARACTER, character);
    }

    /** {@return the exit code where this key ends the command} A terminal that makes no signal of Ctrl-C gives its character. */
    int exitCode() {
        return character == CTRL_C ? ExitCode.INTERRUPTED : ExitCode.OK;
    }

    /** What a key is. */
    enum Kind {
        CHARACTER,
        UP,
        DOWN,
        LEFT,
        RIGHT,
        PAGE_UP,
        PAGE_DOWN,
        HOME,
        END,
        ENTER,
        ESCAPE,
        BACKSPACE,
        /** One that means nothing here. */
        OTHER,
        /** The terminal has another size now. */
        RESIZED,
        /** The input has ended. */
        GONE
    }

    /** {@return the key of what stands between the brackets of a sequence, such as {@code [A} without its escape} */
    static Kind ofSequence(String sequence) {
        return switch (sequence) {
            case "[A", "OA" -> Kind.UP;
            case "[B", "OB" -> Kind.DOWN;
            case "[C", "OC" -> Kind.RIGHT;
            case "[D", "OD" -> Kind.LEFT;
            case "[5~" -> Kind.PAGE_UP;
            case "[6~" -> Kind.PAGE_DOWN;
            case "[H", "OH", "[1~", "[7~" -> Kind.HOME;
            case "[F", "OF", "[4~", "[8~" -> Kind.END;
            case "" -> Kind.ESCAPE;
            default -> Kind.OTHER;
        };
    }
}
