package com.fastn.verification.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The command as its users run it, in a process of its own, against nodes in theirs: by its launcher, which has to be packaged where
 * {@code -Dcommand.packaged=true} says so, as the build does; elsewhere the classes do.
 */
@Tag("slow")
class CommandEndToEndTest {
    private static final Path LAUNCHER =
            Path.of("../../bin/fastn").toAbsolutePath().normalize();
    private static final Path JAR =
            LAUNCHER.resolveSibling("../status-cli/target/fastn.jar").normalize();
    private static final boolean PACKAGED = isPackaged();
    private static final String IMPATIENT = "--timeout=500ms";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int SIGINT = 2;
    private static final String DEFAULT_INTERRUPTS = "--default-signal=INT";
    private static final String CTRL_C = "\u0003";
    private static final String CLEAR = "\u001b[2J";
    private static final String HIDE_CURSOR = "\u001b[?25l";
    private static final String SHOW_CURSOR = "\u001b[?25h";
    private static final String ENTER_ALTERNATE = "\u001b[?1049h";
    private static final String LEAVE_ALTERNATE = "\u001b[?1049l";

    @TempDir
    Path folder;

    private final List<Process> processes = new ArrayList<>();
    private int files;

    /** Where interrupts are ignored and env cannot undo that, no Ctrl-C would end anything here. */
    @BeforeAll
    static void childrenThatCanBeInterrupted() throws IOException, InterruptedException {
        if (ignoresInterrupts()) {
            assumeThat(new ProcessBuilder("env", DEFAULT_INTERRUPTS, "true")
                            .start()
                            .waitFor())
                    .as("env " + DEFAULT_INTERRUPTS + ", which coreutils know since 8.31")
                    .isZero();
        }
    }

    @BeforeAll
    static void thePackagedCommand() {
        if (Boolean.getBoolean("command.packaged") && !PACKAGED) {
            throw new AssertionError("the packaged command is not tested: " + JAR
                    + " is not there, or is not made of the classes; next: mvn -B verify -Pslow -pl verification/cluster -am,"
                    + " or let the classes do by -Dcommand.packaged=false");
        }
    }

