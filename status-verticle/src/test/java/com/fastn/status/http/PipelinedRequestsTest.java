package com.fastn.status.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Ticker;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class PipelinedRequestsTest {
    private final CompletableFuture<Runnable> opened = new CompletableFuture<>();
    private final AtomicBoolean something = new AtomicBoolean();

    /** Has nothing to tell until there is something. */
    private final class Quiet implements StreamReader {
        @Override
        public CompletionStage<@Nullable StreamItem> next() {
            return CompletableFuture.completedFuture(
                    something.getAndSet(false)
                            ? new StreamItem("status", null, "something".getBytes(StandardCharsets.UTF_8))
                            : null);
        }

        @Override
        public void close() {}
    }

    @Test
    void S12_aStreamThatWasAskedForBehindAnotherQuestionIsNotCutOffLikeAHeadThatIsLate() throws Exception {
        StatusServer server = StatusServer.open(
                        new HttpSettings("127.0.0.1", 0, List.of(), null, null),
                        Map.of("/q", question -> CompletableFuture.completedFuture(HttpReply.text(200, "told\n"))),
                        Map.of("/s", (question, news) -> {
                            opened.complete(news);
                            return new Quiet();
                        }),
                        Ticker.system())
                .get(60, TimeUnit.SECONDS);
        URI uri = URI.create(server.url());
        String host = " HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\n\r\n";
        try (Socket pipelined = new Socket(uri.getHost(), uri.getPort())) {
            pipelined.setSoTimeout(60_000);
            pipelined
                    .getOutputStream()
                    .write(("GET /q" + host + "GET /s?format=ndjson" + host).getBytes(StandardCharsets.UTF_8));
            Runnable news = opened.get(60, TimeUnit.SECONDS);

            untilALaterOneIsCutOff(uri);

            something.set(true);
            news.run();
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(pipelined.getInputStream(), StandardCharsets.UTF_8));
            assertThat(lines.lines().filter(line -> line.equals("something")).findFirst())
                    .as("the stream goes on")
                    .isPresent();
        } finally {
            server.close().get(60, TimeUnit.SECONDS);
        }
    }

    /** Its time began after that of the stream, so then that of the stream would be over. */
    private static void untilALaterOneIsCutOff(URI uri) throws IOException {
        try (Socket silent = new Socket(uri.getHost(), uri.getPort())) {
            silent.setSoTimeout(60_000);
            assertThat(silent.getInputStream().read()).isNegative();
        }
    }
}
