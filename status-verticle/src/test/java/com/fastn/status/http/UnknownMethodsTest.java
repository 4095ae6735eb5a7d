package com.fastn.status.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ManualTicker;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
class UnknownMethodsTest {
    /** {@link HttpGateTest} shows as much of ten thousand, without a connection for each. */
    private static final int METHODS = 2_000;

    /** What a method may consist of (RFC 9110). */
    private static final String LETTERS =
            "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private final ManualTicker ticker = new ManualTicker(Instant.EPOCH);
    private final AtomicInteger asked = new AtomicInteger();

    @Test
    void S11_ofTwoThousandMethodsEachIsRefusedAtThePortAndAsksNothing() throws Exception {
        HttpRoute told = question -> {
            asked.incrementAndGet();
            return CompletableFuture.completedFuture(HttpReply.text(200, "told\n"));
        };
        StatusServer server = StatusServer.open(
                        new HttpSettings("127.0.0.1", 0, List.of(), null, null), Map.of("/q", told), Map.of(), ticker)
                .get(60, TimeUnit.SECONDS);
        try {
            URI uri = URI.create(server.url());
            assertThat(statusLine(uri, "GET")).isEqualTo("HTTP/1.1 200");
            Random random = new Random(11);
            Map<String, Long> answers = IntStream.range(0, METHODS)
                    .mapToObj(i -> statusLine(uri, method(random)))
                    .collect(Collectors.groupingBy(answer -> answer, Collectors.counting()));
            assertThat(answers).containsExactly(Map.entry("HTTP/1.1 405", (long) METHODS));
            assertThat(asked).hasValue(1);
        } finally {
            server.close().get(60, TimeUnit.SECONDS);
        }
    }

    private static String method(Random random) {
        String method = random.ints(1 + random.nextInt(24), 0, LETTERS.length())
                .mapToObj(i -> LETTERS.substring(i, i + 1))
                .collect(Collectors.joining());
        return method.equals("GET") || method.equals("HEAD") ? "BREW" : method;
    }

    private String statusLine(URI uri, String method) {
        // So that nobody is sent away for asking too often.
        ticker.advance(Duration.ofSeconds(1));
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            socket.setSoTimeout(60_000);
            socket.getOutputStream()
                    .write((method + " /q HTTP/1.1\r\nHost: " + uri.getAuthority()
                                    + "\r\nX-Http-Method-Override: GET\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] line = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
            return new String(line, StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new AssertionError("no answer to " + method, e);
        }
    }
}
