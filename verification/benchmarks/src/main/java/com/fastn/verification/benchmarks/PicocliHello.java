package com.fastn.verification.benchmarks;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The least that a command of picocli does, which is what {@code fastn status} is measured beside. */
@Command(name = "hello", mixinStandardHelpOptions = true, version = "1", description = "Says hello.")
public final class PicocliHello implements Callable<Integer> {
    @Option(names = "--name", description = "Whom to greet.")
    String name = "world";

    private PicocliHello() {}

    @Override
    public Integer call() {
        System.out.println("Hello, " + name + "!");
        return 0;
    }

    /**
     * Says hello.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new PicocliHello()).execute(arguments));
    }
}