    @BeforeEach
    void privateFolder() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        Files.createDirectory(
                folder.resolve("run"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    /** Whoever still ran could write into the folder while that is being deleted. */
    @AfterEach
    void killAll() throws InterruptedException {
        for (Process process : processes) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        for (Process process : processes) {
            var unused = process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    // ------------------------------------------------------------------------------------------------------- processes

    private ProcessBuilder prepared(List<String> command) {
        List<String> words = new ArrayList<>();
        if (ignoresInterrupts()) {
            words.addAll(List.of("env", DEFAULT_INTERRUPTS));
        }
        words.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(words);
        Map<String, String> environment = builder.environment();
        environment.put("FASTN_RUNTIME_DIR", folder.resolve("run").toString());
        environment.put("XDG_CONFIG_HOME", folder.resolve("config").toString());
        environment.put("XDG_CACHE_HOME", folder.resolve("cache").toString());
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("FASTN_NO_ARCHIVE", "1");
        // The one that script starts: that of the user may speak another language.
        environment.put("SHELL", "/bin/sh");
        List.of("NO_COLOR", "CLICOLOR_FORCE", "LC_ALL", "LC_CTYPE", "LANG", "FASTN_CONFIG")
                .forEach(environment::remove);
        return builder;
    }

    /** A process in the background of a script does, and so would its children, which then nothing here could end. */
    private static boolean ignoresInterrupts() {
        try {
            return Files.readString(Path.of("/proc/self/status"))
                    .lines()
                    .filter(line -> line.startsWith("SigIgn:"))
                    .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                    .anyMatch(ignored -> (ignored & (1L << (SIGINT - 1))) != 0);
        } catch (IOException e) {
            return false; // Only Linux tells.
        }
    }

    private Process node(String alias, String... more) throws IOException {
        Process node = nodeOf(folder.resolve("run"), alias, more);
        until("the descriptor of " + alias, () -> descriptors().contains(alias));
        return node;
    }

    /** A node that keeps its descriptor somewhere, which is another machine to a command that looks elsewhere. */
    private Process nodeOf(Path runtime, String alias, String... more) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                ObservedNode.class.getName(),
                alias));
        words.addAll(List.of(more));
        ProcessBuilder builder =
                prepared(words).redirectError(folder.resolve(alias + ".log").toFile());
        builder.environment().put("FASTN_RUNTIME_DIR", runtime.toString());
        Process node = builder.start();
        processes.add(node);
        expect(node, "ready");
        return node;
    }

    private String descriptors() {
        try (var files = Files.list(folder.resolve("run"))) {
            return String.join(
                    " ", files.map(file -> file.getFileName().toString()).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void expect(Process node, String word) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = node.getInputStream().read();
                c >= 0;
                c = node.getInputStream().read()) {
            if (c == '\n') {
                if (line.toString().equals(word)) {
                    return;
                }
                line.setLength(0);
            } else {
                line.append((char) c);
            }
        }
        throw new AssertionError("the node ended before it said " + word);
    }

    private static void tell(Process node, String command) throws IOException {
        node.getOutputStream().write((command + "\n").getBytes(StandardCharsets.UTF_8));
        node.getOutputStream().flush();
        expect(node, "done");
    }

    /** By what it holds: a build that packages the same again may leave the file as it is. */
    private static boolean isPackaged() {
        Path classes = JAR.resolveSibling("classes");
        try (JarFile jar = new JarFile(JAR.toFile());
                Stream<Path> files = Files.walk(classes.resolve("com"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                JarEntry entry = jar.getJarEntry(classes.relativize(file).toString());
                if (entry == null) {
                    return false;
                }
                try (InputStream packaged = jar.getInputStream(entry)) {
                    if (!Arrays.equals(packaged.readAllBytes(), Files.readAllBytes(file))) {
                        return false;
                    }
                }
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static List<String> fastn(String... arguments) {
        List<String> command = new ArrayList<>();
        if (PACKAGED) {
            command.add(LAUNCHER.toString());
        } else {
            command.addAll(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    "com.fastn.status.cli.Fastn"));
        }
        command.addAll(List.of(arguments));
        if (!List.of(arguments).contains(IMPATIENT)) {
            // A machine that is busy with other tests is no reason to give up.
            command.add("--timeout=30s");
        }
        return command;
    }

    private record Ended(int exitCode, String out, String err) {}

    private Ended run(String... arguments) throws IOException, InterruptedException {
        return end(start(fastn(arguments)));
    }

    /** A process whose output goes into files, so that nothing has to be read for it to go on. */
    private record Started(Process process, File out, File err) {
        String text() {
            return read(out);
        }
    }

    private Started start(List<String> command) throws IOException {
        return start(prepared(command));
    }

    private Started start(ProcessBuilder prepared) throws IOException {
        File out = folder.resolve("out-" + files).toFile();
        File err = folder.resolve("err-" + files++).toFile();
        Process process = prepared.redirectOutput(out).redirectError(err).start();
        processes.add(process);
        process.getOutputStream().close();
        return new Started(process, out, err);
    }

    private static Ended end(Started started) throws InterruptedException {
        if (!started.process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("it does not end; it said: " + read(started.out) + read(started.err));
        }
        return new Ended(started.process.exitValue(), read(started.out), read(started.err));
    }

    /** Somebody may be writing it, and have written half of a character. */
    private static String read(File file) {
        try {
            return new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void until(String what, BooleanSupplier condition) {
        await(what).atMost(PATIENCE).until(condition::getAsBoolean);
    }

    // ----------------------------------------------------------------------------------------------------------- tests

    @Test
    void aNodeIsFoundByItselfAndShownWithWhatIsStuck() throws IOException, InterruptedException {
        Process alice = node("alice");
        tell(alice, "open checkout");
        tell(alice, "lock till");
        Ended status = run("status");
        assertThat(status.err()).isEmpty();
        assertThat(status.exitCode()).isZero();
        assertThat(status.out()).contains("checkout").contains("HOLDS \"till\"").contains("WAITING \"till\"");
        Ended json = run("status", "alice", "--json");
        assertThat(new JsonObject(json.out()).getJsonObject("node").getString("alias"))
                .isEqualTo("alice");
        Ended explained = run("explain");
        assertThat(explained.exitCode()).isZero();
        assertThat(run("doctor").out())
                .contains("ok    status: is told")
                .contains("ok    versions")
                .contains("ok    contexts: of two branches at once each kept its own")
                .contains("ok    round trip: to itself");
        assertThat(run("status", "--fail-on=critical").exitCode()).isZero();
    }

    @Test
    void ofTwoNodesOneIsChosenOrBothAreShown() throws IOException, InterruptedException {
        node("alice");
        Process bob = node("bob");
        tell(bob, "open stock");
        Ended unclear = run("status");
        assertThat(unclear.exitCode()).isEqualTo(2);
        assertThat(unclear.err()).contains("fastn status alice").contains("fastn status bob");
        assertThat(run("status", "bob").out()).contains("stock");
        assertThat(run("status", "alice,bob").out()).contains("● alice  up").contains("● bob  up");
        Ended nodes = run("nodes");
        assertThat(nodes.exitCode()).isZero();
        assertThat(nodes.out().lines()).hasSize(3);
        bob.destroyForcibly();
        assertThat(bob.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        // What is left of a node that was killed is no node.
        Ended left = run("status");
        assertThat(left.exitCode()).isZero();
        assertThat(left.out()).contains("node alice");
    }

    @Test
    void aWatcherIsToldOfChangesAndOfTheEndOfTheNode() throws IOException, InterruptedException {
        Process alice = node("alice");
        Started watch = start(fastn("status", "-w", "--json"));
        until("the first line", () -> watch.text().contains("\n"));
        tell(alice, "open checkout");
        until("the change", () -> watch.text().contains("\"checkout\""));
        alice.destroyForcibly();
        until("the end", () -> read(watch.err).contains("connecting again"));
        Process again = node("alice");
        tell(again, "open returned");
        until("the new life", () -> watch.text().contains("\"returned\""));
        interrupt(watch.process);
        Ended ended = end(watch);
        assertThat(ended.exitCode()).isEqualTo(130);
        assertThat(ended.err()).doesNotContain("\tat ");
        // Spaces at the end are how it learns whether somebody still reads.
        assertThat(ended.out().lines()).filteredOn(line -> !line.isBlank()).allSatisfy(line -> new JsonObject(line));
    }

    @Test
    void aWatcherOfAPathIsToldWhenItClosesAndWhenItIsThereAgain() throws IOException, InterruptedException {
        Process alice = node("alice");
        Ended typo = run("status", "-w", "--path", "global.typo");
        assertThat(typo.exitCode()).isEqualTo(1);
        assertThat(typo.err())
                .contains("nothing is open at \"global.typo\"")
                .contains("fastn status alice shows which paths are open")
                .isEqualTo(run("status", "--path", "global.typo").err());
        Ended nobody = run("status", "nobody", "-w");
        assertThat(nobody.exitCode()).isEqualTo(1);
        assertThat(nobody.err())
                .contains("unknown node \"nobody\"")
                .isEqualTo(run("status", "nobody").err());

        tell(alice, "open checkout");
        Started watch = start(fastn("status", "-w", "--path", "global.checkout"));
        until("the path", () -> watch.text().contains("checkout"));
        tell(alice, "close checkout");
        until("its end", () -> watch.text().contains("nothing is open at \"global.checkout\""));
        int before = watch.text().length();
        tell(alice, "open checkout");
        until("its return", () -> {
            String since = watch.text().substring(before);
            return since.contains("fastn Status Dashboard") && since.contains("checkout");
        });
        interrupt(watch.process);
        Ended ended = end(watch);
        assertThat(ended.exitCode()).isEqualTo(130);
        assertThat(ended.err()).contains("waiting for it").doesNotContain("connecting again");
    }

    @Test
    void S3_aNodeWithATokenAndACertificateOfAnotherHostIsAskedOnItsOwnMachine() throws Exception {
        Path store = folder.resolve("prod.p12");
        String password = "changeit";
        Ended made = end(start(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keystore",
                store.toString(),
                "-storepass",
                password,
                "-alias",
                "prod",
                "-keyalg",
                "EC",
                "-dname",
                "CN=status.example",
                "-ext",
                "san=dns:status.example")));
        assertThat(made.exitCode()).as(made.out() + made.err()).isZero();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, password.toCharArray());
        }
        Path certificate = folder.resolve("prod-cert.pem");
        Path key = folder.resolve("prod-key.pem");
        Files.writeString(
                certificate, pem("CERTIFICATE", keys.getCertificate("prod").getEncoded()));
        Files.writeString(
                key,
                pem("PRIVATE KEY", keys.getKey("prod", password.toCharArray()).getEncoded()));
        Path token = folder.resolve("prod.token");
        Process prod = node(
                "prod",
                new JsonObject()
                        .put(
                                "options",
                                new JsonObject()
                                        .put("httpHost", "0.0.0.0")
                                        .put("httpTokenFile", token.toString())
                                        .put("httpTlsCert", certificate.toString())
                                        .put("httpTlsKey", key.toString()))
                        .encode());
        tell(prod, "open checkout");
        // A node gives two seconds for a handshake, which a machine that is busy with other tests may take for the
        // first steps of it.
        Ended status = untilRun("a status over TLS", ended -> ended.exitCode() == 0, "status");
        assertThat(status.err()).isEmpty();
        assertThat(status.out()).contains("node prod").contains("checkout");
        untilRun("a diagnosis", ended -> ended.out().contains("TLS: the node's certificate is trusted"), "doctor");
        Started watch = watching("\"checkout\"");
        tell(prod, "open returned");
        until("the change", () -> watch.text().contains("\"returned\""));
        interrupt(watch.process);
        assertThat(end(watch).exitCode()).isEqualTo(130);

        String url = new JsonObject(descriptor("prod")).getString("url");
        assertThat(url).startsWith("https://");
        Path config = Files.createDirectories(folder.resolve("config/fastn"));
        Files.writeString(
                config.resolve("config.toml"),
                "[nodes.far]\nurl = \"%s\"\ntoken_file = \"%s\"\nca = \"%s\"\n".formatted(url, token, certificate));
        Ended far = untilRun(
                "a refusal, for from elsewhere the certificate has to name the host",
                ended -> ended.err().contains("has to name the host"),
                "status",
                "far");
        assertThat(far.exitCode()).isEqualTo(3);

        Files.writeString(token, "another-one\n");
        Ended refused = untilRun(
                "a refusal", ended -> ended.err().contains("does not let us in without the right token"), "status");
        assertThat(refused.exitCode()).isEqualTo(1);
    }

    /** Begins to watch, again where the handshake took too long for the node. */
    private Started watching(String what) throws IOException {
        Started[] watch = {start(fastn("status", "-w", "--json"))};
        until("the first line", () -> {
            if (!watch[0].process.isAlive()) {
                try {
                    watch[0] = start(fastn("status", "-w", "--json"));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            return watch[0].text().contains(what);
        });
        return watch[0];
    }

    private static String pem(String what, byte[] content) {
        return "-----BEGIN " + what + "-----\n" + Base64.getMimeEncoder().encodeToString(content) + "\n-----END " + what
                + "-----\n";
    }

    private String descriptor(String alias) throws IOException {
        try (var files = Files.list(folder.resolve("run"))) {
            Path file = files.filter(each -> each.getFileName().toString().startsWith(alias))
                    .findFirst()
                    .orElseThrow();
            return Files.readString(file);
        }
    }

    private static void interrupt(Process process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    @Test
    void ofAClusterANodeThatWasKilledIsARowThatSaysSo() throws IOException, InterruptedException {
        JsonArray ports = new JsonArray(List.copyOf(ClusterExtension.freePorts(2)));
        JsonObject settings =
                new JsonObject().put("cluster", "command-" + UUID.randomUUID()).put("members", ports);
        node("alice", settings.copy().put("port", ports.getInteger(0)).encode());
        Process bob =
                node("bob", settings.copy().put("port", ports.getInteger(1)).encode());
        Ended both = untilRun(
                "the cluster of both",
                // Until they have met, they are two clusters.
                ended -> ended.out().contains("● alice  up")
                        && ended.out().contains("● bob  up")
                        && ended.out().split("fastn Cluster Status", -1).length == 2,
                "status",
                "--cluster");
        assertThat(both.exitCode()).isZero();
        bob.destroyForcibly();
        assertThat(bob.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        Ended one = untilRun(
                "bob is not heard",
                ended -> ended.out().contains("● alice  up") && !ended.out().contains("● bob"),
                "status",
                "--cluster");
        assertThat(one.exitCode()).isEqualTo(4);
        assertThat(one.out()).contains("● alice  up").containsPattern("[◐○] bob  (stale|down)");
        assertThat(one.err()).contains("1 of 2 nodes did not answer: bob");
    }

    /** The watcher stays through it; at the end there is no descriptor here of the one that came back. */
    @Test
    void aClusterIsWatchedWhileANodeOfItIsKilledAndComesBackAsOneThatOnlyItsClusterKnows()
            throws IOException, InterruptedException {
        JsonArray ports = new JsonArray(List.copyOf(ClusterExtension.freePorts(3)));
        JsonObject settings =
                new JsonObject().put("cluster", "command-" + UUID.randomUUID()).put("members", ports);
        node("alice", settings.copy().put("port", ports.getInteger(0)).encode());
        Process bob =
                node("bob", settings.copy().put("port", ports.getInteger(1)).encode());
        untilRun(
                "the cluster of both",
                ended -> ended.out().split("fastn Cluster Status", -1).length == 2
                        && ended.out().contains("● bob  up"),
                "status",
                "--cluster");
        Started watch = start(fastn("status", "-w", "--json", "--cluster"));
        until("bob", () -> rows(watch, "bob").stream().anyMatch(CommandEndToEndTest::isUp));
        bob.destroyForcibly();
        until(
                "that he is not heard",
                () -> rows(watch, "bob").stream()
                        .anyMatch(row -> !row.getString("state").equals("up") && !row.containsKey("status")));

        Path elsewhere = Files.createDirectory(
                folder.resolve("elsewhere"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Process again = nodeOf(
                elsewhere,
                "bob",
                settings.copy().put("port", ports.getInteger(2)).encode());
        tell(again, "open stock");
        tell(again, "lock till");
        until(
                "his return",
                () -> rows(watch, "bob").stream()
                        .anyMatch(row -> isUp(row) && row.encode().contains("\"stock\"")));
        interrupt(watch.process);
        assertThat(end(watch).exitCode()).isEqualTo(130);

        assertThat(end(start(withoutTimeout(fastn("info")))).out().lines())
                .filteredOn(line -> line.startsWith("node here "))
                .singleElement()
                .asString()
                .contains("alice");
        Ended asked = untilRun("bob by his cluster", ended -> ended.exitCode() == 0, "status", "bob");
        assertThat(asked.out()).contains("● bob  up").contains("stock").contains("HOLDS \"till\"");
        Ended explained =
                untilRun("why", ended -> ended.exitCode() == 0 && ended.out().contains("till"), "explain");
        assertThat(explained.out()).contains("bob");
        Ended typo = run("status", "alice,bop");
        assertThat(typo.exitCode()).isEqualTo(1);
        assertThat(typo.err()).startsWith("fastn: unknown node \"bop\"\n").contains("did you mean \"bob\"?");
    }

    /** {@return what the last line of a stream tells of a node} */
    private static List<JsonObject> rows(Started watch, String alias) {
        String text = watch.text();
        List<String> lines = text.substring(0, text.lastIndexOf('\n') + 1)
                .lines()
                .filter(line -> !line.isBlank())
                .toList();
        return lines.isEmpty()
                ? List.of()
                : new JsonObject(lines.get(lines.size() - 1))
                        .getJsonArray("nodes").stream()
                                .map(JsonObject.class::cast)
                                .filter(row ->
                                        alias.equals(row.getJsonObject("node").getString("alias")))
                                .toList();
    }

    private static boolean isUp(JsonObject row) {
        return row.getString("state").equals("up") && row.containsKey("status");
    }

    private Ended untilRun(String what, Predicate<Ended> condition, String... arguments) {
        Ended[] last = {new Ended(-1, "", "")};
        until(what, () -> {
            try {
                last[0] = run(arguments);
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
            return condition.test(last[0]);
        });
        return last[0];
    }

    @Test
    void theLauncherMakesItsArchiveOfClassesInSilenceAndUsesItThen() throws IOException, InterruptedException {
        assumeThat(PACKAGED).as("the jar, of which the archive is made").isTrue();
        node("alice");
        Ended first = withArchive(fastn("status"));
        assertThat(first.exitCode()).isZero();
        assertThat(first.out()).contains("node alice");
        assertThat(first.err()).isEmpty();
        until("the archive", () -> archives().contains(".jsa") && !archives().contains(".lock"));
        assertThat(archives()).doesNotContain(".failed");
        Ended told = withArchive(List.of(LAUNCHER.toString(), "info"));
        assertThat(told.err()).isEmpty();
        assertThat(told.out())
                .contains(folder.resolve("cache/fastn").toString())
                .contains("makes the start fast");
        Ended second = withArchive(fastn("status"));
        assertThat(second.out()).contains("node alice");
        assertThat(second.err()).isEmpty();
    }

    private Ended withArchive(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder builder = prepared(command);
        builder.environment().remove("FASTN_NO_ARCHIVE");
        return end(start(builder));
    }

    private String archives() {
        Path archives = folder.resolve("cache/fastn");
        if (!Files.isDirectory(archives)) {
            return "";
        }
        try (var files = Files.list(archives)) {
            return String.join(
                    " ", files.map(file -> file.getFileName().toString()).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aPipeThatIsClosedEndsTheCommandQuietly() throws IOException, InterruptedException {
        node("alice");
        List<String> words = fastn("status", "-w", "--json");
        String quoted =
                String.join(" ", words.stream().map(word -> "'" + word + "'").toList());
        Started pipe = start(
                List.of("bash", "-c", "set -o pipefail; " + quoted + " | head -n 1; echo ended ${PIPESTATUS[0]}"));
        until("the first line", () -> pipe.text().contains("\n"));
        // Nothing happens at the node any more, and it is noticed all the same.
        Ended ended = end(pipe);
        assertThat(ended.out()).endsWith("ended 0\n");
        assertThat(ended.err()).isEmpty();
    }

    @Test
    void aNodeAnswersWhileAllOfItsApplicationIsBlocked() throws IOException, InterruptedException {
        Process alice = node("alice");
        tell(alice, "open checkout");
        tell(alice, "block");
        Ended status = run("status");
        assertThat(status.exitCode()).isZero();
        assertThat(status.out()).contains("checkout");
        Ended doctor = run("doctor");
        assertThat(doctor.out()).contains("port: answers in");
    }

    @Test
    void whatIsWrongWithTheConfigurationIsASentence() throws IOException, InterruptedException {
        node("alice");
        Path config = Files.createDirectories(folder.resolve("config/fastn"));
        Path token = config.resolve("prod.token");
        Files.writeString(token, "secret");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-r--r--"));
        Files.writeString(
                config.resolve("config.toml"),
                "[nodes.prod]\nurl = \"http://127.0.0.1:1\"\ntoken_file = \"prod.token\"\n");
        Ended refused = run("status", "prod");
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err())
                .contains("chmod 600 " + token)
                .doesNotContain("secret\n")
                .doesNotContain("\tat ");
        Ended partial = run("status", "alice,prod");
        assertThat(partial.exitCode()).isEqualTo(4);
        assertThat(partial.out()).contains("● alice  up").contains("○ prod  down");
        Files.writeString(config.resolve("config.toml"), "[nodes.prod\n");
        Ended malformed = run("status");
        assertThat(malformed.exitCode()).isEqualTo(1);
        assertThat(malformed.err()).contains("line 1");
    }

    @Test
    void aNameThatNobodyLooksUpIsNotWaitedForBeyondTheTimeout() throws IOException, InterruptedException {
        Path hosts = folder.resolve("hosts");
        assumeThat(new ProcessBuilder("mkfifo", hosts.toString()).start().waitFor())
                .as("mkfifo")
                .isZero();
        Path config = Files.createDirectories(folder.resolve("config/fastn"));
        Files.writeString(config.resolve("config.toml"), "[nodes.prod]\nurl = \"https://status.example:8443\"\n");
        // Long enough for a busy machine to begin with it at all.
        List<String> words = new ArrayList<>(withoutTimeout(fastn("status", "prod")));
        words.add("--timeout=4s");
        ProcessBuilder builder = prepared(words);
        // Whoever reads this file waits until somebody writes into it.
        builder.environment().put("JDK_JAVA_OPTIONS", "-Djdk.net.hosts.file=" + hosts);
        Ended status = end(start(builder));
        assertThat(status.exitCode()).isEqualTo(3);
        assertThat(status.err())
                .contains("the name of the host in https://status.example:8443 was not looked up within 4000 ms")
                .contains("getent hosts status.example");
    }

    /** What the launcher or the class path starts, on a terminal of its own that has 100 columns and 30 rows. */
    private Started onATerminal(String... arguments) throws IOException {
        return onATerminal("exec %s", fastn(arguments));
    }

    /** The same, by a shell that stays and tells in two files how the terminal is set before and after. */
    private Started onATerminalThatIsComparedAfter(String settings, List<String> command) throws IOException {
        // What the shell ignored, the command would ignore too; what it catches, the command does not.
        return onATerminal(
                "stty " + settings + "; tty >'" + folder.resolve("tty") + "'; stty -a >'" + folder.resolve("before")
                        + "'; trap : INT; %s; code=$?; stty -a >'" + folder.resolve("after") + "'; exit $code",
                command);
    }

    private Started onATerminal(String shell, List<String> command) throws IOException {
        List<String> words = new ArrayList<>(command);
        if (!PACKAGED) {
            words.add(1, "-Dfastn.tty=true");
        }
        String quoted =
                String.join(" ", words.stream().map(word -> "'" + word + "'").toList());
        File out = folder.resolve("out-" + files).toFile();
        File err = folder.resolve("err-" + files++).toFile();
        ProcessBuilder builder = prepared(List.of(
                "script",
                "-qefc",
                "stty cols 100 rows 30; export TERM=xterm-256color; " + shell.formatted(quoted),
                "/dev/null"));
        Process process = builder.redirectOutput(out).redirectError(err).start();
        processes.add(process);
        return new Started(process, out, err);
    }

    private static void type(Started terminal, String keys) throws IOException {
        terminal.process.getOutputStream().write(keys.getBytes(StandardCharsets.UTF_8));
        terminal.process.getOutputStream().flush();
    }

    private static void assumeTerminals() {
        assumeThat(Path.of("/usr/bin/script"))
                .as("script, which makes terminals")
                .isExecutable();
    }

    @Test
    void onATerminalChangesAreDrawnAndCtrlCGivesTheCursorBack() throws IOException, InterruptedException {
        assumeTerminals();
        Process alice = node("alice");
        Started watch = onATerminal("status", "-w");
        until("the first picture", () -> watch.text().contains("Global Context"));
        tell(alice, "open checkout");
        until("the change", () -> watch.text().contains("checkout"));
        type(watch, CTRL_C);
        Ended ended = end(watch);
        assertThat(ended.exitCode()).isEqualTo(130);
        assertThat(ended.out())
                .contains(HIDE_CURSOR)
                .contains("\u001b[1mGlobal Context")
                .doesNotContain("\tat ");
        assertThat(ended.out().lastIndexOf(SHOW_CURSOR))
                .isGreaterThan(ended.out().lastIndexOf(HIDE_CURSOR));
    }

    @Test
    void topIsMovedInByKeysAndLeavesTheTerminalAsItWas() throws IOException, InterruptedException {
        assumeTerminals();
        Process alice = node("alice");
        tell(alice, "open checkout");
        Started top = onATerminal("top");
        until("the tree", () -> top.text().contains("checkout"));
        type(top, "?");
        until("the help", () -> top.text().contains("page up"));
        type(top, " ");
        type(top, "/");
        until("the search", () -> top.text().contains("enter: keep"));
        type(top, "check\r");
        until("what is found", () -> top.text().contains("only \"check\""));
        type(top, "q");
        Ended ended = end(top);
        assertThat(ended.exitCode()).isZero();
        assertThat(ended.out()).contains(ENTER_ALTERNATE).doesNotContain("\tat ");
        assertThat(ended.out().lastIndexOf(SHOW_CURSOR))
                .isGreaterThan(ended.out().lastIndexOf(HIDE_CURSOR));
        assertThat(ended.out().lastIndexOf(LEAVE_ALTERNATE))
                .isGreaterThan(ended.out().lastIndexOf(ENTER_ALTERNATE));
    }

    private void assertLeftAsItWas(Ended ended) {
        assertLeftAsItWas(ended, 130, ENTER_ALTERNATE, LEAVE_ALTERNATE);
    }

    private void assertLeftAsItWas(Ended ended, int exitCode, String enter, String leave) {
        assertThat(ended.exitCode()).as(ended.out()).isEqualTo(exitCode);
        assertThat(ended.out())
                .contains(HIDE_CURSOR, enter)
                .doesNotContain("\tat ")
                .endsWith(SHOW_CURSOR + leave);
        assertThat(folder.resolve("after")).hasSameTextualContentAs(folder.resolve("before"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"isig", "-isig"})
    void ctrlCInTopLeavesTheTerminalAsItWasWhetherItIsASignalOrAKey(String settings)
            throws IOException, InterruptedException {
        assumeTerminals();
        Process alice = node("alice");
        tell(alice, "open checkout");
        Started top = onATerminalThatIsComparedAfter(settings, fastn("top"));
        until("the tree", () -> top.text().contains("checkout"));
        type(top, CTRL_C);
        assertLeftAsItWas(end(top));
    }

    /** As a service manager or a terminal that is closed ends it: what died on the way is told by the number of the signal. */
    @ParameterizedTest
    @CsvSource({"TERM,143", "HUP,129"})
    void whatIsEndedByASignalLeavesTheTerminalAsItWas(String signal, int exitCode)
            throws IOException, InterruptedException {
        assumeTerminals();
        Process alice = node("alice");
        tell(alice, "open checkout");
        Started top = onATerminalThatIsComparedAfter("isig", fastn("top"));
        until("the tree", () -> top.text().contains("checkout"));
        kill(signal, java(top.process));
        assertLeftAsItWas(end(top), exitCode, ENTER_ALTERNATE, LEAVE_ALTERNATE);
        Started watch = onATerminalThatIsComparedAfter("isig", fastn("status", "-w"));
        until("the picture", () -> watch.text().contains("checkout"));
        kill(signal, java(watch.process));
        assertLeftAsItWas(end(watch), exitCode, CLEAR, "\r\r\n");
    }

    /** {@return the process of the command itself, below the terminal and the shell} */
    private static ProcessHandle java(Process terminal) {
        return terminal.descendants()
                .filter(process -> process.info().command().orElse("").endsWith("/java"))
                .findFirst()
                .orElseThrow();
    }

    private static void kill(String signal, ProcessHandle process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"isig", "-isig"})
    void ctrlCInAReplayLeavesTheTerminalAsItWasWhetherItIsASignalOrAKey(String settings)
            throws IOException, InterruptedException {
        assumeTerminals();
        node("alice");
        Path recording = folder.resolve("night.ndjson");
        Files.writeString(recording, run("status", "--json").out());
        Started replay = onATerminalThatIsComparedAfter(
                settings, withoutTimeout(fastn("replay", "--pause", recording.toString())));
        until("the moment", () -> replay.text().contains("1 of 1"));
        type(replay, CTRL_C);
        assertLeftAsItWas(end(replay));
    }

    @Test
    void topIsDrawnAgainWhenTheTerminalGetsAnotherSize() throws IOException, InterruptedException {
        assumeTerminals();
        Process alice = node("alice");
        tell(alice, "open checkout");
        Started top = onATerminalThatIsComparedAfter("isig", fastn("top"));
        until("the tree", () -> top.text().contains("checkout"));
        assertThat(top.text()).containsOnlyOnce(CLEAR);
        String tty = Files.readString(folder.resolve("tty")).strip();
        assertThat(new ProcessBuilder("stty", "-F", tty, "cols", "70", "rows", "20")
                        .start()
                        .waitFor())
                .isZero();
        until("the other size", () -> top.text().lastIndexOf(CLEAR) > top.text().indexOf(CLEAR));
        type(top, "q");
        assertThat(end(top).exitCode()).isZero();
    }

    /** A Java with nothing but its base, as small images have it, or that of this test where none can be made. */
    private String smallestJava() throws IOException, InterruptedException {
        String java = System.getProperty("java.home");
        Path jlink = Path.of(java, "bin", "jlink");
        if (!PACKAGED || !Files.isExecutable(jlink)) {
            return java;
        }
        String small = folder.resolve("jre").toString();
        Ended linked = end(start(List.of(jlink.toString(), "--add-modules", "java.base", "--output", small)));
        assertThat(linked.exitCode()).as(linked.out()).isZero();
        return small;
    }

    /** As kubectl exec finds it: a JRE, nobody's home, no locale, no terminal, and nothing to read. */
    @Test
    void inAContainerWithoutAHomeAndATerminalItWorks() throws IOException, InterruptedException {
        Process alice = node("alice");
        tell(alice, "open checkout");
        List<String> command = new ArrayList<>(List.of(
                "env",
                "-i",
                "PATH=" + System.getenv("PATH"),
                "JAVA_HOME=" + smallestJava(),
                "FASTN_RUNTIME_DIR=" + folder.resolve("run")));
        command.addAll(fastn("status"));
        Ended status = end(start(command));
        assertThat(status.err()).isEmpty();
        assertThat(status.exitCode()).isZero();
        assertThat(status.out()).contains("checkout").doesNotContain("\u001b[");
    }

    @Test
    void aNodeThatIsKilledIsAMomentOfTheRecording() throws IOException, InterruptedException {
        Process alice = node("alice");
        tell(alice, "open checkout");
        Path recording = folder.resolve("night.ndjson");
        Started record = start(fastn("record", recording.toString()));
        until(
                "the first moment",
                () -> Files.exists(recording) && !read(recording.toFile()).isEmpty());
        alice.destroyForcibly();
        until("its end", () -> read(recording.toFile()).contains("the last that was heard"));
        interrupt(record.process);
        assertThat(end(record).exitCode()).isEqualTo(130);
        Ended replay = end(start(withoutTimeout(fastn("replay", recording.toString()))));
        assertThat(replay.exitCode()).isZero();
        assertThat(replay.out()).contains("◐ alice  stale: this is the last that was heard");
    }

    @Test
    void whatWasRecordedIsReplayed() throws IOException, InterruptedException {
        Process alice = node("alice");
        Path recording = folder.resolve("night.ndjson");
        Started record = start(fastn("record", recording.toString()));
        until(
                "the first moment",
                () -> Files.exists(recording) && !read(recording.toFile()).isEmpty());
        tell(alice, "open checkout");
        until("the change", () -> read(recording.toFile()).contains("\"checkout\""));
        interrupt(record.process);
        assertThat(end(record).exitCode()).isEqualTo(130);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(recording)))
                .isEqualTo("rw-------");
        Ended replay = end(start(withoutTimeout(fastn("replay", recording.toString(), "--filter", "checkout"))));
        assertThat(replay.err()).isEmpty();
        assertThat(replay.exitCode()).isZero();
        assertThat(replay.out()).contains("checkout");
    }

    /** What asks no node has no use for the patience that the others are given here. */
    private static List<String> withoutTimeout(List<String> command) {
        return command.stream().filter(word -> !word.startsWith("--timeout")).toList();
    }

    @Test
    void aNodeThatStandsStillIsSaidNotToAnswer() throws IOException, InterruptedException {
        Process alice = node("alice");
        assertThat(new ProcessBuilder("kill", "-STOP", Long.toString(alice.pid()))
                        .start()
                        .waitFor())
                .isZero();
        Ended status = run("status", IMPATIENT);
        assertThat(status.exitCode()).isEqualTo(3);
        assertThat(status.err()).contains("did not answer within 500 ms").contains("kill -CONT");
    }
}
