package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The pieces of Java in the README, and in those guides of which no other test runs them, are code of today: each compiles, and the
 * first one does what the README shows of it.
 */
@ExtendWith(VertxExtension.class)
class GuideCodeTest {
    private static final List<String> PAGES =
            List.of("README.md", "docs/cluster.md", "docs/explain.md", "docs/options.md", "docs/vertx.md");
    private static final Pattern PIECE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("(?m)^public class (\\w+)");

    /** What a reader has to import, and what the pieces take for granted. */
    private static final String IMPORTS = "import com.fastn.context.*; import com.fastn.context.status.*;"
            + " import com.fastn.context.vertx.*; import com.fastn.status.*; import com.hazelcast.config.*; import io.vertx.core.*;"
            + " import io.vertx.core.Future;"
            + " import io.vertx.core.eventbus.*; import io.vertx.core.http.*; import io.vertx.core.json.*;"
            + " import io.vertx.core.net.*; import java.time.Duration; import java.util.concurrent.*; ";

    private static final String GRANTED = "static void show(Object what) {} static void count(Object what) {} ";

    @TempDir
    Path folder;

    @Test
    void everyPieceOfJavaCompiles() throws IOException {
        List<Path> sources = sources();
        assertThat(sources).hasSizeGreaterThan(10);
        assertThat(errors(sources)).isEmpty();
    }

    @Test
    void theFirstPieceOfTheReadmeShowsWhoWaitsForWhom(Vertx vertx) throws Exception {
        Path till = folder.resolve("Till.java");
        assertThat(sources()).contains(till);
        String code = Files.readString(till);
        assertThat(code).contains("TimeUnit.SECONDS");
        // On a busy machine some seconds are over before anybody looks.
        Files.writeString(till, code.replace("TimeUnit.SECONDS", "TimeUnit.HOURS"));
        assertThat(errors(List.of(till))).isEmpty();
        try (URLClassLoader loader = new URLClassLoader(
                new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
            String deployment = Waiting.result(vertx.deployVerticle(
                    (VerticleBase) loader.loadClass("Till").getConstructor().newInstance()));
            var unusedTea = vertx.eventBus().request("pay", "tea");
            var unusedCoffee = vertx.eventBus().request("pay", "coffee");
            Waiting.await("coffee waits for tea")
                    .until(() -> status(vertx).toString().contains("WAITING \"till\""));

            StatusSnapshot status = status(vertx);
            ContextPath settle = ContextPath.of("global", "Till", "pay", "settle");
            // The runtime outlives each Vertx, and so does what another test left held.
            assertThat(status.lockWaiters()).extracting(LockWaiter::contextPath).containsOnlyOnce(settle);
            assertThat(status.activeLocks()).extracting(LockStatus::holderPath).containsOnlyOnce(settle);
            assertThat(status.toString()).contains("HOLDS \"till\"").contains("\"bank\"");
            Waiting.result(vertx.undeploy(deployment));
        }
    }

    private static StatusSnapshot status(Vertx vertx) {
        return FastnVertx.install(vertx).runtime().status();
    }

    /** A piece that is no class of its own is what a method does. */
    private List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String page : PAGES) {
            Matcher piece = PIECE.matcher(Files.readString(Path.of("..").resolve(page)));
            while (piece.find()) {
                String code = piece.group(1);
                Matcher own = CLASS.matcher(code);
                String name = own.find() ? own.group(1) : "Piece" + sources.size();
                String source = IMPORTS
                        + (name.equals("Piece" + sources.size())
                                ? "class " + name + " { " + GRANTED
                                        + "static void piece(Vertx vertx, ContextRuntime runtime) throws Exception { // "
                                        + page
                                        + '\n' + withoutDouble(code) + "} }"
                                : code);
                sources.add(Files.writeString(folder.resolve(name + ".java"), source));
            }
        }
        return sources;
    }

    /** A piece that makes a runtime of its own is given none. */
    private static String withoutDouble(String code) {
        return code.replace("ContextRuntime runtime = ", "runtime = ");
    }

    private List<String> errors(List<Path> sources) throws IOException {
        JavaCompiler compiler = requireNonNull(ToolProvider.getSystemJavaCompiler(), "a JDK runs the tests");
        DiagnosticCollector<JavaFileObject> told = new DiagnosticCollector<>();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(told, null, null)) {
            List<String> options = List.of(
                    "-proc:none",
                    "-d",
                    folder.toString(),
                    "-cp",
                    requireNonNull(System.getProperty("java.class.path"), "the class path"));
            boolean unused = compiler.getTask(
                            null, files, told, options, null, files.getJavaFileObjectsFromPaths(sources))
                    .call();
        }
        return told.getDiagnostics().stream()
                .filter(each -> each.getKind() == Diagnostic.Kind.ERROR)
                .map(String::valueOf)
                .toList();
    }
}
