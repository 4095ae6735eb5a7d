package com.fastn.status.cli;

/** A node that was asked knows nobody, or no part of the tree, by the name that was given. */
final class NotFound extends Trouble {
    private static final long serialVersionUID = 1;

    NotFound(String what, String why) {
        super(ExitCode.ERROR, what, why, "fastn status --cluster shows every node by its name");
    }
}
