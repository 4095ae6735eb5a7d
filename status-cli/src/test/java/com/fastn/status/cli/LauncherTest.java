package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher, {@code bin/fastn}, with a Java that tells what it was given. */
class LauncherTest {
    private static final Path LAUNCHER = Path.of("../bin/fastn");
    private static final String ARCHIVE = "-XX:SharedArchiveFile=";
    private static final String UNVERIFIED = "-XX:-BytecodeVerificationRemote";
    private static final String AGENT = "-javaagent:x.jar";
    /**
     * Writes the archive that it is to dump, and otherwise its arguments. It dumps none before a status was looked at: where the
     * launcher stood still in its first use, that would find the archive already.
     */
    private static final String JAVA = """
            #!/bin/sh
            dump=
            for word in "$@"; do
                case $word in
                status) : >"$0.looked" ;;
                -Xshare:dump)
                    dump=true
                    until [ -e "$0.looked" ]; do sleep 0.1; done
                    ;;
                -XX:SharedArchiveFile=*) [ -z "$dump" ] || echo "${JAVA_TOOL_OPTIONS-}" >"${word#*=}" ;;
                esac
            done
            printf '%s\\n' "$@"
            """;

    @TempDir
    Path folder;

    private final Map<String, String> environment = new HashMap<>();
    private Path launcher = LAUNCHER;
    private Path cache = LAUNCHER;

    @BeforeEach
    void install() throws IOException {
        Files.createDirectory(folder.resolve("bin *1"));
        launcher = folder.resolve("bin *1/fastn");
        cache = folder.resolve("cache");
        Files.copy(LAUNCHER, launcher);
        Files.writeString(launcher.resolveSibling("fastn.jar"), "jar");
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        Files.writeString(java, JAVA);
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        environment.put("JAVA_HOME", folder.resolve("jdk").toString());
        environment.put("FASTN_CACHE_DIR", cache.toString());
    }

