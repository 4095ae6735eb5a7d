package com.fastn.verification.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our modules are modules: a program of its own, in a JVM of its own, finds them on the module path and runs. */
class ModulePathTest {
    private static final Path PROGRAMS = Path.of("src/test/resources/module-path");
    private static final ToolProvider JAVAC = ToolProvider.findFirst("javac").orElseThrow();

    @TempDir
    Path compiled;

    @Test
    void everyModuleFindsAllThatItRequires() {
        ModuleFinder finder = ModuleFinder.of(modulePath().toArray(Path[]::new));
        Set<String> ours = ModuleFinder.of(PublishedClasses.paths().toArray(Path[]::new)).findAll().stream()
                .map(ModuleReference::descriptor)
                .peek(descriptor -> assertThat(descriptor.isAutomatic())
                        .as(descriptor.name())
                        .isFalse())
                .map(descriptor -> descriptor.name())
                .collect(Collectors.toSet());

        Configuration resolved = ModuleLayer.boot().configuration().resolveAndBind(finder, ModuleFinder.of(), ours);

        assertThat(resolved.modules().stream().map(module -> module.name())).containsAll(ours);
        assertThat(ours).hasSameSizeAs(PublishedClasses.paths());
    }

    @Test
    void aModuleThatRequiresTheApiOpensAContextAndPrintsTheStatus() throws Exception {
        assertThat(compile("plain")).isEmpty();
        assertThat(run("app/app.Main"))
                .contains("Global Context")
                .contains("checkout")
                .contains("HOLDS \"orders\"");
    }

    @Test
    void aModuleThatRequiresTheVertxBindingHasItInstalled() throws Exception {
        assertThat(compile("vertx")).isEmpty();
        assertThat(run("app/app.Main")).contains("Global Context").contains("Greeter");
    }

    @Test
    void theEngineIsHiddenFromOtherModules() {
        assertThat(compile("intruder")).contains("com.fastn.context.engine").contains("does not export it to");
    }

    /** Compiles a program, and gives what the compiler said. */
    private String compile(String program) {
        List<String> arguments = new ArrayList<>(List.of(
                "-d",
                compiled.toString(),
                // Else what the tests themselves run on is looked through, and found, in the unnamed module.
                "--class-path",
                compiled.toString(),
                "--module-path",
                joined(modulePath()),
                "-implicit:none",
                "-proc:none"));
        try (Stream<Path> files = Files.walk(PROGRAMS.resolve(program))) {
            files.map(Path::toString).filter(file -> file.endsWith(".java")).forEach(arguments::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        StringWriter said = new StringWriter();
        PrintWriter writer = new PrintWriter(said);
        JAVAC.run(writer, writer, arguments.toArray(String[]::new));
        writer.flush();
        return said.toString();
    }

    private String run(String main) throws IOException, InterruptedException {
        List<Path> path = modulePath();
        path.add(compiled);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--module-path",
                        joined(path),
                        "-m",
                        main)
                .redirectErrorStream(true)
                .redirectOutput(compiled.resolve("output").toFile())
                .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
        } finally {
            process.destroyForcibly();
        }
        String output = Files.readString(compiled.resolve("output"), StandardCharsets.UTF_8);
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    /** Our own modules, and every jar of the class path but those of the tests. */
    private static List<Path> modulePath() {
        List<Path> path = new ArrayList<>(PublishedClasses.paths());
        PublishedClasses.classPath().stream()
                .filter(entry -> entry.toString().endsWith(".jar"))
                .filter(entry -> !path.contains(entry))
                .filter(entry -> Stream.of("archunit", "assertj-core", "byte-buddy", "slf4j-simple", "error_prone")
                        .noneMatch(entry.getFileName().toString()::startsWith))
                .forEach(path::add);
        return path;
    }

    private static String joined(List<Path> path) {
        return path.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
}
