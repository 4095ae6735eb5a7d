package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Running;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a person sees on a terminal of a size. {@code -Dgolden.update=true} writes the screens anew. */
class ScreenTest {
    private static final Path GOLDEN = Path.of("src/test/resources/com/fastn/status/cli");

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"60,40,''", "80,40,''", "120,40,''", "80,40,--ascii", "80,20,''"})
    void aWatcherSees(int columns, int rows, String option) {
        StatusSnapshot seed = Fixtures.seed();
        CommandLineRun command = new CommandLineRun(folder).onATerminal(columns, rows);
        try (FakeNode alice = FakeNode.streaming(seed)) {
            command.node("alice", alice.url());
            Running watch = option.isEmpty()
                    ? command.start("status", "-w", "--color=always")
                    : command.start("status", "-w", "--color=always", option);
            watch.await("a picture", () -> !watch.out().isEmpty());
            TerminalEmulator screen = new TerminalEmulator(columns, rows).feed(watch.out());
            watch.stop();
            assertThat(screen.scrolled()).isZero();
            assertThat(screen.widest()).isLessThanOrEqualTo(columns);
            golden("watch-" + columns + "x" + rows + option + ".txt", screen.screen());
        }
    }

    @ParameterizedTest
    @CsvSource({"80,24,''", "60,15,''", "120,40,''", "80,24,--ascii"})
    void whoMovesInATreeSees(int columns, int rows, String option) {
        TopView view = new TopView(new Terminal(true, true, !option.isEmpty(), columns));
        view.news(new Answer.OfNode(Fixtures.seed()).rows());
        TerminalEmulator screen = new TerminalEmulator(columns, rows);
        for (Key key :
                List.of(Key.of(Key.Kind.DOWN), Key.of(Key.Kind.DOWN), Key.of(' '), Key.of('n'), Key.of(Key.Kind.UP))) {
            view.drawn(new Size(columns, rows));
            view.press(key);
        }
        screen.feed(view.drawn(new Size(columns, rows)).stripTrailing());
        assertThat(screen.scrolled()).isZero();
        if (!option.isEmpty()) {
            assertThat(screen.screen()).matches("\\p{ASCII}*");
        }
        golden("top-" + columns + "x" + rows + option + ".txt", screen.screen());
    }

    @ParameterizedTest
    @CsvSource({"80,24", "80,12", "60,9"})
    void M10_whoReplaysSeesWhatIsWrongOnASmallScreenToo(int columns, int rows) {
        Terminal place = new Terminal(true, true, false, columns);
        List<String> foot = new ReplayCommand.Player(3, 1, false).told(Fixtures.NOW);
        String picture = ReplayCommand.picture(
                new Answer.OfNode(Fixtures.seed()), foot, new ViewOptions(), place, new Size(columns, rows));
        TerminalEmulator screen = new TerminalEmulator(columns, rows).feed(picture.stripTrailing());
        assertThat(screen.scrolled()).isZero();
        assertThat(screen.widest()).isLessThanOrEqualTo(columns);
        assertThat(screen.screen()).contains("stuck waiting").contains("1 of 3  ");
        golden("replay-" + columns + "x" + rows + ".txt", screen.screen());
    }

    @Test
    void theEmulatorRefusesWhatATerminalWouldObey() {
        for (String foreign : List.of("\u001b]0;x\u0007", "\u001b[5;5H", "\u001b[31;1m", "\u0007", "\u009b1m")) {
            try {
                new TerminalEmulator(80, 24).feed(foreign);
            } catch (AssertionError refused) {
                continue;
            }
            throw new AssertionError("obeyed: " + foreign.replace("\u001b", "ESC"));
        }
    }

    private static void golden(String name, String actual) {
        Path file = GOLDEN.resolve(name);
        try {
            if (Boolean.getBoolean("golden.update")) {
                Files.createDirectories(GOLDEN);
                Files.writeString(file, actual);
            }
            assertThat(actual).isEqualTo(Files.readString(file));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
