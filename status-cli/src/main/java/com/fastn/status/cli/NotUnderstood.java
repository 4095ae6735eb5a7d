package com.fastn.status.cli;

/** A node that was asked answers that it does not understand the question, as one of another version may. */
final class NotUnderstood extends Trouble {
    private static final long serialVersionUID = 1;

    NotUnderstood(String what, String why, String next) {
        super(ExitCode.ERROR, what, why, next);
    }
}
