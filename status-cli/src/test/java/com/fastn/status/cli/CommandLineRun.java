package com.fastn.status.cli;

import com.fastn.context.Ticker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Runs the command as a shell would, with a runtime folder of its own. */
final class CommandLineRun {
    private final Path folder;
    private final Map<String, String> environment = new HashMap<>();
    private final Set<Long> dead = new HashSet<>();
    private boolean interactive;
    private long nextPid = 4_000;

    CommandLineRun(Path folder) {
        this.folder = folder;
        environment.put("FASTN_RUNTIME_DIR", folder.toString());
    }

    CommandLineRun with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    CommandLineRun without(String variable) {
        environment.remove(variable);
        return this;
    }

    CommandLineRun onATerminal() {
        interactive = true;
        return this;
    }

    /** Writes the descriptor of a node. */
    Path node(String alias, String url) {
        return node(alias, Fixtures.incarnation(alias), url, nextPid++);
    }

    Path deadNode(String alias, String url) {
        dead.add(nextPid);
        return node(alias, url);
    }

    Path node(String alias, String incarnation, String url, long pid) {
        String text =
                "{\"schema\":1,\"pid\":%d,\"alias\":\"%s\",\"url\":\"%s\",\"incarnation\":\"%s\",\"more\":{\"a\":[1]},\"started\":\"2026-02-03T04:00:00Z\"}"
                        .formatted(pid, alias, url, incarnation);
        return descriptor(pid + ".json", text, "rw-------");
    }

    Path descriptor(String name, String text, String permissions) {
        try {
            Path file = folder.resolve(name);
            Files.writeString(file, text);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Result run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Map<String, String> properties =
                Map.of("user.name", System.getProperty("user.name"), "java.io.tmpdir", folder.resolve("tmp") + "");
        int exitCode = Fastn.run(
                new Surroundings(
                        properties::get,
                        environment::get,
                        interactive,
                        pid -> !dead.contains(pid),
                        Ticker.system(),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8)),
                arguments);
        return new Result(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
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
