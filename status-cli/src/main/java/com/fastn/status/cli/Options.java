package com.fastn.status.cli;

/** Options that several commands have. */
@FunctionalInterface
interface Options {
    /** Tells them to what the command line may say. */
    void tell(Syntax syntax);
}
