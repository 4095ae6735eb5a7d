package com.fastn.status.cli;

import picocli.CommandLine.Option;

/** The options of every command. */
final class CommonOptions {
    static final String DEBUG = "--debug";

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this help.")
    boolean help;

    @Option(names = DEBUG, description = "Shows where in the program an error comes from.")
    boolean debug;
}