    /** {@return the words that Java is given} What is made beside it has ended too: it holds the pipe open. */
    private List<String> words(String shell) {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "\"$@\" 9>&1 | cat", "test"));
        command.addAll(List.of(shell.split(" ")));
        command.addAll(List.of(launcher.toString(), "status"));
        return run(command, environment, true).lines().toList();
    }

    private static String run(List<String> command, Map<String, String> environment, boolean quiet) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command);
            for (String name : new String[] {
                "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "FASTN_NO_ARCHIVE", "XDG_CACHE_HOME"
            }) {
                builder.environment().remove(name);
            }
            builder.environment().putAll(environment);
            Process process = builder.start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String errors = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(errors).isZero();
            if (quiet) {
                assertThat(errors).isEmpty();
            }
            return said;
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** {@return what the first use leaves} */
    private Path archive() throws IOException {
        assertThat(words("sh")).noneMatch(word -> word.startsWith(ARCHIVE));
        assertThat(made()).singleElement().asString().endsWith(".jsa");
        return made().get(0);
    }

    private List<Path> made() throws IOException {
        if (!Files.isDirectory(cache.resolve("fastn"))) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(cache.resolve("fastn"))) {
            return files.toList();
        }
    }

    @Test
    void anArchiveIsUsedAndItsClassesAreNotVerifiedAgain() throws IOException {
        Path archive = archive();
        for (String shell : new String[] {"sh", "bash"}) {
            assertThat(words(shell)).as(shell).contains(ARCHIVE + archive, UNVERIFIED);
        }
    }

    /** As containers have it: what the launcher asks of ls, find and test is the same there. */
    @Test
    void theShellAndToolsOfBusyBoxAreEnough() throws IOException {
        Path busyBox = Path.of("/usr/bin/busybox");
        assumeTrue(Files.isExecutable(busyBox), "BusyBox is not installed");
        Path tools = Files.createDirectory(folder.resolve("tools"));
        for (String tool :
                new String[] {"sh", "ls", "mkdir", "rm", "mv", "find", "readlink", "stty", "cat", "sleep", "printf"}) {
            Files.createSymbolicLink(tools.resolve(tool), busyBox);
        }
        environment.put("PATH", tools.toString());
        assertThat(words(tools + "/sh")).noneMatch(word -> word.startsWith(ARCHIVE));
        assertThat(made()).singleElement().asString().endsWith(".jsa");
        assertThat(words(tools + "/sh")).contains(ARCHIVE + made().get(0), UNVERIFIED);
    }

    @Test
    void whereAnAgentMayRewriteClassesTheyAreVerifiedAndNoArchiveIsMadeWithIt() throws IOException {
        environment.put("JAVA_TOOL_OPTIONS", AGENT);
        Path archive = archive();
        assertThat(archive).content().as("the options that it was made with").isBlank();
        for (String name : new String[] {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"}) {
            environment.clear();
            environment.put("JAVA_HOME", folder.resolve("jdk").toString());
            environment.put("FASTN_CACHE_DIR", cache.toString());
            environment.put(name, AGENT);
            assertThat(words("sh")).as(name).contains(ARCHIVE + archive).doesNotContain(UNVERIFIED);
        }
    }

    @Test
    void whoWantsNoArchiveGetsNone() throws IOException {
        archive();
        environment.put("FASTN_NO_ARCHIVE", "1");
        assertThat(words("sh")).noneMatch(word -> word.startsWith(ARCHIVE)).doesNotContain(UNVERIFIED);
    }

    @Test
    void anArchiveThatAnotherUserCouldHavePutThereIsNotUsed() throws IOException {
        assumeTrue(Files.getAttribute(folder, "unix:uid").equals(0), "only root can give files away");
        Path archive = archive();
        for (Path part : List.of(archive, cache.resolve("fastn"), cache)) {
            Files.setAttribute(part, "unix:uid", 12_345);
            assertThat(words("sh")).as(part.toString()).noneMatch(word -> word.startsWith(ARCHIVE));
            Files.setAttribute(part, "unix:uid", 0);
            assertThat(words("sh")).as(part.toString()).contains(ARCHIVE + archive);
        }
        Files.delete(archive);
        Files.setAttribute(cache, "unix:uid", 12_345);
        assertThat(words("sh")).noneMatch(word -> word.startsWith(ARCHIVE));
        assertThat(made()).as("in a folder of another user").isEmpty();
    }

    @Test
    void anInstallationThatWasMovedHasAnotherArchive() throws IOException {
        Path archive = archive();
        // Nothing but its name changes, and not the length of that.
        Files.move(folder.resolve("bin *1"), folder.resolve("bin *2"));
        launcher = folder.resolve("bin *2/fastn");
        assertThat(words("sh")).doesNotContain(ARCHIVE + archive);
        assertThat(made()).hasSize(2).contains(archive);
    }

    @Test
    void theNameOfAnArchiveFitsIntoAFolder() throws IOException {
        Path deep = folder;
        for (int i = 0; i < 5; i++) {
            deep = deep.resolve("f".repeat(100));
        }
        Files.createDirectories(deep);
        Files.move(folder.resolve("bin *1"), deep.resolve("bin"));
        launcher = deep.resolve("bin/fastn");
        String name = archive().getFileName().toString();
        assertThat(name).endsWith("f_bin_fastn.jar.jsa").hasSizeLessThan(240).matches("[A-Za-z0-9._-]*");
    }

    @Test
    void itNeedsNoTemporaryFileAsHereDocumentsDo() throws IOException {
        assertThat(LAUNCHER).content().doesNotContain("<<");
    }

    @Test
    void theCollectorThatTheEnvironmentChoseIsNoSecondOne() {
        for (String name : new String[] {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"}) {
            assertThat(outputOfJava(name, "-XX:+UseSerialGC -Xmx64m")).as(name).isEmpty();
        }
    }

    @Test
    void whatJavaWarnsOfDoesNotStandBeforeTheStatus() {
        // The one is written as such, the other is a warning of the log: such pages hardly a machine has.
        for (String chosen :
                new String[] {"-XX:+PrintCommandLineFlags", "-XX:+UseLargePages -XX:LargePageSizeInBytes=1g"}) {
            assertThat(outputOfJava("JAVA_TOOL_OPTIONS", chosen)).as(chosen).isEmpty();
        }
    }

    /** {@return what the Java of this process writes, with the flags of the launcher; its version is no part of it} */
    private String outputOfJava(String variable, String chosen) {
        environment.put("FASTN_NO_ARCHIVE", "1");
        environment.put(variable, chosen);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
        words("sh").stream().filter(word -> word.startsWith("-X")).forEach(command::add);
        command.add("-version");
        environment.remove(variable);
        return run(command, Map.of(variable, chosen), false);
    }
}
