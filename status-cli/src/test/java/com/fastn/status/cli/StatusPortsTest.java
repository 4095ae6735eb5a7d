package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.Ticker;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatusPortsTest {
    private static final String OK = "HTTP/1.1 200 OK\r\n";

    private final StatusPorts ports = new StatusPorts(Duration.ofSeconds(60), Ticker.system());

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "in its first line|HTTP/1.1 200 |x",
                "in its head|HTTP/1.1 200 OK\\r\\n|X: y\\r\\n",
                "before its answer|''|HTTP/1.1 100 Continue\\r\\n\\r\\n",
                "in a length|HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n1;|x",
                "in pieces|HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n|1\\r\\n \\r\\n",
                "in its body|HTTP/1.1 200 OK\\r\\nContent-Length: 999999\\r\\n\\r\\n|x",
                "in a refusal|HTTP/1.1 400 Bad\\r\\nContent-Length: 999999\\r\\n\\r\\n|x",
            })
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = ThreadMode.SEPARATE_THREAD)
    void whoSaysAByteNowAndThenIsGivenUpAfterTheTimeout(String where, String beginning, String drop) {
        StatusPorts impatient = new StatusPorts(Duration.ofMillis(300), Ticker.system());
        try (DrippingNode alice = new DrippingNode(unescaped(beginning), unescaped(drop))) {
            assertThatThrownBy(() -> impatient.ask(endpoint(alice.url()), "/status"))
                    .as(where)
                    .isInstanceOf(Trouble.class)
                    .hasMessageContaining("did not answer within 300 ms");
        }
    }

    @Test
    void anAnswerIsReadHoweverItsLengthIsTold() {
        for (String answer : new String[] {
            OK + "Content-Length: 5\r\n\r\nhello, and more",
            OK + "content-length:5\n\nhello",
            OK + "\r\nhello",
            OK + "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n" + OK + "Content-Length: 5\r\n\r\nhello",
            "HTTP/1.0 200\r\n\r\nhello",
        }) {
            assertThat(asked(answer)).as(answer).isEqualTo("hello");
        }
    }

    @Test
    void whatIsNoAnswerIsSaidSo() {
        for (String answer : new String[] {
            "",
            "hello\r\n\r\n",
            "HTTP/1.1 900 Odd\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            OK,
            OK + "Content-Length: -1\r\n\r\n",
            OK + "Content-Length: 9\r\n\r\nhello",
            OK + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
            OK + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
            OK + "Transfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n",
            OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            OK + "X: ".repeat(20_000),
        }) {
            assertThatThrownBy(() -> asked(answer))
                    .as(answer.substring(0, Math.min(80, answer.length())))
                    .isInstanceOf(Trouble.class)
                    .hasMessageContaining("broke");
        }
    }

    private String asked(String answer) {
        try (ServerSocket port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread node = new Thread(
                    () -> {
                        try (Socket socket = port.accept()) {
                            InputStream in = socket.getInputStream();
                            for (String head = ""; !head.endsWith("\r\n\r\n"); ) {
                                head += (char) in.read();
                            }
                            socket.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    },
                    "node");
            node.setDaemon(true);
            node.start();
            return new String(
                    ports.ask(endpoint("http://127.0.0.1:" + port.getLocalPort()), "/status"), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String unescaped(String text) {
        return text.replace("\\r", "\r").replace("\\n", "\n");
    }

    private static Endpoint endpoint(String url) {
        return new RemoteNode("alice", URI.create(url), null, null, Path.of("config.toml"));
    }
}
