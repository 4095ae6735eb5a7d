package com.fastn.status.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fastn.context.ManualTicker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the port grants to other machines (rules S3, S12). One of them is played by another loopback address of this machine, which
 * the port is told to take for a stranger; where it is not told so, each check has to fail.
 */
@Timeout(240)
class OtherMachinesTest {
    private static final String HERE = "127.0.0.1";
    private static final String ELSEWHERE = "127.0.0.2";

    @TempDir
    static Path folder;

    private final ManualTicker ticker = new ManualTicker(Instant.EPOCH);

    @BeforeAll
    static void twoAddresses() {
        boolean there;
        try (Socket socket = new Socket()) {
            socket.bind(new InetSocketAddress(ELSEWHERE, 0));
            there = true;
        } catch (IOException e) {
            there = false;
        }
        assumeThat(there).as("this system has all of 127.0.0.0/8 on loopback").isTrue();
    }

    private static boolean isAnything(String address) {
        return !address.isEmpty();
    }

    private void holdsUnlessAllAreTakenForThisMachine(Consumer<Integer> check) {
        with(HERE::equals, check);
        assertThatThrownBy(() -> with(OtherMachinesTest::isAnything, check)).isInstanceOf(AssertionError.class);
    }

    private void with(Predicate<String> thisMachine, Consumer<Integer> check) {
        AccessToken token = AccessToken.of(folder.resolve("token"));
        HttpSettings settings = new HttpSettings(HERE, 0, List.of("status.test"), token, null);
        HttpRoute told = question -> CompletableFuture.completedFuture(HttpReply.text(200, "told\n"));
        StatusServer server = StatusServer.open(settings, Map.of("/health", told), Map.of(), ticker, thisMachine)
                .join();
        try {
            check.accept(URI.create(server.url()).getPort());
        } finally {
            server.close().join();
        }
    }

    @Test
    void S12_anotherMachineHoldsSixteenConnectionsAndLeavesSomeForThisOne() {
        holdsUnlessAllAreTakenForThisMachine(port -> {
            List<Socket> held = new ArrayList<>();
            try {
                for (int i = 0; i < 16; i++) {
                    held.add(connect(ELSEWHERE, port));
                }
                Socket last = held.get(15);
                // Accepted in their order; each of the others is there for five seconds, and longer than those before
                // it.
                Socket oneMore = connect(ELSEWHERE, port);
                held.add(oneMore);
                assertThat(isClosed(oneMore, Duration.ofSeconds(20))).isTrue();
                assertThat(isClosed(last, Duration.ofMillis(1))).isFalse();
                assertThat(status(HERE, port)).isEqualTo(200);
            } finally {
                held.forEach(OtherMachinesTest::close);
            }
            await("what was held is given back")
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> status(ELSEWHERE, port) > 0);
        });
    }

    /** Time stands still, so it is exactly so many, however slow this machine is. */
    @Test
    void S12_anotherMachineAsksTenTimesInASecondAndLeavesSomeForThisOne() {
        holdsUnlessAllAreTakenForThisMachine(port -> {
            for (int i = 0; i < 10; i++) {
                assertThat(status(ELSEWHERE, port)).as("request %d", i).isEqualTo(401);
            }
            assertThat(status(ELSEWHERE, port)).isEqualTo(429);
            assertThat(status(HERE, port)).isEqualTo(200);
            ticker.advance(Duration.ofMillis(100));
            assertThat(status(ELSEWHERE, port)).as("one more").isEqualTo(401);
            assertThat(status(ELSEWHERE, port)).isEqualTo(429);
        });
    }

    @Test
    void S3_onlyThisMachineLearnsWithoutTheTokenThatANodeLives() {
        holdsUnlessAllAreTakenForThisMachine(port -> {
            assertThat(status(HERE, port)).isEqualTo(200);
            assertThat(status(ELSEWHERE, port)).isEqualTo(401);
        });
    }

    private static Socket connect(String from, int port) {
        try {
            Socket socket = new Socket();
            socket.bind(new InetSocketAddress(from, 0));
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 20_000);
            return socket;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** {@return the status of the answer, or 0 where there is none} */
    private static int status(String from, int port) {
        try (Socket socket = connect(from, port)) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream()
                    .write("GET /health HTTP/1.1\r\nHost: status.test\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] line = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
            return line.length == 0
                    ? 0
                    : Integer.parseInt(new String(line, StandardCharsets.US_ASCII).substring("HTTP/1.1 ".length()));
        } catch (IOException e) {
            return 0;
        }
    }

    private static boolean isClosed(Socket socket, Duration within) {
        try {
            socket.setSoTimeout((int) within.toMillis());
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is gone already.
        }
    }
}
