package com.fastn.status.cli;

/** What the process says to a script when it ends. */
final class ExitCode {
    /** Everything that was asked for was shown. */
    static final int OK = 0;
    /** Something failed that is neither of the others. */
    static final int ERROR = 1;
    /** The command line is not understood, or does not say which node is meant. */
    static final int USAGE = 2;
    /** No node answered. */
    static final int UNREACHABLE = 3;
    /** Status was shown, but a node of it did not answer, or two live nodes use one alias (rule D4). */
    static final int PARTIAL = 4;

    private ExitCode() {}
}
