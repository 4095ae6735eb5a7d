package com.fastn.status.cli;

import com.fastn.context.Ticker;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Runs the command as a shell would, with a runtime folder of its own. */
final class CommandLineRun {
    /** Those that ask nodes. */
    private static final Set<String> ASKING = Set.of("status", "explain", "episodes", "nodes", "record", "doctor");

    /** More than any picture has. */
    private static final int LARGEST_PICTURE = 1 << 16;

    private final Path folder;
    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, String> properties = new HashMap<>();
    private final Set<String> mistakes = new HashSet<>();
    private final Set<Long> dead = new HashSet<>();
    private final Map<Long, Instant> starts = new HashMap<>();
    private boolean interactive;
    private volatile Size size = Size.UNKNOWN;
    private Supplier<Size> measure = () -> size;
    private Suspension suspension = Suspension.none();
    private Ticker ticker = Ticker.system();
    private long nextPid = 4_000;

    CommandLineRun(Path folder) {
        this.folder = folder;
        environment.put("FASTN_RUNTIME_DIR", folder.toString());
        environment.put("XDG_CONFIG_HOME", folder.resolve("config").toString());
        properties.put("user.name", System.getProperty("user.name"));
        properties.put("java.io.tmpdir", folder.resolve("tmp").toString());
    }

    CommandLineRun with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    CommandLineRun withProperty(String name, String value) {
        properties.put(name, value);
        return this;
    }

    /** Where this variable is looked up something happens that nobody thought of. */
    CommandLineRun mistakenIn(String variable) {
        mistakes.add(variable);
        return this;
    }

    private @Nullable String variable(String name) {
        if (mistakes.contains(name)) {
            throw new IllegalStateException("nobody thought of it");
        }
        return environment.get(name);
    }

    CommandLineRun without(String variable) {
        environment.remove(variable);
        return this;
    }

    CommandLineRun onATerminal() {
        interactive = true;
        return this;
    }

    void resize(int columns, int rows) {
        size = new Size(columns, rows);
    }

    CommandLineRun onATerminal(int columns, int rows) {
        size = new Size(columns, rows);
        return onATerminal();
    }

    /** On a terminal that tells its size in a way of its own. */
    CommandLineRun onATerminal(Supplier<Size> measured) {
        measure = measured;
        return onATerminal();
    }

    /** Where somebody presses Ctrl-Z. */
    CommandLineRun stoppedBy(Suspension keys) {
        suspension = keys;
        return this;
    }

    /** By another clock; how long it listens to somebody who says nothing is real time all the same. */
    CommandLineRun by(Ticker clock) {
        ticker = clock;
        return this;
    }

    /** By a clock that says that no time goes by, however long the machine takes. */
    CommandLineRun byAClockThatStandsStill() {
        return by(nanos(() -> 0));
    }

    /** {@return a clock that tells a time of its own to whoever measures how long something takes} */
    static Ticker nanos(LongSupplier nanos) {
        return new Ticker() {
            @Override
            public long nanos() {
                return nanos.getAsLong();
            }

            @Override
            public Instant wallTime() {
                return Ticker.system().wallTime();
            }
        };
    }

    /** Writes the descriptor of a node. */
    Path node(String alias, String url) {
        return node(alias, Fixtures.incarnation(alias), url, nextPid++);
    }

    Path deadNode(String alias, String url) {
        dead.add(nextPid);
        return node(alias, url);
    }

    /** Writes the descriptor of a node whose process id is that of another process by now, which started then. */
    Path nodeWhoseProcessStarted(Instant start, String alias, String url) {
        starts.put(nextPid, start);
        return node(alias, url);
    }

    Path node(String alias, String incarnation, String url, long pid) {
        String text =
                "{\"schema\":1,\"pid\":%d,\"alias\":\"%s\",\"url\":\"%s\",\"incarnation\":\"%s\",\"more\":{\"a\":[1]},\"started\":\"2026-02-03T04:00:00Z\"}"
                        .formatted(pid, alias, url, incarnation);
        return descriptor(pid + ".json", text, "rw-------");
    }

