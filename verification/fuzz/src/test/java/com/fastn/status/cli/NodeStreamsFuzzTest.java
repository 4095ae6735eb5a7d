package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fastn.context.status.WaitEpisode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What comes from nodes line by line, or was recorded of them: any bytes are read or refused in a sentence. */
class NodeStreamsFuzzTest {
    private static final Endpoint NODE =
            new RemoteNode("node", URI.create("http://127.0.0.1:1"), null, null, Path.of("config.toml"));
    private static final int LONGEST = 64 << 10;

    @FuzzTest
    void episodesAreReadOrRefused(byte[] body) {
        List<WaitEpisode> episodes;
        try {
            episodes = EpisodesCommand.episodes(NODE, body);
        } catch (Trouble refused) {
            assertSentence(refused);
            return;
        }
        for (WaitEpisode episode : episodes) {
            assertThat(Printable.line(episode.rootText())).doesNotContain("\n", "\u001b");
        }
    }

    @FuzzTest
    void linesAreThoseBetweenTheLineFeedsHoweverTheyCome(byte[] bytes) {
        List<String> lines = new ArrayList<>();
        int step = 1 + bytes.length % 7;
        ByteArrayInputStream slow = new ByteArrayInputStream(bytes) {
            @Override
            public synchronized int read(byte[] target, int offset, int length) {
                return super.read(target, offset, Math.min(step, length));
            }
        };
        try (LineStream stream = new LineStream(slow, LONGEST, NodeStreamsFuzzTest::broken, () -> {})) {
            for (String line = stream.next(); line != null; line = stream.next()) {
                lines.add(line);
            }
        } catch (Trouble refused) {
            assertThat(bytes.length).isGreaterThanOrEqualTo(LONGEST);
            return;
        }
        String whole = new String(bytes, StandardCharsets.UTF_8);
        int end = whole.lastIndexOf('\n') + 1;
        List<String> expected = new ArrayList<>();
        for (String line : whole.substring(0, end).split("\n", -1)) {
            if (!line.strip().isEmpty()) {
                expected.add(line.strip());
            }
        }
        assertThat(lines).isEqualTo(expected);
    }

    private static Trouble broken(IOException e) {
        return new Trouble(ExitCode.UNREACHABLE, "the stream broke", String.valueOf(e.getMessage()), "try again");
    }

    @FuzzTest
    void aRecordingIsReadOrRefused(byte[] bytes) throws IOException {
        Path file = Files.createTempFile("recording", ".ndjson");
        try {
            Files.write(file, bytes);
            Recording recording;
            try {
                recording = Recording.read(file);
            } catch (Trouble refused) {
                assertSentence(refused);
                return;
            }
            assertThat(recording.moments()).isNotEmpty();
            for (int i = 0; i < recording.moments().size(); i++) {
                assertThat(recording.answer(i).rows()).isNotNull();
                assertThat(recording.untilNext(i).isNegative()).isFalse();
            }
        } finally {
            Files.delete(file);
        }
    }

    private static void assertSentence(Trouble refused) {
        assertThat(refused.why()).isNotBlank().doesNotContain("\n", "\r", "\u001b");
    }
}
