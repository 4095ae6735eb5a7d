package com.fastn.status.cli;

import static java.util.Objects.requireNonNullElse;

import com.fastn.context.Ticker;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code fastn} program. */
public final class Fastn {
    private static final String NAME = "fastn";
    private static final String HELP = "help";
    /** In the order of the help. */
    private static final List<String> COMMANDS = List.of(
            "status",
            "top",
            "explain",
            "episodes",
            "nodes",
            "record",
            "replay",
            "doctor",
            "info",
            "completion",
            "aliases",
            "warm-up");

    private Fastn() {}

    /**
     * Runs the program and ends the process.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        if (arguments.length > 0 && arguments[0].equals("status")) {
            Preload.begin();
        }
        // Of the processes of POSIX systems the default encoding says little: without a locale it is ASCII.
        CheckedOutput output = new CheckedOutput(new FileOutputStream(FileDescriptor.out));
        PrintStream out = new PrintStream(output, false, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        Surroundings surroundings = new Surroundings(
                System::getProperty,
                System::getenv,
                isInteractive(),
                Processes.system(),
                Ticker.system(),
                TerminalSizes::measure,
                Suspension.system(),
                out,
                err);
        int exitCode = run(surroundings, arguments);
        out.flush();
        System.exit(written(exitCode, output, err));
    }

    /** {@return the exit code, by what became of what was written} */
    static int written(int exitCode, CheckedOutput output, PrintStream err) {
        Trouble trouble = output.trouble();
        if (trouble == null) {
            return exitCode;
        }
        err.println(trouble.text());
        return trouble.exitCode();
    }

    /** The launcher knows. Java itself cannot tell: the console of newer JDKs is there without a terminal too. */
    private static boolean isInteractive() {
        return Boolean.getBoolean("fastn.tty");
    }

    private static Subcommand command(String name, Surroundings surroundings) {
        return switch (name) {
            case "status" -> new StatusCommand(surroundings);
            case "top" -> new TopCommand(surroundings);
            case "explain" -> new ExplainCommand(surroundings);
            case "episodes" -> new EpisodesCommand(surroundings);
            case "nodes" -> new NodesCommand(surroundings);
            case "record" -> new RecordCommand(surroundings);
            case "replay" -> new ReplayCommand(surroundings);
            case "doctor" -> new DoctorCommand(surroundings);
            case "info" -> new InfoCommand(surroundings);
            case "completion" -> new CompletionCommand(surroundings);
            case "aliases" -> new AliasesCommand(surroundings);
            case "warm-up" -> new WarmUpCommand(surroundings);
            default -> throw new IllegalArgumentException("no command is called " + name);
        };
    }

    /** {@return the exit code} */
    static int run(Surroundings surroundings, String... arguments) {
        PrintWriter out = new PrintWriter(surroundings.out(), true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(surroundings.err(), true, StandardCharsets.UTF_8);
        boolean debug = Arrays.asList(arguments).contains(Syntax.DEBUG);
        if (arguments.length > 0 && arguments[0].equals(HELP)) {
            // As git, gh and kubectl take it: fastn help status is fastn status --help.
            String about = arguments.length == 1 ? "--help" : arguments[1];
            return run(surroundings, COMMANDS.contains(about) ? new String[] {about, "--help"} : new String[] {about});
        }
        try {
            boolean named = arguments.length > 0 && COMMANDS.contains(arguments[0]);
            CommandLine program = named ? alone(surroundings, arguments[0]) : whole(surroundings);
            Failures failures = new Failures(err, debug);
            program.setOut(out)
                    .setErr(err)
                    .setParameterExceptionHandler(failures)
                    .setExecutionExceptionHandler(failures);
            if (arguments.length == 0) {
                program.usage(err);
                return ExitCode.USAGE;
            }
            return program.execute(named ? Arrays.copyOfRange(arguments, 1, arguments.length) : arguments);
        } catch (Error | RuntimeException problem) {
            return failed(problem, err, debug);
        }
    }

    /** The one command that is meant, as a program of its own: the others need not be loaded to run it. */
    private static CommandLine alone(Surroundings surroundings, String name) {
        CommandSpec spec = command(name, surroundings).syntax().spec();
        return configured(new CommandLine(spec.name(NAME + " " + name)));
    }

    /** {@return the program with all its commands} */
    static CommandLine whole(Surroundings surroundings) {
        CommandSpec spec = CommandSpec.create().name(NAME).versionProvider(new Version());
        spec.usageMessage()
                .description("Tells what Vert.x applications are doing.")
                .synopsisSubcommandLabel("COMMAND");
        spec.addOption(OptionSpec.builder("-h", "--help")
                .type(boolean.class)
                .usageHelp(true)
                .description("Shows this help.")
                .build());
        spec.addOption(OptionSpec.builder("--version")
                .type(boolean.class)
                .versionHelp(true)
                .description("Shows the version.")
                .build());
        for (String name : COMMANDS) {
            spec.addSubcommand(
                    name, new CommandLine(command(name, surroundings).syntax().spec()));
        }
        return configured(new CommandLine(spec));
    }

    private static CommandLine configured(CommandLine program) {
        return program.registerConverter(Duration.class, new DurationConverter())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
    }

    private static int misunderstood(ParameterException problem, PrintWriter err, boolean debug) {
        CommandLine command = problem.getCommandLine();
        String message = requireNonNullElse(problem.getMessage(), "the command line is not understood");
        err.println("fastn: " + Printable.line(message));
        UnmatchedArgumentException.printSuggestions(problem, err);
        err.println("  next: " + command.getCommandSpec().qualifiedName() + " --help");
        trace(problem, err, debug);
        return ExitCode.USAGE;
    }

    private static int failed(Throwable problem, PrintWriter err, boolean debug) {
        if (problem instanceof ParameterException parameter) {
            return misunderstood(parameter, err, debug);
        }
        if (problem instanceof Trouble trouble) {
            err.println(trouble.text());
            trace(problem, err, debug);
            return trouble.exitCode();
        }
        Trouble told = mistake(problem);
        err.println(told.text());
        trace(problem, err, debug);
        return told.exitCode();
    }

    /** {@return what is said of something that nobody thought of} */
    static Trouble mistake(Throwable problem) {
        return new Trouble(
                ExitCode.ERROR,
                "this is a mistake of the command itself",
                Printable.line(problem.toString()),
                "run it again with --debug, and report what it prints",
                problem);
    }

    private static void trace(Throwable problem, PrintWriter err, boolean debug) {
        if (debug) {
            problem.printStackTrace(err);
            err.flush();
        }
    }

    /** Tells what went wrong. No lambda, which could not be in the archive of classes: these interfaces are too old for it. */
    private record Failures(PrintWriter err, boolean debug)
            implements IParameterExceptionHandler, IExecutionExceptionHandler {
        @Override
        public int handleParseException(ParameterException problem, String[] arguments) {
            return misunderstood(problem, err, debug);
        }

        @Override
        public int handleExecutionException(Exception problem, CommandLine command, ParseResult result) {
            return failed(problem, err, debug);
        }
    }

    /** Tells the version that the jar was built as. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"fastn " + of()};
        }

        static String of() {
            @Nullable String version = Fastn.class.getPackage().getImplementationVersion();
            return requireNonNullElse(version, "(not from a jar)");
        }
    }
}
