package com.fastn.verification.cluster;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A node in a JVM of its own. It ends with its standard input, so that it does not outlive this process. */
final class Jvm {
    /** Of a JVM that starts soon and takes little. */
    static final List<String> SMALL =
            List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData");

    private static final long PATIENCE_SECONDS = 60;
    /** Several that start at once, on a machine that is busy. Hazelcast itself gives up after two minutes. */
    private static final long START_SECONDS = 180;

    private static final int MOST_LINES = 400;
    private static final int READY = 0;

    private final String alias;
    private final Process process;
    private final Map<Integer, CompletableFuture<JsonObject>> expected = new ConcurrentHashMap<>();
    private final AtomicInteger lastId = new AtomicInteger(READY);
    private final ArrayDeque<String> output = new ArrayDeque<>();
    private final CompletableFuture<JsonObject> ready = new CompletableFuture<>();

    private Jvm(String alias, Process process) {
        this.alias = alias;
        this.process = process;
        expected.put(READY, ready);
        read(process.getInputStream());
        read(process.getErrorStream());
        var unused = process.onExit().thenAccept(this::ended);
    }

    static Jvm start(String alias, Class<?> main, String classPath, JsonObject settings) {
        return start(List.of(), SMALL, alias, main, classPath, settings);
    }

    /** Starts it with options of its own, by another command, which has to become the JVM. */
    static Jvm start(
            List<String> by, List<String> options, String alias, Class<?> main, String classPath, JsonObject settings) {
        List<String> command = new ArrayList<>(by);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of(
                "-cp",
                classPath,
                main.getName(),
                settings.copy().put("alias", alias).encode()));
        try {
            return new Jvm(alias, new ProcessBuilder(command).start());
        } catch (IOException e) {
            throw new AssertionError("the JVM of " + alias + " cannot be started", e);
        }
    }

    /** What the node says of itself when it is ready. */
    JsonObject facts() {
        return result(ready, START_SECONDS);
    }

    /** Whether the node has said that it is ready, or has ended before that. */
    boolean isReady() {
        return ready.isDone();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Has the node request something on the event bus, and gives the body of the reply. */
    JsonObject ask(String address, @Nullable JsonObject body, long timeoutMillis) {
        return result(asking(address, body, timeoutMillis)).getJsonObject("body");
    }

    /** Has the node request something on the event bus that is answered with a text. */
    String askText(String address, @Nullable JsonObject body, long timeoutMillis) {
        return result(asking(address, body, timeoutMillis)).getString("body");
    }

    /** Has the node request something on the event bus; {@code body} or {@code failure} is in the answer. */
    CompletableFuture<JsonObject> asking(String address, @Nullable JsonObject body, long timeoutMillis) {
        return tell(new JsonObject()
                .put("do", "ask")
                .put("address", address)
                .put("body", body)
                .put("timeout", timeoutMillis));
    }

    /** Has the node consume an address, from now on. */
    void consume(String address) {
        result(tell(new JsonObject().put("do", "consume").put("address", address)));
    }

    /** What the node's consumer has heard until now: {@code at_ms}, {@code question}, {@code body}. */
    List<JsonObject> heard() {
        JsonArray heard = result(tell(new JsonObject().put("do", "heard"))).getJsonArray("heard");
        return heard.stream().map(JsonObject.class::cast).toList();
    }

    /** Has the node do something that its program knows, and gives what it says of it. */
    JsonObject command(JsonObject command) {
        return result(tell(command));
    }

    /** The same, without waiting for it; fails where nothing is said for a minute. */
    CompletableFuture<JsonObject> telling(JsonObject command) {
        return tell(command);
    }

    private CompletableFuture<JsonObject> tell(JsonObject command) {
        int id = lastId.incrementAndGet();
        // Whoever joins it is not to wait for ever for a process that hangs.
        CompletableFuture<JsonObject> answer =
                new CompletableFuture<JsonObject>().orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS);
        expected.put(id, answer);
        byte[] line = (command.put("id", id).encode() + "\n").getBytes(StandardCharsets.UTF_8);
        try {
            OutputStream input = process.getOutputStream();
            synchronized (this) {
                input.write(line);
                input.flush();
            }
        } catch (IOException e) {
            answer.completeExceptionally(new AssertionError(alias + " does not listen", e));
        }
        if (!process.isAlive()) {
            ended(process);
        }
        return answer;
    }

    private JsonObject result(CompletableFuture<JsonObject> answer) {
        return result(answer, PATIENCE_SECONDS);
    }

    private JsonObject result(CompletableFuture<JsonObject> answer, long seconds) {
        JsonObject done;
        try {
            done = answer.get(seconds, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError(alias + " did not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
        String failure = done.getString("failure");
        if (failure != null) {
            throw new AssertionError(alias + " got no reply: " + failure);
        }
        return done;
    }

    // --- faults

    /** Stands still from now on, as in a long garbage collection or a suspended machine. */
    void pause() {
        signal("STOP");
    }

    /** Goes on. */
    void resume() {
        signal("CONT");
    }

    /** Ends at once, without a word to anybody (SIGKILL). */
    void kill() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError(alias + " cannot be killed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private void signal(String name) {
        try {
            Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .inheritIO()
                    .start();
            if (kill.waitFor() != 0) {
                throw new AssertionError(alias + " cannot be sent SIG" + name);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    // --- what it says

    /** The last lines of its output, for people who look for the cause of a failure. */
    String output() {
        synchronized (output) {
            return "--- " + alias + " (" + (process.isAlive() ? "alive" : "ended with " + process.exitValue()) + ")\n"
                    + String.join("\n", output);
        }
    }

    /** What its threads are at that have to do with Vert.x, for the same people; nothing of one that does not run. */
    String threads() {
        if (!process.isAlive()) {
            return "";
        }
        Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        try {
            // Of one that stands still jcmd hears nothing; it is given up then.
            Process asking = new ProcessBuilder(
                            "timeout", "5", jcmd.toString(), Long.toString(process.pid()), "Thread.print")
                    .redirectErrorStream(true)
                    .start();
            String all = new String(asking.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return "--- threads of " + alias + "\n"
                    + Stream.of(all.split("\n\n"))
                            .filter(stack -> stack.contains("\tat io.vertx"))
                            .collect(Collectors.joining("\n\n"));
        } catch (IOException e) {
            return "(the threads of " + alias + " cannot be told: " + e + ")";
        }
    }

    private void read(InputStream stream) {
        Thread reader = new Thread(() -> readAll(stream), "output of " + alias);
        reader.setDaemon(true);
        reader.start();
    }

    private void readAll(InputStream stream) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(Control.MARK)) {
                    answered(new JsonObject(line.substring(Control.MARK.length())));
                } else {
                    note(line);
                }
            }
        } catch (IOException | RuntimeException e) {
            note("(its output cannot be read any more: " + e + ")");
        }
    }

    private void answered(JsonObject answer) {
        CompletableFuture<JsonObject> waiting = expected.remove(answer.getInteger("id"));
        if (waiting != null) {
            waiting.complete(answer);
        }
    }

    private void note(String line) {
        synchronized (output) {
            output.addLast(line);
            if (output.size() > MOST_LINES) {
                output.removeFirst();
            }
        }
    }

    private void ended(Process gone) {
        AssertionError failure = new AssertionError(alias + " ended with " + gone.exitValue());
        expected.values().forEach(answer -> answer.completeExceptionally(failure));
    }
}
