package com.fastn.status.cli;

/** What the process says to a script when it ends. */
final class ExitCode {
    /** Everything that was asked for was shown. */
    static final int OK = 0;
    /** Something failed that is none of the others. */
    static final int ERROR = 1;
    /** The command line is not understood, or does not say which node is meant. */
    static final int USAGE = 2;
    /** No node answered. */
    static final int UNREACHABLE = 3;
    /** Status was shown, but a node of it did not answer, or two live nodes use one alias (rule D4). */
    static final int PARTIAL = 4;
    /** Status was shown, and has a warning as bad as {@code --fail-on} names; told before {@link #PARTIAL}. */
    static final int WARNED = 5;
    /** Ctrl-C. The virtual machine ends with it by itself, unless the terminal gives a key for it. */
    static final int INTERRUPTED = 130;

    /** The line of every help that tells them. */
    static final String TOLD =
            "Exit codes: 0 all shown, 1 error, 2 not clear what is meant, 3 no node answered, 4 some node"
                    + " did not answer or two live nodes share an alias, 5 --fail-on found a warning, 130 interrupted.";

    private ExitCode() {}
}
