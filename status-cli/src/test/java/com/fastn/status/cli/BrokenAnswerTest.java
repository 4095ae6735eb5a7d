package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusJson;
import com.fastn.status.cli.CommandLineRun.Result;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Answers that end before they are whole, as of a node that is killed within one. */
class BrokenAnswerTest {
    private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    private static final String CHUNKED = HEAD + "Transfer-Encoding: chunked\r\n\r\n";
    private static final String WHOLE = StatusJson.write(Fixtures.snapshot("alice", "front"));
    private static final String TORN = WHOLE.substring(0, WHOLE.length() / 2);
    private static final String IT_ENDED = "broke (it ended within its answer)";

    @TempDir
    Path folder;

    static Stream<Arguments> answers() {
        return Stream.of(
                Arguments.of("nothing", "", ExitCode.UNREACHABLE, IT_ENDED),
                Arguments.of("a torn head", "HTTP/1.1 200 OK\r\nConte", ExitCode.UNREACHABLE, IT_ENDED),
                Arguments.of("no HTTP", "SSH-2.0-OpenSSH\r\n", ExitCode.UNREACHABLE, "broke (no HTTP answer)"),
                Arguments.of("a short body", counted(WHOLE.length(), TORN), ExitCode.UNREACHABLE, IT_ENDED),
                Arguments.of(
                        "a torn chunk",
                        CHUNKED + Integer.toHexString(WHOLE.length()) + "\r\n" + TORN,
                        ExitCode.UNREACHABLE,
                        IT_ENDED),
                Arguments.of(
                        "a chunk that no other follows",
                        CHUNKED + Integer.toHexString(TORN.length()) + "\r\n" + TORN + "\r\n",
                        ExitCode.UNREACHABLE,
                        IT_ENDED),
                Arguments.of(
                        "a chunk that is longer than it says",
                        CHUNKED + "1\r\n{\"\r\n",
                        ExitCode.UNREACHABLE,
                        "whose pieces are not as long as they say"),
                Arguments.of("torn JSON", counted(TORN.length(), TORN), ExitCode.ERROR, "is not understood"),
                Arguments.of("no JSON", counted(5, "hello"), ExitCode.ERROR, "is not understood"),
                Arguments.of("JSON of something else", counted(2, "[]"), ExitCode.ERROR, "is not understood"));
    }

    private static String counted(int length, String body) {
        return HEAD + "Content-Length: " + length + "\r\n\r\n" + body;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("answers")
    void anAnswerThatIsNotWholeIsAnErrorOfThreeLines(String what, String answer, int exitCode, String why)
            throws IOException {
        try (ServerSocket port = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            Thread node = new Thread(() -> answerEach(port, answer), "broken-node");
            node.setDaemon(true);
            node.start();
            CommandLineRun command = new CommandLineRun(folder);
            command.node("alice", "http://127.0.0.1:" + port.getLocalPort());
            for (String[] arguments : new String[][] {{"status"}, {"status", "--cluster"}, {"episodes"}, {"explain"}}) {
                Result result = command.run(arguments);
                assertThat(result.exitCode()).as(String.join(" ", arguments)).isEqualTo(exitCode);
                assertThat(result.out()).isEmpty();
                assertThat(result.err()).contains(why).doesNotContain("\tat ");
                if (exitCode == ExitCode.UNREACHABLE) {
                    assertThat(result.err()).contains("fastn doctor alice");
                }
                assertThat(result.err().lines().toList())
                        .as(String.join(" ", arguments))
                        .satisfiesExactly(
                                first -> assertThat(first).startsWith("fastn: "),
                                second -> assertThat(second).startsWith("  why:  "),
                                third -> assertThat(third).startsWith("  next: "));
            }
        }
    }

    private static void answerEach(ServerSocket port, String answer) {
        while (!port.isClosed()) {
            try (Socket socket = port.accept()) {
                BufferedReader question =
                        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
                // What is closed with something unread in it takes the answer back.
                for (String line = question.readLine(); line != null && !line.isEmpty(); line = question.readLine()) {}
                socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // The next one is another connection, or the test is over.
            }
        }
    }
}
