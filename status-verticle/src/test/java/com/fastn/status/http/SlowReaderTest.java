package com.fastn.status.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fastn.context.Ticker;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SlowReaderTest {
    private static final String FILL = "x".repeat(256 << 10);

    private static final long MOST_ON_THE_WAY = 32 << 20;

    private final AtomicInteger made = new AtomicInteger();
    private final CountDownLatch closed = new CountDownLatch(1);

    /** Always has something newer. */
    private final class Endless implements StreamReader {
        @Override
        public CompletionStage<@Nullable StreamItem> next() {
            String line = "{\"number\":" + made.incrementAndGet() + ",\"fill\":\"" + FILL + "\"}";
            return CompletableFuture.completedFuture(
                    new StreamItem("status", null, line.getBytes(StandardCharsets.UTF_8)));
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }

    @Test
    void D6_aReaderThatDoesNotReadIsNotWrittenToAndItsEndIsNoticed() throws Exception {
        StatusServer server = StatusServer.open(
                        new HttpSettings("127.0.0.1", 0, List.of(), null, null),
                        Map.of(),
                        Map.of("/s", (question, news) -> new Endless()),
                        Ticker.system())
                .get(60, TimeUnit.SECONDS);
        try {
            isNotWrittenTo(URI.create(server.url()));
        } finally {
            try {
                assertThat(closed.await(60, TimeUnit.SECONDS))
                        .as("the reader was given back")
                        .isTrue();
            } finally {
                server.close().get(60, TimeUnit.SECONDS);
            }
        }
    }

    private void isNotWrittenTo(URI uri) throws IOException {
        try (Socket socket = new Socket()) {
            socket.setReceiveBufferSize(8 << 10);
            socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()));
            socket.setSoTimeout(60_000);
            socket.getOutputStream()
                    .write(("GET /s?format=ndjson HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\n\r\n")
                            .getBytes(StandardCharsets.UTF_8));
            int stalledAt = stalled();
            assertThat((long) stalledAt * FILL.length()).as("bytes on the way").isLessThan(MOST_ON_THE_WAY);

            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            String line = lines.readLine();
            while (!line.contains("\"number\":" + (stalledAt + 20) + ",")) {
                line = lines.readLine();
            }
        }
    }

    /** It has the connection, and has taken more than the check bears when that begins to look. */
    @Test
    void D6_theCheckNoticesAPortThatTakesMoreAndMoreForAReaderWhoDoesNotRead() throws Exception {
        List<CompletionStage<@Nullable StreamItem>> unsent = new ArrayList<>();
        try (ServerSocket hoarder = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Endless endless = new Endless()) {
            while ((long) unsent.size() * FILL.length() < MOST_ON_THE_WAY) {
                unsent.add(endless.next());
            }
            assertThatThrownBy(() -> isNotWrittenTo(URI.create("http://127.0.0.1:" + hoarder.getLocalPort())))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("bytes on the way");
        }
    }

    /** Too many readers at once are told so, as a question is. */
    @Test
    void S15_aReaderWhoseItemCannotBeMadeIsToldWhyBeforeTheEnd() throws Exception {
        CompletableFuture<StreamItem> busy = new CompletableFuture<>();
        StatusServer server = StatusServer.open(
                        new HttpSettings("127.0.0.1", 0, List.of(), null, null),
                        Map.of(),
                        Map.of("/s", (question, news) -> new StreamReader() {
                            @Override
                            public CompletionStage<@Nullable StreamItem> next() {
                                return busy.thenApply(item -> item);
                            }

                            @Override
                            public void close() {
                                closed.countDown();
                            }
                        }),
                        Ticker.system())
                .get(60, TimeUnit.SECONDS);
        try (Socket socket = new Socket()) {
            URI uri = URI.create(server.url());
            socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()));
            socket.setSoTimeout(60_000);
            socket.getOutputStream()
                    .write(("GET /s?format=ndjson HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\n\r\n")
                            .getBytes(StandardCharsets.UTF_8));
            busy.completeExceptionally(new HttpRefusalException(503, "this node is busy with other questions"));
            String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(all)
                    .contains("{\"kind\":\"error\",\"code\":503,"
                            + "\"message\":\"this node is busy with other questions\","
                            + "\"schema\":1,\"min_schema\":1}\n")
                    .endsWith("0\r\n\r\n");
            assertThat(closed.await(60, TimeUnit.SECONDS))
                    .as("the reader was given back")
                    .isTrue();
        } finally {
            server.close().get(60, TimeUnit.SECONDS);
        }
    }

    private int stalled() throws IOException {
        int[] last = {-1};
        await().pollInterval(Duration.ofMillis(500))
                .atMost(Duration.ofSeconds(60))
                .until(() -> {
                    int now = made.get();
                    boolean same = now == last[0] && now > 0;
                    last[0] = now;
                    return same || (long) now * FILL.length() >= MOST_ON_THE_WAY;
                });
        return last[0];
    }
}
