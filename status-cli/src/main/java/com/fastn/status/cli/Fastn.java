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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
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
                System::getProperty,
                System::getenv,
                isInteractive(),
                Fastn::isAlive,
                Ticker.system(),
                TerminalSizes::measure,
                out,
                err);
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

    private static Map<String, Function<Surroundings, Object>> commands() {
        Map<String, Function<Surroundings, Object>> commands = new LinkedHashMap<>();
        commands.put("status", StatusCommand::new);
        commands.put("top", TopCommand::new);
        commands.put("explain", ExplainCommand::new);
        commands.put("episodes", EpisodesCommand::new);
        commands.put("nodes", NodesCommand::new);
        commands.put("record", RecordCommand::new);
        commands.put("replay", ReplayCommand::new);
        commands.put("doctor", DoctorCommand::new);
        commands.put("info", InfoCommand::new);
        commands.put("completion", CompletionCommand::new);
        commands.put("warm-up", WarmUpCommand::new);
        return commands;
    }

    /** {@return the exit code} */
    static int run(Surroundings surroundings, String... arguments) {
        PrintWriter out = new PrintWriter(surroundings.out(), true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(surroundings.err(), true, StandardCharsets.UTF_8);
        boolean debug = Arrays.asList(arguments).contains(CommonOptions.DEBUG);
        try {
            CommandLine fastn = program(surroundings, arguments.length == 0 ? "" : arguments[0])
                    .setOut(out)
                    .setErr(err)
                    .setParameterExceptionHandler((problem, given) -> misunderstood(problem, err, debug))
                    .setExecutionExceptionHandler((problem, command, given) -> failed(problem, err, debug));
            if (arguments.length == 0) {
                fastn.usage(err);
                return ExitCode.USAGE;
            }
            return fastn.execute(arguments);
        } catch (Error | RuntimeException problem) {
            return failed(problem, err, debug);
        }
    }

    /** The program with the one command that is meant: the others need not be loaded to run it. */
    private static CommandLine program(Surroundings surroundings, String first) {
        CommandLine fastn = program();
        Map<String, Function<Surroundings, Object>> commands = commands();
        Function<Surroundings, Object> meant = commands.get(first);
        if (meant != null) {
            fastn.addSubcommand(new CommandLine(meant.apply(surroundings)));
        } else {
            commands.values().forEach(command -> fastn.addSubcommand(new CommandLine(command.apply(surroundings))));
        }
        return configured(fastn);
    }

    private static CommandLine program() {
        return new CommandLine(new Fastn());
    }

    private static CommandLine configured(CommandLine fastn) {
        return fastn.registerConverter(Duration.class, new DurationConverter())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
    }

    /** {@return the program with all its commands, for what describes it} */
    static CommandLine whole(Surroundings surroundings) {
        return program(surroundings, "");
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
        Trouble told = new Trouble(
                ExitCode.ERROR,
                "this is a mistake of the command itself",
                Printable.line(problem.toString()),
                "run it again with --debug, and report what it prints");
        err.println(told.text());
        trace(problem, err, debug);
        return told.exitCode();
    }

    private static void trace(Throwable problem, PrintWriter err, boolean debug) {
        if (debug) {
            problem.printStackTrace(err);
            err.flush();
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
