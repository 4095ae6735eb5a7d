package com.fastn.status.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.BugDetectors;
import com.code_intelligence.jazzer.api.SilentCloseable;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fastn.context.Ticker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Bytes at a status port, which wants a token and answers to one host (rules S3, S8, S9, S12). */
class StatusServerFuzzTest {
    private static final String HOST = "status.test";
    private static final String TOKEN = "0123456789abcdef0123456789abcdef";
    private static final String SECRET = "what only a token opens";
    private static final byte[] GOOD = ("GET /status HTTP/1.1\r\nHost: " + HOST + "\r\nAuthorization: Bearer " + TOKEN
                    + "\r\nConnection: close\r\n\r\n")
            .getBytes(StandardCharsets.US_ASCII);

    /** Netty takes any word for the protocol and its version, and says it again. */
    private static final Pattern HEAD = Pattern.compile("\\S+ \\d{3} [\\w -]+\r\n.*", Pattern.DOTALL);

    /** What is no HTTP/1 is refused by Vert.x itself, before anything of ours, in a line that tells nothing. */
    private static final Pattern NOT_HTTP_1 =
            Pattern.compile("\\S+ 501 Not Implemented\r\n(content-length: 0\r\n)?\r\n");

    @TempDir
    static Path folder;

    private static @Nullable StatusServer server;
    private static int port;
    private static int inputs;

    @BeforeAll
    static void open() throws IOException {
        Path token = Files.writeString(folder.resolve("token"), TOKEN);
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
        HttpSettings settings = new HttpSettings("127.0.0.1", 0, List.of(HOST), AccessToken.of(token), null);
        HttpRoute secret = question -> CompletableFuture.completedFuture(HttpReply.text(200, SECRET));
        StatusServer opened = StatusServer.open(settings, Map.of("/status", secret), Map.of(), new HurriedTicker())
                .join();
        server = opened;
        port = URI.create(opened.url()).getPort();
    }

    @AfterAll
    static void close() {
        if (server != null) {
            server.close().join();
        }
    }

    @FuzzTest
    void bytesAreAnsweredByTheRulesOrNotAtAll(byte[] request) throws IOException {
        // Jazzer takes any connection for a finding, and this one is meant.
        try (SilentCloseable ignored = BugDetectors.allowNetworkConnections()) {
            check(request);
        }
    }

    private static void check(byte[] request) throws IOException {
        String answer = exchange(request);
        if (!answer.isEmpty() && !NOT_HTTP_1.matcher(answer).matches()) {
            assertThat(answer).matches(HEAD);
            assertThat(answer.toLowerCase(Locale.ROOT))
                    .contains("content-security-policy:", "x-content-type-options: nosniff")
                    .doesNotContain("access-control-allow");
        }
        if (answer.contains(SECRET)) {
            String sent = new String(request, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
            assertThat(sent).contains("host", HOST, "authorization", "bearer " + TOKEN);
        }
        if (++inputs % 64 == 0 || inputs < 4) {
            assertThat(exchange(GOOD)).as("it goes on to answer").contains(SECRET);
        }
    }

    private static String exchange(byte[] request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(20_000);
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            try {
                socket.getOutputStream().write(request);
                if (request != GOOD) {
                    socket.shutdownOutput();
                }
                socket.getInputStream().transferTo(answer);
            } catch (SocketException gone) {
                // Closed on us, which is as good as no answer.
            }
            return answer.toString(StandardCharsets.UTF_8);
        }
    }

    /** A second passes between two looks, so the budget of requests is always full. */
    private static final class HurriedTicker implements Ticker {
        private final AtomicLong now = new AtomicLong();

        @Override
        public long nanos() {
            return now.addAndGet(1_000_000_000);
        }

        @Override
        public Instant wallTime() {
            return Instant.EPOCH;
        }
    }
}
