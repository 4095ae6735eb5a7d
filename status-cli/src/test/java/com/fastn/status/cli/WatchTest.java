package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Running;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WatchTest {
    private static final StatusSnapshot FRONT = Fixtures.snapshot("alice", "front");
    private static final StatusSnapshot BACK = Fixtures.snapshot("alice", "back");

    @TempDir
    Path folder;

    private CommandLineRun command;

    @BeforeEach
    void emptyFolder() {
        command = new CommandLineRun(folder);
    }

    @Test
    void aTerminalIsDrawnAnewOnlyWhenSomethingChanges() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(80, 24).start("status", "-w", "--color=always");
            watch.await("the first picture", () -> watch.out().contains("front"));
            String first = watch.out();
            TerminalEmulator screen = new TerminalEmulator(80, 24).feed(first);
            assertThat(screen.isCursorVisible()).isFalse();
            assertThat(screen.screen()).isEqualTo(FRONT.toString());
            alice.push(FRONT);
            alice.push(BACK);
            watch.await("the second picture", () -> watch.out().contains("back"));
            String second = watch.out().substring(first.length());
            // The same again was no reason to write, and a change clears nothing that stays.
            assertThat(second).startsWith("\u001b[H").doesNotContain("\u001b[2J");
            assertThat(second.indexOf("\u001b[H", 1)).isEqualTo(-1);
            assertThat(screen.feed(second).screen()).isEqualTo(BACK.toString());
            assertThat(watch.stop()).isEqualTo(ExitCode.INTERRUPTED);
            assertThat(new TerminalEmulator(80, 24).feed(watch.out()).isCursorVisible())
                    .isTrue();
        }
    }

    @Test
    void aPictureThatIsTooHighIsFoldedAndDoesNotScroll() {
        StatusSnapshot large = Fixtures.snapshot("alice", 200);
        try (FakeNode alice = FakeNode.streaming(large)) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(60, 15).start("status", "-w");
            watch.await("the picture", () -> watch.out().contains("more"));
            TerminalEmulator screen = new TerminalEmulator(60, 15).feed(watch.out());
            assertThat(screen.scrolled()).isZero();
            assertThat(screen.screen()).contains("more").contains("fastn Status Dashboard");
            watch.stop();
        }
    }

    @Test
    void aStreamThatBreaksIsARowAndIsTakenUpAgain() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(200, 24).start("status", "-w");
            watch.await("the first picture", () -> watch.out().contains("front"));
            alice.endStreams();
            watch.await(
                    "the row",
                    () -> new TerminalEmulator(200, 24)
                            .feed(watch.out())
                            .screen()
                            .contains("this is the last that was heard"));
            watch.await(
                    "the stream again",
                    () -> new TerminalEmulator(200, 24)
                            .feed(watch.out())
                            .screen()
                            .equals(FRONT.toString()));
            watch.stop();
            assertThat(watch.err()).isEmpty();
        }
    }

    @Test
    void aNodeThatWasStartedAnewIsFollowedAtItsNewPort() {
        try (FakeNode first = FakeNode.streaming(FRONT);
                FakeNode second = FakeNode.streaming(BACK)) {
            command.node("alice", "life-one", first.url(), 4_711);
            Running watch = command.start("status", "-w", "--json");
            watch.await("the first line", () -> watch.out().contains("front"));
            command.node("alice", "life-two", second.url(), 4_711);
            first.endStreams();
            watch.await("the second line", () -> watch.out().contains("back"));
            watch.stop();
        }
    }

    @Test
    void jsonIsOneLineForEachStatus() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(80, 24).start("status", "-w", "--json");
            watch.await("a line", () -> watch.out().contains("\n"));
            alice.push(BACK);
            watch.await("two lines", () -> watch.out().lines().count() == 2);
            watch.stop();
            assertThat(watch.out().lines().map(StatusJson::readSnapshot)).containsExactly(FRONT, BACK);
        }
    }

    @Test
    void aPipeThatIsClosedEndsItWithoutAWord() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            OutputStream closed = new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    throw new IOException("Broken pipe");
                }
            };
            Running watch = command.start(closed, "status", "-w", "--json");
            assertThat(watch.end()).isEqualTo(ExitCode.OK);
            assertThat(watch.err()).isEmpty();
        }
    }

    @Test
    void ofSeveralNodesEachIsARowAndADeadOneToo() {
        try (FakeNode alice = FakeNode.streaming(FRONT);
                FakeNode bob = FakeNode.streaming(Fixtures.snapshot("bob", "stock"))) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            command.config("[nodes.prod]\nurl = \"http://127.0.0.1:1\"\n");
            Running watch = command.onATerminal(100, 40).start("status", "alice,bob,prod", "-w");
            watch.await("all rows", () -> {
                String screen = new TerminalEmulator(100, 40).feed(watch.out()).screen();
                return screen.contains("● alice")
                        && screen.contains("● bob")
                        && screen.contains("○ prod  down: nothing");
            });
            bob.push(Fixtures.snapshot("bob", "returns"));
            watch.await("the change", () -> watch.out().contains("returns"));
            watch.stop();
        }
    }

    @Test
    void whoCannotBeReachedToBeginWithIsSaidAtOnce() {
        command.node("alice", "http://127.0.0.1:1");
        Running watch = command.start("status", "-w");
        assertThat(watch.end()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(watch.err()).contains("nothing listens at");
    }

    @Test
    void aHungNodeIsSaidToBeSilent() {
        try (FakeNode alice = FakeNode.hung()) {
            command.node("alice", alice.url());
            Running watch = command.start("status", "-w", "--timeout=200ms");
            assertThat(watch.end()).isEqualTo(ExitCode.UNREACHABLE);
            assertThat(watch.err()).contains("did not answer within 200 ms");
        }
    }

    @Test
    void intoAFileOnlyWhatIsTextIsWritten() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            ByteArrayOutputStream file = new ByteArrayOutputStream();
            Running watch = command.start(file, "status", "--watch");
            watch.await("the first", () -> watch.out().contains("front"));
            alice.push(BACK);
            watch.await("the second", () -> watch.out().contains("back"));
            watch.stop();
            assertThat(watch.out()).isEqualTo(FRONT + "\n" + BACK);
        }
    }
}
