package com.fastn.status.cli;

import org.jspecify.annotations.Nullable;

/** The end of a command that cannot go on: what failed, why, and what to do next. */
class Trouble extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int exitCode;
    private final String what;
    private final String why;
    private final String next;
    /** Set before anybody else has it. */
    private boolean waiting;

    Trouble(int exitCode, String what, String why, String next) {
        this(exitCode, what, why, next, null);
    }

    Trouble(int exitCode, String what, String why, String next, @Nullable Throwable cause) {
        super(what + ": " + why, cause, false, true);
        this.exitCode = exitCode;
        this.what = what;
        this.why = why;
        this.next = next;
    }

    int exitCode() {
        return exitCode;
    }

    /** {@return why, on one line} */
    String why() {
        return why;
    }

    /** {@return what to do, on one line or several} */
    String next() {
        return next;
    }

    /** Notes that who told this is still listened to, and will say when it is over. {@return this} */
    Trouble waits() {
        waiting = true;
        return this;
    }

    /** {@return whether who told this will say when it is over} */
    boolean isWaiting() {
        return waiting;
    }

    /** {@return the lines for the error stream, without the last line feed} */
    String text() {
        return "fastn: " + what + "\n  why:  " + why + "\n  next: " + next.replace("\n", "\n        ");
    }
}
