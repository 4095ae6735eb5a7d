package com.fastn.status.cli;

import java.util.concurrent.Callable;

/** A command of the program. What it returns is the exit code. */
interface Subcommand extends Callable<Integer> {
    /** {@return what its command line may say} */
    Syntax syntax();
}
