package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusJson;
import com.fastn.status.cli.CommandLineRun.Result;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node of the configuration that is asked over TLS. */
class TlsNodeTest {
    private static final String TOKEN = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    private final List<String> tokens = new CopyOnWriteArrayList<>();
    private CommandLineRun command;
    private HttpsServer server;

    @BeforeEach
    void open() throws Exception {
        command = new CommandLineRun(folder);
        KeyStore own = keys("own", "san=ip:127.0.0.1");
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, "changeit".toCharArray());
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), null, null);
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls));
        byte[] status = StatusJson.write(Fixtures.snapshot("prod", "front")).getBytes(StandardCharsets.UTF_8);
        server.createContext("/", exchange -> {
            tokens.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            exchange.sendResponseHeaders(200, status.length);
            exchange.getResponseBody().write(status);
            exchange.close();
        });
        server.start();
        command.file("config/fastn/prod.token", TOKEN, "rw-------");
    }

    @AfterEach
    void close() {
        server.stop(0);
    }

    /** A key of its own, and its certificate in a file of that name. */
    private KeyStore keys(String name, String extension) throws Exception {
        Path store = folder.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "a",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        extension,
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "changeit",
                        "-keystore",
                        store.toString())
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(keys.getCertificate("a").getEncoded());
        Files.createDirectories(folder.resolve("config/fastn"));
        Files.writeString(
                folder.resolve("config/fastn/" + name + ".pem"),
                "-----BEGIN CERTIFICATE-----\n" + body + "\n-----END CERTIFICATE-----\n");
        return keys;
    }

    private Result ask(String more) {
        command.config("[nodes.prod]\nurl = \"https://127.0.0.1:%d\"\ntoken_file = \"prod.token\"\n%s"
                .formatted(server.getAddress().getPort(), more));
        return command.run("status", "prod", "--timeout=20s");
    }

    @Test
    void S3_whoseCertificateIsNamedIsAskedWithTheToken() {
        Result result = ask("ca = \"own.pem\"\n");
        assertThat(result.exitCode()).as(result.err()).isEqualTo(ExitCode.OK);
        assertThat(result.out()).contains("front");
        assertThat(tokens).containsExactly("Bearer " + TOKEN);
    }

    @Test
    void S3_whoHasAnotherCertificateLearnsNoToken() throws Exception {
        var unused = keys("stranger", "san=ip:127.0.0.1");
        for (String trust : new String[] {"ca = \"stranger.pem\"\n", ""}) {
            Result result = ask(trust);
            assertThat(result.exitCode()).as(trust).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(result.err())
                    .contains("the TLS connection to https://127.0.0.1:")
                    .contains("next:");
        }
        assertThat(tokens).isEmpty();
    }
}