    /** Writes the configuration. */
    Path config(String text) {
        return file("config/fastn/config.toml", text, "rw-r--r--");
    }

    Path file(String name, String text, String permissions) {
        try {
            Files.createDirectories(folder.resolve(name).getParent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return descriptor(name, text, permissions);
    }

    Path descriptor(String name, String text, String permissions) {
        try {
            Path file = folder.resolve(name);
            // As a node does it: a command that runs meanwhile finds all of it or nothing.
            Path written = Files.createTempFile(file.getParent(), ".", ".tmp");
            Files.writeString(written, text);
            Files.setPosixFilePermissions(written, PosixFilePermissions.fromString(permissions));
            return Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Result run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode = run(out, err, arguments);
        return new Result(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** Starts a command that does not end by itself. */
    Running start(String... arguments) {
        return start(new ByteArrayOutputStream(), arguments);
    }

    Running start(OutputStream out, String... arguments) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        CompletableFuture<Integer> exitCode = new CompletableFuture<>();
        Thread thread = new Thread(() -> exitCode.complete(run(out, err, arguments)), "command");
        thread.start();
        return new Running(thread, exitCode, out, err);
    }

    private int run(OutputStream out, OutputStream err, String... arguments) {
        // What is written at once is seen at once, and never a part of it.
        PrintStream whole =
                new PrintStream(new BufferedOutputStream(out, LARGEST_PICTURE), false, StandardCharsets.UTF_8);
        try {
            return Fastn.run(
                    new Surroundings(
                            properties::get,
                            this::variable,
                            interactive,
                            processes(),
                            ticker,
                            measure,
                            suspension,
                            whole,
                            new PrintStream(err, true, StandardCharsets.UTF_8)),
                    patient(arguments));
        } finally {
            whole.flush();
        }
    }

    /** {@return the same with half a minute for a node to answer, if nothing is said of that} On a busy machine 3 s are few. */
    private static String[] patient(String... arguments) {
        if (arguments.length == 0
                || !ASKING.contains(arguments[0])
                || Arrays.stream(arguments).anyMatch(word -> word.startsWith("--timeout"))) {
            return arguments;
        }
        List<String> words = new ArrayList<>(List.of(arguments));
        words.add(1, "--timeout=30s");
        return words.toArray(String[]::new);
    }

    private Processes processes() {
        return new Processes() {
            @Override
            public boolean isAlive(long pid) {
                return !dead.contains(pid);
            }

            @Override
            public @Nullable Instant started(long pid) {
                return starts.get(pid);
            }
        };
    }

    /**
     * A command that runs.
     *
     * @param thread runs it
     * @param exitCode completes when it ends
     * @param output what it wrote for the user
     * @param errors what it wrote beside that
     */
    record Running(
            Thread thread, CompletableFuture<Integer> exitCode, OutputStream output, ByteArrayOutputStream errors) {
        String out() {
            return ((ByteArrayOutputStream) output).toString(StandardCharsets.UTF_8);
        }

        String err() {
            return errors.toString(StandardCharsets.UTF_8);
        }

        void await(String what, BooleanSupplier condition) {
            for (int i = 0; i < 6_000; i++) {
                if (condition.getAsBoolean()) {
                    return;
                }
                LockSupport.parkNanos(10_000_000);
            }
            throw new AssertionError("not within a minute: " + what + "\nout: " + output + "\nerr: " + err());
        }

        /** Ends it as Ctrl-C does in a process of its own. */
        int stop() {
            thread.interrupt();
            return end();
        }

        int end() {
            try {
                return exitCode.get(60, TimeUnit.SECONDS);
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                throw new AssertionError("it does not end\nout: " + output + "\nerr: " + err(), e);
            }
        }
    }

    /**
     * What came of it.
     *
     * @param exitCode what the process says when it ends
     * @param out what it wrote for the user
     * @param err what it wrote beside that
     */
    record Result(int exitCode, String out, String err) {}
}
