package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.cli.CommandLineRun.Result;
import com.fastn.status.cli.CommandLineRun.Running;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    void whoStopsItGetsTheTerminalAndWhoComesBackSeesWhatIsSoByThen() {
        AtomicReference<Suspension.Holder> told = new AtomicReference<>();
        AtomicInteger ended = new AtomicInteger();
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(80, 24)
                    .stoppedBy(holder -> {
                        told.set(holder);
                        return ended::incrementAndGet;
                    })
                    .start("status", "-w", "--color=always");
            watch.await("the first picture", () -> watch.out().contains("front"));
            Suspension.Holder screen = requireNonNull(told.get());
            screen.leave();
            int left = watch.out().length();
            assertThat(new TerminalEmulator(80, 24).feed(watch.out()).isCursorVisible())
                    .isTrue();
            alice.push(BACK);
            screen.comeBack();
            watch.await("what is so", () -> watch.out().contains("back"));
            TerminalEmulator screenThen =
                    new TerminalEmulator(80, 24).feed(watch.out().substring(left));
            assertThat(screenThen.screen()).isEqualTo(BACK.toString());
            assertThat(screenThen.isCursorVisible()).isFalse();
            watch.stop();
            assertThat(ended).hasValue(1);
        }
    }

    @Test
    void aScreenThatWasLeftIsDrawnWholeAndNothingBefore() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LiveScreen screen = LiveScreen.alternate(new PrintStream(out, true, StandardCharsets.UTF_8))) {
            screen.show("first\n", new Size(80, 24));
            out.reset();
            screen.leave();
            assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("\u001b[?25h\u001b[?1049l");
            out.reset();
            screen.show("second\n", new Size(80, 24));
            screen.leave();
            assertThat(out.size()).isZero();
            screen.comeBack();
            assertThat(out.toString(StandardCharsets.UTF_8))
                    .startsWith("\u001b[?1049h\u001b[?25l\u001b[2J\u001b[H")
                    .contains("second");
            screen.leave();
            out.reset();
        }
        assertThat(out.size()).as("given back already").isZero();
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
            watch.await("the next", () -> watch.out().contains("back"));
            watch.stop();
            // Spaces behind the last line are how it learns whether somebody still reads.
            assertThat(watch.out().lines().filter(line -> !line.isBlank()).map(StatusJson::readSnapshot))
                    .containsExactly(FRONT, BACK);
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
    void ofSeveralClustersEachIsWatched() {
        try (FakeNode alice = FakeNode.streaming(Fixtures.cluster(Fixtures.up("alice", "front")));
                FakeNode bob = FakeNode.streaming(Fixtures.cluster(Fixtures.up("bob", "stock")))) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Running watch = command.onATerminal(100, 40).start("status", "--cluster", "-w");
            watch.await("both", () -> {
                String screen = new TerminalEmulator(100, 40).feed(watch.out()).screen();
                return screen.contains("● alice") && screen.contains("● bob");
            });
            bob.push(StatusJson.write(Fixtures.cluster(Fixtures.up("bob", "returns"))));
            watch.await("the change", () -> watch.out().contains("returns"));
            watch.stop();
        }
    }

    @Test
    void aNodeThatIsListedByItsNeighbourIsNotFollowedBesideIt() {
        ClusterStatus both = Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.up("bob", "stock"));
        try (FakeNode alice = FakeNode.streaming(both);
                FakeNode bob = FakeNode.streaming(both)) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Running watch = command.start("status", "--cluster", "-w", "--json");
            watch.await("a line", () -> watch.out().contains("stock"));
            alice.push(StatusJson.write(Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.up("bob", "sold"))));
            watch.await("the next", () -> watch.out().contains("sold"));
            assertThat(bob.asked()).isEmpty();
            watch.stop();
        }
    }

    @Test
    void whereClustersBecameOneEachFeedGoesBackToANodeThatTheOtherTellsOfToo() {
        try (FakeNode alice = FakeNode.streaming(Fixtures.cluster(Fixtures.up("alice", "front")));
                FakeNode bob = FakeNode.streaming(Fixtures.cluster(Fixtures.up("bob", "stock")))) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Running watch = command.start("status", "--cluster", "-w", "--json");
            watch.await(
                    "both", () -> watch.out().contains("front") && watch.out().contains("stock"));
            alice.push(StatusJson.write(Fixtures.cluster(Fixtures.up("alice", "ours"), Fixtures.up("bob", "stock"))));
            bob.push(StatusJson.write(Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.up("bob", "theirs"))));
            watch.await(
                    "both of one cluster",
                    () -> watch.out().contains("ours") && watch.out().contains("theirs"));
            // No node is left that no other feed tells of.
            alice.endStreams();
            watch.await("alice again", () -> alice.asked().size() >= 2);
            bob.endStreams();
            watch.await("bob again", () -> bob.asked().size() >= 2);
            watch.stop();
            assertThat(watch.out()).doesNotContain("is gone").doesNotContain("no living process");
        }
    }

    @Test
    void aClusterIsFollowedByTheNewPortOfANodeThatWasStartedAnew() {
        ClusterStatus before = Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.up("carol", "stock"));
        ClusterStatus after = Fixtures.cluster(Fixtures.up("alice", "back"), Fixtures.up("carol", "stock"));
        for (String[] arguments :
                new String[][] {{"status", "--cluster", "-w", "--json"}, {"status", "alice,carol", "-w", "--json"}}) {
            try (FakeNode first = FakeNode.streaming(before);
                    FakeNode second = FakeNode.streaming(after)) {
                command.node("alice", Fixtures.incarnation("alice"), first.url(), 4_711);
                Running watch = command.start(arguments);
                watch.await("the first line", () -> watch.out().contains("front"));
                command.node("alice", "19a0-next", second.url(), 4_711);
                first.endStreams();
                watch.await("the second line", () -> watch.out().contains("back"));
                watch.stop();
            }
        }
    }

    @Test
    void aNodeOfThisMachineThatItsClusterCannotHearIsAskedAtItsOwnPort() {
        ClusterStatus deaf = Fixtures.cluster(Fixtures.up("alice", "front"), Fixtures.silent("bob"));
        try (FakeNode alice = FakeNode.streaming(deaf);
                FakeNode bob = FakeNode.of(Fixtures.snapshot("bob", "stock"), deaf)) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Running watch = command.start("status", "--cluster", "-w", "--json");
            watch.await("what bob says", () -> watch.out().contains("stock"));
            watch.stop();
            assertThat(watch.out()).contains("its status port on this machine did");
        }
    }

    @Test
    void aTerminalOfAnotherSizeIsDrawnAnewWithoutNews() {
        try (FakeNode alice = FakeNode.streaming(Fixtures.seed())) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(100, 40).start("status", "-w", "--color=always");
            watch.await("the picture", () -> watch.out().contains("Warnings"));
            int drawn = watch.out().length();
            command.resize(60, 20);
            watch.await("another picture", () -> watch.out().length() > drawn);
            TerminalEmulator screen = new TerminalEmulator(60, 20)
                    .feed("\u001b[?25l" + watch.out().substring(drawn));
            assertThat(screen.widest()).isLessThanOrEqualTo(60);
            assertThat(screen.scrolled()).isZero();
            assertThat(screen.screen()).contains("Warnings");
            watch.stop();
        }
    }

    @Test
    void aTerminalThatDoesNotTellItsSizeAnyMoreHoldsUpNoPicture() {
        CountDownLatch askedAgain = new CountDownLatch(2);
        CountDownLatch end = new CountDownLatch(1);
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(() -> {
                        askedAgain.countDown();
                        if (askedAgain.getCount() == 0) {
                            try {
                                end.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        }
                        return new Size(80, 24);
                    })
                    .start("status", "-w");
            watch.await("the first picture", () -> watch.out().contains("front"));
            watch.await("the second question for the size", () -> askedAgain.getCount() == 0);
            alice.push(BACK);
            watch.await("the second picture", () -> watch.out().contains("back"));
            end.countDown();
            watch.stop();
        }
    }

    @Test
    void M10_whatIsWrongIsShownOnTheSmallestScreenAndTheTreeGivesWay() {
        for (int rows : new int[] {30, 24, 20, 18, 16, 12, 9}) {
            try (FakeNode alice = FakeNode.streaming(Fixtures.seed())) {
                command.node("alice", "life", alice.url(), 4_711);
                Running watch = command.onATerminal(80, rows).start("status", "-w", "--color=always");
                watch.await("the picture", () -> watch.out().contains("Dashboard"));
                String screen = new TerminalEmulator(80, rows).feed(watch.out()).screen();
                assertThat(screen).as(rows + " rows").contains("stderr-stream stuck waiting");
                assertThat(screen.lines().count()).isLessThanOrEqualTo(rows);
                watch.stop();
            }
        }
    }

    @Test
    void whatIsCutOffASmallScreenIsCountedInItsWidth() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LiveScreen screen = new LiveScreen(new PrintStream(out, true, StandardCharsets.UTF_8))) {
            screen.show("a\nb\nc\nd\n", new Size(10, 3));
        }
        TerminalEmulator terminal = new TerminalEmulator(10, 4).feed(out.toString(StandardCharsets.UTF_8));
        assertThat(terminal.widest()).isLessThanOrEqualTo(10);
        assertThat(terminal.screen()).contains("+2 more");
    }

    @Test
    void aPipeThatIsClosedWhileNothingHappensEndsItWithoutAWord() throws IOException {
        try (FakeNode alice = FakeNode.streaming(FRONT);
                PipedOutputStream pipe = new PipedOutputStream();
                PipedInputStream reader = new PipedInputStream(pipe, 1 << 20)) {
            command.node("alice", alice.url());
            Running watch = command.start(pipe, "status", "-w", "--json");
            String line = new BufferedReader(new InputStreamReader(reader, StandardCharsets.UTF_8)).readLine();
            assertThat(StatusJson.readSnapshot(line)).isEqualTo(FRONT);
            reader.close();
            assertThat(watch.end()).isEqualTo(ExitCode.OK);
            assertThat(watch.err()).isEmpty();
            assertThat(alice.followers()).as("it is still there").isEqualTo(1);
        }
    }

    @Test
    void inJsonANodeThatIsNotHeardIsARowToo() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            command.config("[nodes.prod]\nurl = \"http://127.0.0.1:1\"\n");
            Running watch = command.start("status", "alice,prod", "-w", "--json");
            watch.await(
                    "both", () -> watch.out().contains("front") && watch.out().contains("nothing listens"));
            watch.stop();
            assertThat(watch.out().lines().filter(line -> line.contains("\"prod\"")))
                    .first()
                    .satisfies(line -> {
                        ClusterStatus told = StatusJson.readCluster(line);
                        assertThat(told.nodes().get(0).state()).isEqualTo(NodeState.DOWN);
                    });
        }
    }

    @Test
    void aMistakeOnAFeedIsToldAsATroubleAndNotWithItsTrace() throws InterruptedException {
        BlockingQueue<Feed.News> news = new LinkedBlockingQueue<>();
        Thread feed = new Feed(
                        0,
                        () -> {
                            throw new IllegalStateException("nobody thought of it");
                        },
                        "",
                        new StatusPorts(Duration.ofSeconds(1), Ticker.system()),
                        answer -> answer,
                        true,
                        news::put)
                .start();
        Trouble trouble = news.take().trouble();
        feed.interrupt();
        assertThat(requireNonNull(trouble).getMessage())
                .contains("a mistake of the command itself")
                .contains("nobody thought of it");
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
    void whatIsNotThereToBeginWithIsTheErrorOfASingleLook() {
        String nothing = "nothing is open at \"global.typo\" on alice; a path begins with \"global\"";
        try (FakeNode alice = FakeNode.refusing(nothing)) {
            command.node("alice", alice.url());
            for (String whose : new String[] {"alice", "alice,alice", "nobody", "--cluster"}) {
                Result once = command.run("status", whose, "--path=global.typo");
                assertThat(once.exitCode()).isEqualTo(ExitCode.ERROR);
                assertThat(once.err()).contains(nothing).doesNotContain("not understood");
                for (String json : new String[] {"--json", "--format=text"}) {
                    Running watch = command.start("status", whose, "-w", "--path=global.typo", json);
                    assertThat(watch.end()).as(whose).isEqualTo(ExitCode.ERROR);
                    assertThat(watch.err()).as(whose).isEqualTo(once.err());
                    assertThat(watch.out()).isBlank();
                }
            }
        }
    }

    @Test
    void whatClosesMeanwhileIsARowAndTheStreamThatWillTellOfItsReturnStays() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(200, 24).start("status", "-w", "--path=global.front");
            watch.await("the first picture", () -> watch.out().contains("front"));
            alice.push(FakeNode.error("nothing is open at \"global.front\" on alice"));
            watch.await(
                    "the row",
                    () -> screen(watch).contains("nothing is open at \"global.front\" on alice; waiting for it"));
            assertThat(screen(watch)).contains("◐ alice").contains("this is the last that was heard");
            alice.push(BACK);
            watch.await("the return", () -> screen(watch).equals(BACK.toString()));
            watch.stop();
            assertThat(alice.asked()).as("one stream told all").hasSize(1);
            assertThat(watch.err()).isEmpty();
        }
    }

    private static String screen(Running watch) {
        return new TerminalEmulator(200, 24).feed(watch.out()).screen();
    }

    @Test
    void inJsonWhatClosesMeanwhileIsALineToo() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.start("status", "-w", "--json");
            watch.await("the first line", () -> watch.out().contains("front"));
            alice.push(FakeNode.error("nothing is open there"));
            watch.await("the row", () -> watch.out().contains("nothing is open there"));
            watch.stop();
            ClusterStatus told =
                    StatusJson.readCluster(watch.out().lines().toList().get(1));
            assertThat(told.nodes().get(0).state()).isEqualTo(NodeState.STALE);
            assertThat(watch.err())
                    .contains("nothing is open there; waiting for it")
                    .doesNotContain("connecting");
        }
    }

    @Test
    void whomOneNodeDoesNotKnowAnotherOneIsAskedAbout() {
        ClusterStatus known = Fixtures.cluster(Fixtures.up("carol", "stock"));
        try (FakeNode alice = FakeNode.refusing("unknown node \"carol\"");
                FakeNode bob = FakeNode.streaming(known)) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Running watch = command.start("status", "carol", "-w", "--json");
            watch.await("carol", () -> watch.out().contains("stock"));
            watch.stop();
        }
    }

    @Test
    void aNodeThatOnlyItsClusterKnowsIsFoundAgainAfterANodeOfAnotherClusterWasAskedAlone() throws IOException {
        try (FakeNode alice = FakeNode.refusing("unknown node \"carol\"");
                FakeNode bob = FakeNode.streaming(Fixtures.cluster(Fixtures.up("carol", "stock")));
                FakeNode bobAgain = FakeNode.streaming(Fixtures.cluster(Fixtures.up("carol", "returns")))) {
            command.node("alice", alice.url());
            Path descriptor = command.node("bob", bob.url());
            Running watch = command.start("status", "carol", "-w", "--json");
            watch.await("carol", () -> watch.out().contains("stock"));
            Files.delete(descriptor);
            bob.endStreams();
            watch.await("the word of the wrong one", () -> watch.out().contains("unknown node"));
            command.node("bob", bobAgain.url());
            watch.await("carol again", () -> {
                // Signs of life, so that no silence ends a stream that is waited on.
                alice.push("");
                return watch.out().contains("returns");
            });
            watch.stop();
        }
    }

    @Test
    void inJsonAReasonThatStaysTheSameIsOneLine() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.start("status", "-w", "--json");
            watch.await("the first line", () -> watch.out().contains("front"));
            alice.withToken("another").endStreams();
            watch.await("the reason", () -> watch.out().contains("without the right token"));
            int asked = alice.asked().size();
            watch.await("two more tries", () -> alice.asked().size() >= asked + 2);
            watch.stop();
            assertThat(watch.out().lines().filter(line -> line.contains("without the right token")))
                    .hasSize(1);
        }
    }

    @Test
    void aNodeThatRefusesTheQuestionIsConnectedToAgainAndNotWaitedFor() {
        try (FakeNode alice = FakeNode.streaming(FRONT);
                FakeNode bob = FakeNode.saying(400, "unknown parameter \"lines\"\n")) {
            command.node("alice", alice.url());
            command.node("bob", bob.url());
            Running watch = command.start("status", "alice,bob", "-w", "--json");
            watch.await(
                    "both", () -> watch.out().contains("front") && watch.err().contains("unknown parameter"));
            watch.stop();
            assertThat(watch.err()).contains("connecting again").doesNotContain("waiting for it");
        }
    }

    @Test
    void whateverAStreamThatGoesOnTellsIsWaitedFor() {
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.start("status", "-w", "--json");
            watch.await("the first line", () -> watch.out().contains("front"));
            alice.push("{\"kind\":\"error\",\"code\":503,\"message\":\"not yet\"}");
            watch.await("the word", () -> watch.err().contains("not yet"));
            watch.stop();
            assertThat(watch.err()).contains("waiting for it").doesNotContain("connecting again");
        }
    }

    @Test
    void M10_ofSeveralNodesTheWorstGetsTheRoomAndNoneStaysEmpty() {
        StatusSnapshot seed = Fixtures.seed();
        NodeStatus stuck = new NodeStatus(seed.node(), NodeState.UP, Duration.ZERO, null, NodeSummary.of(seed), seed);
        StatusSnapshot busy = Fixtures.snapshot("bob", 40);
        NodeStatus calm = new NodeStatus(busy.node(), NodeState.UP, Duration.ZERO, null, NodeSummary.of(busy), busy);
        ClusterStatus three = Fixtures.cluster(calm, stuck, Fixtures.up("carol", "stock"));
        for (int rows : new int[] {22, 24, 26, 28, 30, 34, 40, 50}) {
            try (FakeNode bob = FakeNode.streaming(three)) {
                command.node("bob", "life", bob.url(), 4_711);
                Running watch = command.onATerminal(80, rows).start("status", "-w", "--cluster", "--color=always");
                watch.await("the picture", () -> watch.out().contains("Cluster Status"));
                String screen = new TerminalEmulator(80, rows).feed(watch.out()).screen();
                watch.stop();
                assertThat(screen).as(rows + " rows").contains("stderr-stream stuck waiting", "● bob", "● carol");
                assertThat(screen.lines().count())
                        .as(rows + " rows:\n" + screen)
                        .isBetween(rows - 2L, (long) rows);
            }
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

    /** What ends with a mistake gives the terminal back all the same, and tells of it in the three lines of every trouble. */
    private static void assertToldOnATerminalThatIsGivenBack(Running watch) {
        assertThat(watch.end()).isEqualTo(ExitCode.ERROR);
        TerminalEmulator screen = new TerminalEmulator(80, 24).feed(watch.out());
        assertThat(screen.isCursorVisible()).isTrue();
        assertThat(screen.isAlternate()).isFalse();
        assertThat(watch.err())
                .startsWith("fastn: this is a mistake of the command itself")
                .contains("nobody thought of it")
                .doesNotContain("\tat ");
        assertThat(watch.err().lines()).hasSize(3);
    }

    @Test
    void aTerminalWhoseSizeCannotBeToldAnyMoreIsGivenBack() {
        AtomicBoolean broken = new AtomicBoolean();
        PrintStream before = System.err;
        ByteArrayOutputStream traces = new ByteArrayOutputStream();
        System.setErr(new PrintStream(traces, true, StandardCharsets.UTF_8));
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(() -> {
                        if (broken.get()) {
                            throw new IllegalStateException("nobody thought of it");
                        }
                        return new Size(80, 24);
                    })
                    .start("status", "-w");
            watch.await("the picture", () -> watch.out().contains("front"));
            assertThat(new TerminalEmulator(80, 24).feed(watch.out()).isCursorVisible())
                    .isFalse();
            broken.set(true);
            assertToldOnATerminalThatIsGivenBack(watch);
            assertThat(traces.toString(StandardCharsets.UTF_8)).isEmpty();
        } finally {
            System.setErr(before);
        }
    }

    /** Whether it is the first picture, of which a part may be there already, or a later one. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aTerminalOnWhichAPictureEndsWithAMistakeIsGivenBack(int which) {
        AtomicInteger pictures = new AtomicInteger();
        OutputStream out = new ByteArrayOutputStream() {
            @Override
            public synchronized void write(byte[] bytes, int offset, int length) {
                super.write(bytes, offset, length);
                if (new String(bytes, offset, length, StandardCharsets.UTF_8).contains("Dashboard")
                        && pictures.incrementAndGet() == which) {
                    throw new IllegalStateException("nobody thought of it");
                }
            }
        };
        try (FakeNode alice = FakeNode.streaming(FRONT)) {
            command.node("alice", alice.url());
            Running watch = command.onATerminal(80, 24).start(out, "status", "-w");
            watch.await("the picture", () -> watch.out().contains("front"));
            alice.push(BACK);
            assertToldOnATerminalThatIsGivenBack(watch);
        }
    }
}
