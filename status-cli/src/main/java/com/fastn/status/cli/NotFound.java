package com.fastn.status.cli;

/** A node that was asked answers that there is nothing of the kind: nobody, or no part of the tree, by the name that was given. */
final class NotFound extends Trouble {
    private static final long serialVersionUID = 1;

    NotFound(String what, String why, String next) {
        super(ExitCode.ERROR, what, why, next);
    }
}
