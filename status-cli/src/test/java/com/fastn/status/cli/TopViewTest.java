package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.fastn.status.cli.Key.Kind;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TopViewTest {
    private static final Size SIZE = new Size(90, 12);

    private TopView view;

    @BeforeEach
    void aNodeWithThreeTasks() {
        view = new TopView(new Terminal(true, true, false, 90));
        view.news(rows(Fixtures.snapshot("alice", 3)));
    }

    private static List<NodeStatus> rows(StatusSnapshot snapshot) {
        return new Answer.OfNode(snapshot).rows();
    }

    private String screen() {
        String picture = view.drawn(SIZE);
        assertThat(picture.lines()).hasSize(SIZE.rows());
        return new TerminalEmulator(SIZE.columns(), SIZE.rows())
                .feed(picture.stripTrailing())
                .screen();
    }

    private String selected() {
        return view.drawn(SIZE)
                .lines()
                .filter(line -> line.startsWith("\u001b[7m"))
                .findFirst()
                .orElse("");
    }

    private void press(Object... keys) {
        for (Object key : keys) {
            view.drawn(SIZE);
            assertThat(view.press(key instanceof Kind kind ? Key.of(kind) : Key.of((char) key)))
                    .isTrue();
        }
    }

    @Test
    void theTreeIsShownWithItsKeysAtTheFoot() {
        assertThat(screen())
                .startsWith("fastn top  1 node  4 contexts  0 warnings\nglobal (2m uptime")
                .contains("├── task-0", "└── task-2")
                .contains("?: help   q: end");
    }

    @Test
    void arrowsMoveAndStopAtTheEnds() {
        assertThat(selected()).contains("global");
        press(Kind.DOWN, 'j');
        assertThat(selected()).contains("task-1");
        press(Kind.PAGE_DOWN);
        assertThat(selected()).contains("task-2");
        press(Kind.UP, 'k');
        assertThat(selected()).contains("task-0");
        press(Kind.HOME, Kind.UP);
        assertThat(selected()).contains("global");
    }

    @Test
    void aContextIsFoldedAndItsChildrenCounted() {
        press(Kind.LEFT);
        assertThat(screen()).contains("+3 more").doesNotContain("task-");
        press(Kind.RIGHT);
        assertThat(screen()).contains("task-1");
        press(' ');
        assertThat(screen()).doesNotContain("task-");
        press(' ', Kind.DOWN, Kind.LEFT, Kind.LEFT);
        assertThat(selected()).contains("global");
    }

    @Test
    void aSearchKeepsWhatFits() {
        press('/', 'k', '-', '2');
        assertThat(screen()).contains("/k-2_").contains("task-2").doesNotContain("task-1");
        press(Kind.BACKSPACE, '\ud83d', '\ude00', Kind.BACKSPACE, '1', Kind.ENTER);
        assertThat(screen()).contains("task-1").doesNotContain("task-2").contains("only \"k-1\"");
        press(Kind.ESCAPE);
        assertThat(screen()).contains("task-2");
    }

    @Test
    void theSelectionStaysWithItsContextWhenTheTreeChanges() {
        press(Kind.DOWN, Kind.DOWN);
        view.news(rows(Fixtures.snapshot("alice", 8)));
        assertThat(selected()).contains("task-1");
    }

    @Test
    void whilePausedNothingMovesAndNothingIsLost() {
        press('p');
        view.news(rows(Fixtures.snapshot("alice", 5)));
        assertThat(screen()).contains("PAUSED").doesNotContain("task-4");
        press('p');
        assertThat(screen()).doesNotContain("PAUSED").contains("task-4");
    }

    @Test
    void aLongTreeScrollsWithTheSelection() {
        view.news(rows(Fixtures.snapshot("alice", 100)));
        press(Kind.END);
        assertThat(selected()).contains("task-99");
        assertThat(screen()).contains("task-98").doesNotContain("task-80");
        press('g');
        assertThat(screen()).contains("global");
    }

    @Test
    void allThatIsKnownOfAContextIsShownAndLeftAgain() {
        press(Kind.DOWN, 'd');
        assertThat(screen()).contains("path            global.task-0").contains("state           active");
        press(Kind.ENTER);
        assertThat(screen()).contains("├── task-0");
    }

    @Test
    void whatIsKnownOfAContextIsScrolledAndWhatIsNotShownIsCounted() {
        StatusSnapshot snapshot = Fixtures.snapshot("alice", "front");
        Map<String, Object> data = new TreeMap<>();
        for (int i = 10; i < 40; i++) {
            data.put("key-" + i, i == 39 ? "x".repeat(100) + "the end" : "value-" + i);
        }
        ContextStatus root = snapshot.globalContext();
        view.news(rows(snapshot.withGlobalContext(
                root.withChildren(List.of(withData(root.children().get(0), data)), FoldedChildren.NONE))));
        press(Kind.DOWN, 'd');
        assertThat(screen()).contains("path            global.front").contains("+0 above, +28 below");
        press(Kind.DOWN, 'j');
        assertThat(screen()).doesNotContain("path   ").contains("+2 above, +26 below");
        press(Kind.END);
        assertThat(screen()).contains("data key-39").contains("the end").contains("+28 above, +0 below");
        press(Kind.HOME);
        assertThat(screen()).contains("path            global.front");
        press('d');
        assertThat(selected()).as("it was scrolled, and nothing else selected").contains("front");
    }

    private static ContextStatus withData(ContextStatus of, Map<String, Object> data) {
        return new ContextStatus(
                of.id(),
                of.name(),
                of.label(),
                of.path(),
                of.kind(),
                of.state(),
                null,
                null,
                of.duration(),
                of.lastActivity(),
                null,
                false,
                null,
                List.of(),
                Map.of(),
                data,
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                List.of(),
                FoldedChildren.NONE);
    }

    @Test
    void siblingsAreSortedAnewByEachPress() {
        press('s');
        assertThat(screen()).contains("by age");
        press('s', 's', 's', 's');
        assertThat(screen()).doesNotContain("  by ");
    }

    @Test
    void warningsAreShownAndTheNextTroubleIsFound() {
        view.news(rows(Fixtures.warned("alice", WarningSeverity.CRITICAL)));
        assertThat(screen()).contains("! something is odd");
        press('n');
        assertThat(selected()).contains("front");
        press('w');
        assertThat(screen()).doesNotContain("something is odd");
    }

    @Test
    void M10_whoIsInTroubleBelowAFoldIsCountedAndTheNextTroubleLeadsThere() {
        view.news(rows(Fixtures.seed()));
        press(Kind.DOWN, ' ');
        assertThat(screen()).contains("+2 more (5 contexts), oldest 23m 12s, 2 stuck");
        press('n');
        assertThat(selected()).contains("Remote Access Listener");
        press(' ', 'n');
        assertThat(selected()).contains("stdout-handler");
        press('n');
        assertThat(selected()).contains("stderr-stream");
    }

    @Test
    void ofContextsOfOnePathOnlyTheOneThatIsWarnedOfIsInTrouble() {
        StatusSnapshot snapshot = Fixtures.snapshot("alice", 3);
        List<ContextStatus> tasks = snapshot.globalContext().children();
        String path = tasks.get(1).path().toString();
        view.news(rows(withWarnings(
                snapshot,
                new StatusWarning(
                        "odd",
                        WarningSeverity.WARNING,
                        "odd",
                        path,
                        tasks.get(2).id(),
                        null,
                        null),
                new StatusWarning("cpu-high", WarningSeverity.WARNING, "hot", "global", 0, null, null))));
        press('n');
        assertThat(selected()).contains("task-2");
        press('n');
        assertThat(selected()).contains("task-2");
    }

    private static StatusSnapshot withWarnings(StatusSnapshot of, StatusWarning... warnings) {
        return new StatusSnapshot(
                of.node(),
                of.timestamp(),
                of.version(),
                of.systemMetrics(),
                of.globalContext(),
                of.activeLocks(),
                of.lockWaiters(),
                List.of(warnings),
                of.recent(),
                of.operationBaselines(),
                of.counterWindows(),
                of.causes());
    }

    @Test
    void aNodeThatIsSilentIsARow() {
        view.news(List.of(Fixtures.up("alice", "front"), Fixtures.silent("bob")));
        assertThat(screen()).contains("alice  up").contains("bob  stale: did not answer within 1000 ms");
    }

    @Test
    void theHelpNamesTheKeysAndAnyKeyLeavesIt() {
        press('?');
        assertThat(screen()).contains("search by name").contains("other keys: back   up, down: scroll");
        assertThat(view.drawn(new Size(90, 24))).contains("q, Ctrl-C", "\nany key: back\n");
        press('x');
        assertThat(screen()).contains("task-0");
    }

    @Test
    void aHelpThatIsLongerThanTheScreenIsScrolledAndNoneOfItIsCut() {
        Size small = new Size(50, 8);
        List<Kind> keys = List.of(Kind.DOWN, Kind.DOWN, Kind.PAGE_DOWN, Kind.END);
        view.drawn(small);
        view.press(Key.of('?'));
        StringBuilder seen = new StringBuilder(view.drawn(small));
        assertThat(seen).contains("+0 above, +");
        for (Kind key : keys) {
            view.press(Key.of(key));
            seen.append(view.drawn(small));
        }
        assertThat(seen.toString().replaceAll("\\s+", " "))
                .contains("page up, page down, home, end, g, G too", "q, Ctrl-C end", ", +0 below")
                .doesNotContain("…");
        view.press(Key.of('x'));
        assertThat(view.drawn(small)).contains("task-0");
    }

    @Test
    void onANarrowScreenTheFootHasFewerKeysAndThoseWhole() {
        for (int columns = 20; columns <= 140; columns++) {
            String foot = view.drawn(new Size(columns, 8)).lines().toList().get(7);
            assertThat(foot)
                    .as("%d columns", columns)
                    .startsWith("?: help   q: end")
                    .doesNotContain("…");
        }
        assertThat(view.drawn(new Size(140, 8))).contains("s: sort   w: warnings");
    }

    @Test
    void whatIsOneIsCountedAsOne() {
        view.news(rows(Fixtures.warned("alice", WarningSeverity.CRITICAL)));
        assertThat(screen()).startsWith("fastn top  1 node  2 contexts  1 warning\n");
        view.news(List.of());
        assertThat(screen()).startsWith("fastn top  no answer yet\n");
    }

    @Test
    void valuesAreWrappedAsTheScreenShowsThem() {
        StatusSnapshot snapshot = Fixtures.snapshot("alice", "front");
        ContextStatus root = snapshot.globalContext();
        ContextStatus wide = withData(root.children().get(0), Map.of("käse", "é".repeat(60) + " end"));
        for (boolean ascii : new boolean[] {false, true}) {
            view = new TopView(new Terminal(true, false, ascii, 50));
            view.news(rows(snapshot.withGlobalContext(root.withChildren(List.of(wide), FoldedChildren.NONE))));
            Size size = new Size(50, 60);
            view.drawn(size);
            view.press(Key.of(Kind.DOWN));
            view.drawn(size);
            view.press(Key.of('d'));
            String all = view.drawn(size);
            assertThat(all.lines()).allMatch(line -> line.length() <= 50);
            assertThat(all).containsPattern("\n {18}.*end").doesNotContain("…", "...");
        }
    }

    @Test
    void anotherSizeOfTheTerminalLeavesTheHelpOpen() {
        press('?', Kind.RESIZED);
        assertThat(screen()).contains("keys: back");
    }

    @Test
    void whatEndsItDoesSoFromTheHelpToo() {
        for (char end : new char[] {'q', 'Q', Key.CTRL_C, 4}) {
            press('?');
            assertThat(view.press(Key.of(end))).as("%d", (int) end).isFalse();
            press(Kind.ESCAPE);
        }
    }

    @Test
    void itEnds() {
        assertThat(view.press(Key.of('q'))).isFalse();
        assertThat(view.press(Key.of('\u0003'))).isFalse();
        assertThat(view.press(Key.of(Kind.GONE))).isFalse();
    }

    @Test
    void withoutColoursASignTellsWhereOneIs() {
        view = new TopView(new Terminal(true, false, true, 90));
        view.news(rows(Fixtures.snapshot("alice", 3)));
        press(Kind.DOWN);
        assertThat(screen()).contains("> |-- task-0");
    }
}
