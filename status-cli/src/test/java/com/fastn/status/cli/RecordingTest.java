package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import com.fastn.status.cli.CommandLineRun.Running;
import com.fastn.status.cli.Feed.News;
import com.fastn.status.cli.ReplayCommand.Player;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordingTest {
    private static final StatusSnapshot FRONT = Fixtures.snapshot("alice", "front");
    private static final StatusSnapshot BACK = Fixtures.snapshot("alice", "back");

    @TempDir
    Path folder;

    private CommandLineRun command;
    private Path file;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
        file = folder.resolve("night.ndjson");
    }

    @Test
    void whatIsRecordedIsReplayed() throws IOException {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running recording = command.start("record", file.toString());
            recording.await("the first moment", () -> lines() == 1);
            alice.push(BACK);
            recording.await("the second moment", () -> lines() == 2);
            recording.stop();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(command.run("replay", file.toString())).isEqualTo(new Result(ExitCode.OK, FRONT + "\n" + BACK, ""));
        Result json = command.run("replay", file.toString(), "--json");
        assertThat(json.out().lines().map(StatusJson::readSnapshot)).containsExactly(FRONT, BACK);
        assertThat(command.run("replay", file.toString(), "--filter=back").out())
                .doesNotContain("front");
    }

    @Test
    void aNodeThatEndsMeanwhileIsAMomentOfTheRecording() throws IOException {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            Path descriptor = command.node("alice", alice.url());
            Running recording = command.start("record", file.toString());
            recording.await("the first moment", () -> lines() == 1);
            Files.delete(descriptor);
            alice.endStreams();
            recording.await("the end", () -> text().contains("and no other one of its alias is found"));
            recording.stop();
        }
        Result replay = command.run("replay", file.toString());
        assertThat(replay.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(replay.out())
                .startsWith(FRONT.toString())
                .contains("◐ alice  stale: this is the last that was heard; its process 4000 has ended");
    }

    @Test
    void aNodeThatStaysAwayIsOneMomentHoweverOftenItIsTried() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running recording = command.start("record", file.toString());
            recording.await("the first moment", () -> lines() == 1);
            alice.withToken("another").endStreams();
            recording.await("the reason", () -> text().contains("without the right token"));
            long moments = lines();
            int asked = alice.asked().size();
            recording.await("two more tries", () -> alice.asked().size() >= asked + 2);
            recording.stop();
            assertThat(lines()).isEqualTo(moments);
        }
    }

    @Test
    void D5_aNodeThatIsNotHeardAnyMoreIsAMomentByTheClockOfThatNode() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running recording = command.start("record", file.toString());
            recording.await("the first moment", () -> lines() == 1);
            alice.endStreams();
            recording.await("the end", () -> text().contains("it ended the stream"));
            recording.stop();
        }
        Recording recording = Recording.read(file);
        assertThat(recording.moments().get(0).at()).isEqualTo(Fixtures.NOW);
        // The clock of this machine is months away from that.
        assertThat(recording.moments().get(1).at()).isBetween(Fixtures.NOW, Fixtures.NOW.plusSeconds(3_600));
    }

    @Test
    void whereNoStatusIsHeardNothingIsRecordedWell() {
        try (FakeNode alice = FakeNode.streaming(FRONT).withToken("another");
                FakeNode bob = FakeNode.hung()) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Result result = command.run("record", file.toString(), "alice", "bob", "--timeout=60s", "--for=1s");
            assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(result.err()).contains("no status was heard").doesNotContain("recorded;");
        }
    }

    @Test
    void onlyMomentsCountForTheLimitOfMoments() throws IOException {
        Files.writeString(file, StatusJson.write(FRONT) + "\n\n\n" + StatusJson.write(BACK) + "\n\n{\"torn");
        Recording recording = Recording.read(file, 2);
        assertThat(recording.moments()).hasSize(2);
        assertThat(recording.torn()).isTrue();
    }

    @Test
    void ofSeveralNodesEachMomentHasAll() throws IOException {
        try (FakeNode alice = FakeNode.streaming(FRONT);
                FakeNode bob = FakeNode.streaming(Fixtures.snapshot("bob", "stock"))) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Running recording = command.start("record", file.toString(), "alice", "bob");
            recording.await("both", () -> text().contains("front") && text().contains("stock"));
            alice.push(BACK);
            recording.await("the change", () -> text().contains("back"));
            recording.stop();
        }
        assertThat(text().lines())
                .allSatisfy(line -> assertThat(StatusJson.readCluster(line).nodes())
                        .extracting(row -> row.node().alias())
                        .containsExactly("alice", "bob"));
        Result replay = command.run("replay", file.toString());
        String last = replay.out().substring(replay.out().lastIndexOf("fastn Cluster Status"));
        assertThat(last).contains("● alice  up", "back", "● bob  up", "stock");
    }

    @Test
    void aRecordingHasAsManyMomentsAsThereIsRoomToKnowWhereTheyStand() throws IOException {
        Files.writeString(file, (StatusJson.write(FRONT) + "\n").repeat(3));
        assertThat(Recording.read(file, 3).moments()).hasSize(3);
        assertThatThrownBy(() -> Recording.read(file, 2))
                .isInstanceOf(Trouble.class)
                .hasMessageContaining("more than 2 moments");
    }

    private String text() {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private long lines() {
        try {
            return Files.exists(file) ? Files.readString(file).lines().count() : 0;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aFileThatIsThereIsNotWrittenOverUnlessOneSaysSo() throws IOException {
        Files.writeString(file, "precious");
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Result result = command.run("record", file.toString());
            assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
            assertThat(result.err()).contains("is there already").contains("--force");
            assertThat(file).hasContent("precious");
            // Its time is over when something was heard, and not before.
            command.by(CommandLineRun.nanos(() -> text().contains("front") ? TimeUnit.MINUTES.toNanos(1) : 0));
            assertThat(command.run("record", file.toString(), "--force", "--for=1m")
                            .exitCode())
                    .isEqualTo(ExitCode.OK);
            assertThat(StatusJson.readSnapshot(Files.readString(file))).isEqualTo(FRONT);
        }
    }

    @Test
    void whereNothingIsHeardTheOldRecordingIsKeptAndANewOneIsNotMade() throws IOException {
        command.node("alice", "http://127.0.0.1:1");
        command.node("bob", "http://127.0.0.1:2");
        for (String[] whom : new String[][] {{"alice"}, {"alice", "bob"}, {"--cluster"}}) {
            assertThat(record(whom).exitCode()).as(List.of(whom).toString()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(file).doesNotExist();
            Files.writeString(file, "precious");
            assertThat(record(whom, "--force").exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(file).hasContent("precious");
            Files.delete(file);
        }
        try (FakeNode hung = FakeNode.hung()) {
            command.node("carol", hung.url());
            Files.writeString(file, "precious");
            Result result = record(new String[] {"alice", "carol"}, "--force", "--timeout=60s", "--for=300ms");
            assertThat(result.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(result.err()).contains("nothing is recorded");
            assertThat(file).hasContent("precious");
        }
        assertThat(folder).as("nothing is left beside it").isDirectoryNotContaining("glob:**.part");
    }

    private Result record(String[] whom, String... options) {
        List<String> words = new ArrayList<>(List.of("record", file.toString()));
        words.addAll(List.of(whom));
        words.addAll(List.of(options));
        return command.run(words.toArray(String[]::new));
    }

    @Test
    void whereNoFileCanBeMadeThatIsSaidBeforeAnythingIsHeard() throws IOException {
        Path regular = Files.writeString(folder.resolve("regular"), "");
        for (Path in : List.of(folder.resolve("nowhere"), regular)) {
            Result result = command.run("record", in.resolve("night.ndjson").toString());
            assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
            assertThat(result.err()).contains(in + " is no folder").doesNotContain("no node is found");
        }
    }

    @Test
    void whatIsNoFileIsNeverWrittenOver() throws IOException, InterruptedException {
        Path pipe = folder.resolve("pipe");
        assumeThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .as("mkfifo")
                .isZero();
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Result result = command.run("record", pipe.toString(), "--force", "--for=300ms");
            assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
            assertThat(result.err()).contains(pipe + " is no file that can be written over");
            assertThat(Files.readAttributes(pipe, BasicFileAttributes.class).isOther())
                    .isTrue();
        }
    }

    @Test
    void whatIsWrittenOverIsReplacedByAFileOfItsOwnersAlone() throws IOException {
        Files.writeString(file, "precious");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running recording = command.start("record", file.toString(), "--force");
            recording.await("the first moment", () -> text().contains("front"));
            alice.push(BACK);
            recording.await("the second moment", () -> lines() == 2);
            recording.stop();
        }
        assertThat(text()).doesNotContain("precious");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(folder).isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void aTimeThatNobodyRecordsForIsRefusedBeforeAFileIsMade() {
        for (String time : new String[] {"0", "0.1ms", "366d", "200000d"}) {
            Result result = command.run("record", file.toString(), "--for", time);
            assertThat(result.exitCode()).as(time).isEqualTo(ExitCode.USAGE);
            assertThat(result.err())
                    .contains("--for is a time from 1ms to 365d")
                    .doesNotContain("mistake of the");
            assertThat(file).doesNotExist();
        }
    }

    @Test
    void whenItsTimeIsOverARecordingEndsHoweverMuchHasComeMeanwhile() throws InterruptedException {
        BlockingQueue<News> news = new LinkedBlockingQueue<>(List.of(new News(0, null, null)));
        assertThat(RecordCommand.next(news, 0)).isNull();
        assertThat(RecordCommand.next(news, -1)).isNull();
        assertThat(RecordCommand.next(news, 1)).isNotNull();
    }

    @Test
    void aLastLineThatWasTornIsLeftOutWithAWord() throws IOException {
        String whole = StatusJson.write(FRONT) + "\n" + StatusJson.write(BACK);
        Files.writeString(file, whole.substring(0, whole.length() - 7));
        Result result = command.run("replay", file.toString(), "--json");
        assertThat(result.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(result.out()).isEqualTo(StatusJson.write(FRONT) + "\n");
        assertThat(result.err()).contains("the last line has no end and is left out");
        Files.writeString(file, whole);
        assertThat(command.run("replay", file.toString(), "--json"))
                .as("one that lacks nothing but its end")
                .isEqualTo(new Result(ExitCode.OK, whole + "\n", ""));
        Files.writeString(file, whole.substring(0, 50));
        assertThat(command.run("replay", file.toString()).exitCode())
                .as("nothing is whole")
                .isEqualTo(ExitCode.ERROR);
    }

    @Test
    void aKeyThatMeansNothingDoesNotEndIt() {
        ReplayCommand.Player player = new ReplayCommand.Player(3, 1, false);
        for (String sequence : new String[] {"[3~", "[2~", "OP", "[1;5C"}) {
            assertThat(player.press(Key.of(Key.ofSequence(sequence))))
                    .as(sequence)
                    .isTrue();
        }
        assertThat(player.press(Key.of(Key.ofSequence("")))).as("escape").isFalse();
    }

    @Test
    void aLinkToAFileIsReplacedAndNotFollowedAndOneToAnythingElseIsLeftAlone()
            throws IOException, InterruptedException {
        Path old = Files.writeString(folder.resolve("old"), "precious");
        for (Path leads : List.of(old, folder.resolve("nowhere"))) {
            Files.createSymbolicLink(file, leads);
            try (RecordingFile recording = new RecordingFile(file, true)) {
                recording.add("new");
            }
            assertThat(Files.isSymbolicLink(file)).isFalse();
            assertThat(file).hasContent("new");
            Files.delete(file);
        }
        assertThat(old).hasContent("precious");
        Path pipe = folder.resolve("pipe");
        assumeThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .as("mkfifo")
                .isZero();
        for (Path leads : List.of(pipe, Files.createDirectory(folder.resolve("empty")))) {
            Files.createSymbolicLink(file, leads);
            assertThatThrownBy(() -> new RecordingFile(file, true))
                    .isInstanceOf(Trouble.class)
                    .hasMessageContaining("nothing is recorded");
            assertThat(Files.readSymbolicLink(file)).isEqualTo(leads);
            Files.delete(file);
        }
    }

    /** Where the output is a file, it leads to one. */
    @Test
    void theOutputOfTheMachineIsNeverWrittenOver() {
        Path out = Path.of("/dev/stdout");
        assumeThat(Files.isSymbolicLink(out)).isTrue();
        assertThatThrownBy(() -> new RecordingFile(out, true)).isInstanceOf(Trouble.class);
    }

    @Test
    void theLongestNameThatThereCanBeIsWrittenOverToo() throws IOException {
        Path longest = Files.writeString(folder.resolve("n".repeat(255)), "old");
        try (RecordingFile recording = new RecordingFile(longest, true)) {
            recording.add("new");
        }
        assertThat(longest).hasContent("new");
    }

    @Test
    void aFolderIsNeverWrittenOver() throws IOException {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Path empty = Files.createDirectory(folder.resolve("empty"));
            Result result = command.run("record", empty.toString(), "--force", "--for=100ms");
            assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
            assertThat(result.err()).contains("is a folder");
            assertThat(empty).isDirectory();
        }
    }

    @Test
    void aFileThatIsNoRecordingIsRefusedWithTheLine() throws IOException {
        Files.writeString(
                file, StatusJson.write(FRONT) + "\n" + StatusJson.write(BACK).substring(0, 100) + "\n");
        Result result = command.run("replay", file.toString());
        assertThat(result.exitCode()).isEqualTo(ExitCode.ERROR);
        assertThat(result.err()).contains("line 2").contains("head -n 1");
        Files.writeString(file, "\n{}\n");
        assertThat(command.run("replay", file.toString()).err())
                .contains("line 2", "next: make one: fastn record FILE")
                .doesNotContain("head -n");
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThat(command.run("replay", file.toString()).err()).contains("no UTF-8");
        assertThat(command.run("replay", folder.resolve("none").toString()).err())
                .contains("no such file");
        Files.writeString(file, "\n\n");
        assertThat(command.run("replay", file.toString()).err()).contains("nothing is in it");
    }

    @Test
    void aRecordingKeepsWhereItsMomentsStandAndReadsThemWhenTheyAreShown() throws IOException {
        String front = StatusJson.write(FRONT);
        Files.writeString(file, front + "\r\n\n" + StatusJson.write(BACK));
        Recording recording = Recording.read(file);
        assertThat(recording.moments()).extracting(Recording.Moment::offset).containsExactly(0L, front.length() + 3L);
        assertThat(recording.answer(1).json(false)).isEqualTo(StatusJson.write(BACK));
        assertThat(recording.answer(0).json(false)).isEqualTo(front);

        Files.writeString(file, "");
        assertThatThrownBy(() -> recording.answer(1))
                .isInstanceOf(Trouble.class)
                .hasMessageContaining("moment 2 cannot be read any more");
    }

    @Test
    void onATerminalAReplayAsJsonIsOnManyLinesAndAsNdjsonOnOneForEachMoment() throws IOException {
        String recorded = StatusJson.write(FRONT) + "\n" + StatusJson.write(BACK) + "\n";
        Files.writeString(file, recorded);
        assertThat(command.run("replay", file.toString(), "--json").out()).isEqualTo(recorded);
        command.onATerminal(80, 24);
        assertThat(command.run("replay", file.toString(), "--json").out())
                .isEqualTo(StatusJson.writePretty(FRONT) + "\n" + StatusJson.writePretty(BACK) + "\n");
        assertThat(command.run("replay", file.toString(), "--format=ndjson").out())
                .isEqualTo(recorded);
    }

    @Test
    void whatWaitsForAKeyWantsATerminalThatHasKeys() throws IOException {
        Files.writeString(file, StatusJson.write(FRONT) + "\n");
        Result result = command.run("replay", file.toString(), "--pause");
        assertThat(result.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err()).contains("--pause waits for a key");
        command.onATerminal(80, 24);
        assertThat(command.run("replay", file.toString(), "--pause", "--json").exitCode())
                .isEqualTo(ExitCode.USAGE);
        assertThat(command.with("TERM", "dumb")
                        .run("replay", file.toString(), "--pause")
                        .exitCode())
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void ofAReplayCtrlCIsToldByTheExitCode() {
        for (char c : new char[] {'q', 'Q', Key.CTRL_C, 4}) {
            assertThat(new Player(3, 1, false).press(Key.of(c))).isFalse();
            assertThat(Key.of(c).exitCode()).isEqualTo(c == Key.CTRL_C ? ExitCode.INTERRUPTED : ExitCode.OK);
        }
    }

    @Test
    void keysPauseStepAndChangeTheSpeed() {
        Player player = new Player(3, 1, false);
        Instant moment = Instant.parse("2026-01-01T00:00:07.123456789Z");
        Terminal usual = new Terminal(true, false, false, 80);
        assertThat(usual.fitted(player.told(moment), "  "))
                .startsWith("1 of 3  2026-01-01T00:00:07Z  playing at 1x  space: pause");
        assertThat(player.press(Key.of(' '))).isTrue();
        assertThat(usual.fitted(player.told(moment), "  "))
                .as("what is needed most fits a usual terminal, and no key is cut")
                .contains("paused at 1x  space: play")
                .endsWith("q: end");
        assertThat(player.isWaiting()).isTrue();
        player.press(Key.of(Key.Kind.RIGHT));
        assertThat(player.at()).isEqualTo(1);
        player.press(Key.of(Key.Kind.LEFT));
        player.press(Key.of(Key.Kind.LEFT));
        assertThat(player.at()).isZero();
        player.press(Key.of('+'));
        player.press(Key.of('+'));
        player.press(Key.of('-'));
        assertThat(player.speed()).isEqualTo(2);
        player.press(Key.of(Key.Kind.END));
        assertThat(usual.fitted(player.told(moment), "  ")).contains("3 of 3", "end at 2x  home: again");
        assertThat(player.press(Key.of('q'))).isFalse();
    }
}
