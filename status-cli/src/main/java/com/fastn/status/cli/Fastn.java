package com.fastn.status.cli;

import static java.util.Objects.requireNonNullElse;

import com.fastn.context.Ticker;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code fastn} program. */
@Command(
        name = "fastn",
        description = "Tells what Vert.x applications are doing.",
        synopsisSubcommandLabel = "COMMAND",
        versionProvider = Fastn.Version.class)
public final class Fastn {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this help.")
    boolean help;

    @Option(names = "--version", versionHelp = true, description = "Shows the version.")
    boolean version;

    private Fastn() {}

    /**
     * Runs the program and ends the process.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        // Of the processes of POSIX systems the default encoding says little: without a locale it is ASCII.
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        Surroundings surroundings = new Surroundings(
                System::getProperty, System::getenv, isInteractive(), Fastn::isAlive, Ticker.system(), out, err);
        int exitCode = run(surroundings, arguments);
        out.flush();
        System.exit(exitCode);
    }

    /** The launcher knows. Java itself cannot tell: the console of newer JDKs is there without a terminal too. */
    private static boolean isInteractive() {
        return Boolean.getBoolean("fastn.tty");
    }

    private static boolean isAlive(long pid) {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    /** {@return the exit code} */
    static int run(Surroundings surroundings, String... arguments) {
        PrintWriter out = new PrintWriter(surroundings.out(), true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(surroundings.err(), true, StandardCharsets.UTF_8);
        CommandLine fastn = new CommandLine(new Fastn())
                .addSubcommand(new CommandLine(new StatusCommand(surroundings)))
                .registerConverter(Duration.class, new DurationConverter())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
                .setOut(out)
                .setErr(err)
                .setParameterExceptionHandler((problem, given) -> misunderstood(problem, err))
                .setExecutionExceptionHandler((problem, command, given) -> failed(problem, err));
        if (arguments.length == 0) {
            fastn.usage(err);
            return ExitCode.USAGE;
        }
        return fastn.execute(arguments);
    }

    private static int misunderstood(ParameterException problem, PrintWriter err) {
        CommandLine command = problem.getCommandLine();
        String message = requireNonNullElse(problem.getMessage(), "the command line is not understood");
        err.println("fastn: " + Printable.line(message));
        UnmatchedArgumentException.printSuggestions(problem, err);
        err.println("  next: " + command.getCommandSpec().qualifiedName() + " --help");
        return ExitCode.USAGE;
    }

    private static int failed(Exception problem, PrintWriter err) throws Exception {
        if (problem instanceof Trouble trouble) {
            err.println(trouble.text());
            return trouble.exitCode();
        }
        if (problem instanceof ParameterException parameter) {
            return misunderstood(parameter, err);
        }
        throw problem;
    }

    /** Tells the version that the jar was built as. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            @Nullable String version = Fastn.class.getPackage().getImplementationVersion();
            return new String[] {"fastn " + requireNonNullElse(version, "(not from a jar)")};
        }
    }
}
