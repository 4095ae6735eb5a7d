package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that is asked over TLS is trusted by the certificates that the configuration names, and by no others. */
class TlsTest {
    private static final String PASSWORD = "changeit";
    private static final StatusSnapshot PROD = Fixtures.snapshot("till-7", "front");

    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
    }

    @Test
    void S3_theCertificateThatTheConfigurationNamesIsTrusted() throws Exception {
        Identity prod = identity("prod", "ip:127.0.0.1");
        try (FakeNode node = node(prod)) {
            command.config("[nodes.prod]\nurl = \"%s\"\ntoken_file = \"prod.token\"\nca = \"%s\"\n"
                    .formatted(node.url(), prod.certificate()));
            command.file("config/fastn/prod.token", "s3cret\n", "rw-------");
            assertThat(command.run("status", "prod")).isEqualTo(new Result(ExitCode.OK, PROD.toString(), ""));
        }
    }

    @Test
    void S3_aNodeWithAnotherCertificateIsNotAskedForAnything() throws Exception {
        Identity prod = identity("prod", "ip:127.0.0.1");
        Identity stranger = identity("stranger", "ip:127.0.0.1");
        for (String ca : new String[] {"ca = \"" + stranger.certificate() + "\"", ""}) {
            try (FakeNode node = node(prod)) {
                command.config("[nodes.prod]\nurl = \"%s\"\n%s\n".formatted(node.url(), ca));
                Result result = command.run("status", "prod");
                assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
                assertThat(result.err()).contains("TLS connection").contains("ca in the configuration");
                assertThat(node.asked()).isEmpty();
            }
        }
    }

    @Test
    void aCertificateOfAnotherHostIsNoneOfThisOne() throws Exception {
        Identity prod = identity("prod", "dns:prod.example");
        try (FakeNode node = node(prod)) {
            command.config("[nodes.prod]\nurl = \"%s\"\nca = \"%s\"\n".formatted(node.url(), prod.certificate()));
            Result result = command.run("status", "prod");
            assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(result.err()).contains("has to name the host");
            assertThat(node.asked()).isEmpty();
        }
    }

    @Test
    void S3_aNodeOfThisMachineIsKnownByItsVeryCertificateWhateverHostThatNames() throws Exception {
        Identity prod = identity("prod", "dns:status.example");
        Identity stranger = identity("stranger", "dns:status.example");
        command.file("run.token", "s3cret\n", "rw-------");
        Path both = command.file(
                "both.pem",
                Files.readString(stranger.certificate()) + Files.readString(prod.certificate()),
                "rw-r--r--");
        try (FakeNode node = node(prod).withToken("s3cret")) {
            descriptor(node, prod.certificate());
            assertThat(command.run("status")).isEqualTo(new Result(ExitCode.OK, PROD.toString(), ""));
            int asked = node.asked().size();
            for (Path other : List.of(stranger.certificate(), both)) {
                descriptor(node, other);
                Result result = command.run("status");
                assertThat(result.exitCode()).as("%s", other).isEqualTo(ExitCode.UNREACHABLE);
                assertThat(result.err())
                        .contains("TLS connection")
                        .contains(other.toString())
                        .contains("node.json");
                assertThat(node.asked()).hasSize(asked);
            }
        }
    }

    private void descriptor(FakeNode node, Path certificate) {
        String text = "{\"pid\":4711,\"alias\":\"till-7\",\"url\":\"%s\",\"incarnation\":\"19a0-till\","
                + "\"token_file\":\"%s\",\"ca_file\":\"%s\"}";
        command.descriptor(
                "node.json", text.formatted(node.url(), folder.resolve("run.token"), certificate), "rw-------");
    }

    @Test
    void aFileWithoutCertificatesIsSaidSo() throws Exception {
        Path empty = command.file("config/fastn/empty.pem", "", "rw-r--r--");
        command.config("[nodes.prod]\nurl = \"https://127.0.0.1:1\"\nca = \"empty.pem\"\n");
        Result result = command.run("status", "prod");
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains(empty.toString()).contains("PEM");
    }

    private static FakeNode node(Identity identity) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(identity.store())) {
            store.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, PASSWORD.toCharArray());
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), null, null);
        return FakeNode.of(PROD, Fixtures.cluster(Fixtures.up("till-7", "front")), tls);
    }

    /** A key and its certificate, which it signed itself and which stands for this host. */
    private Identity identity(String name, String host) throws IOException, InterruptedException {
        Path store = folder.resolve(name + ".p12");
        Path certificate = folder.resolve(name + ".pem");
        keytool(
                "-genkeypair",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD,
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-dname",
                "CN=" + name,
                "-ext",
                "san=" + host,
                "-validity",
                "2");
        keytool(
                "-exportcert",
                "-rfc",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD,
                "-alias",
                name,
                "-file",
                certificate.toString());
        return new Identity(store, certificate);
    }

    private void keytool(String... arguments) throws IOException, InterruptedException {
        ProcessBuilder keytool = new ProcessBuilder(new ArrayList<>(List.of(arguments)));
        keytool.command()
                .add(
                        0,
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString());
        Path log = folder.resolve("keytool.log");
        Process process = keytool.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(log)).isZero();
    }

    private record Identity(Path store, Path certificate) {}
}
