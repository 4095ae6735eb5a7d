package com.fastn.status.cli;

import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.DisplayWidth;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.TreeLine;
import com.fastn.context.status.WarningSeverity;
import com.fastn.status.cli.Key.Kind;
import com.fastn.status.cli.TreeShape.Sort;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What {@code fastn top} shows and what its keys do: a state that keys and news change, and that is drawn. */
final class TopView {
    private static final String INVERSE = "\u001b[7m";
    private static final String RESET = "\u001b[0m";
    private static final int LONGEST_SEARCH = 60;
    private static final int LONGEST_VALUE = 300;
    private static final int LONGEST_DATUM = 8 << 10;
    private static final int KEY_COLUMNS = 18;
    private static final int HELP_COLUMNS = 23;
    private static final int FRAME_LINES = 2;
    private static final char CTRL_D = 4;

    private static final String BETWEEN = "   ";
    private static final List<String> KEYS = List.of(
            "?: help",
            "q: end",
            "arrows: move, fold",
            "enter: detail",
            "/: search",
            "n: trouble",
            "p: pause",
            "s: sort",
            "w: warnings");

    private static final List<String> HELP = List.of(
            "  up, down, k, j       move; page up, page down, home, end, g, G too",
            "  left, h              fold a context, or go to the one above it",
            "  right, l, space      unfold it; space folds it again",
            "  enter, d             look closer at the context, up and down to scroll; again to go back",
            "  /                    search by name; enter to keep what fits, escape for everything",
            "  n                    the next one that is in trouble",
            "  s                    sort siblings: as they began, by age, name, idle, children",
            "  w                    warnings on and off",
            "  p                    pause and go on",
            "  ?                    this help",
            "  q, Ctrl-C            end");

    private final Terminal look;
    private final Set<Id> folded = new HashSet<>();
    private List<NodeStatus> rows = List.of();
    private List<NodeStatus> waiting = List.of();
    private List<Entry> entries = List.of();
    private @Nullable Id selected;
    private int top;
    private int page = 10;
    private String search = "";
    private boolean searching;
    private boolean paused;
    private boolean detail;
    private int detailTop;
    private int bodyLines;
    private boolean help;
    private int helpTop;
    private boolean warnings = true;
    private @Nullable Sort sort;

    TopView(Terminal look) {
        this.look = look;
    }

    /**
     * Who a row is about, through all snapshots.
     *
     * @param incarnation the node
     * @param context the context, or -1 for the node's own row
     */
    private record Id(String incarnation, long context) {}

    /** A line that is shown, and whether who it is about, or somebody who is folded away below, is in trouble. */
    private record Entry(
            String text,
            Id id,
            boolean isRow,
            boolean inTrouble,
            @Nullable StatusSnapshot snapshot,
            @Nullable ContextStatus context) {}

    /** Takes what the nodes say now. While paused it is kept for later. */
    void news(List<NodeStatus> now) {
        waiting = now;
        if (!paused) {
            rows = now;
        }
    }

    /** Obeys a key. {@return whether to go on} */
    boolean press(Key key) {
        if (key.kind() == Kind.GONE) {
            return false;
        }
        if (key.kind() == Kind.RESIZED) {
            return true;
        }
        if (searching) {
            pressInSearch(key);
            return true;
        }
        if (help && !isEnd(key.character()) && !(isHelpScrolled() && isMove(key.kind()))) {
            help = false;
            return true;
        }
        switch (key.kind()) {
            case UP -> move(-1);
            case DOWN -> move(1);
            case PAGE_UP -> move(-page);
            case PAGE_DOWN -> move(page);
            case HOME -> move(Integer.MIN_VALUE / 2);
            case END -> move(Integer.MAX_VALUE / 2);
            case LEFT -> fold();
            case RIGHT -> unfold();
            case ENTER -> lookCloser();
            case ESCAPE -> {
                if (detail) {
                    detail = false;
                } else {
                    search = "";
                }
            }
            case CHARACTER -> {
                return type(key.character());
            }
            default -> {}
        }
        return true;
    }

    private static boolean isMove(Kind kind) {
        return switch (kind) {
            case UP, DOWN, PAGE_UP, PAGE_DOWN, HOME, END -> true;
            default -> false;
        };
    }

    /** {@return whether the help has more lines than the screen} */
    private boolean isHelpScrolled() {
        return help && bodyLines > page;
    }

    private static boolean isEnd(char c) {
        return c == 'q' || c == 'Q' || c == Key.CTRL_C || c == CTRL_D;
    }

    private boolean type(char c) {
        if (isEnd(c)) {
            return false;
        }
        switch (c) {
            case 'k' -> move(-1);
            case 'j' -> move(1);
            case 'g' -> move(Integer.MIN_VALUE / 2);
            case 'G' -> move(Integer.MAX_VALUE / 2);
            case 'h' -> fold();
            case 'l' -> unfold();
            case ' ' -> {
                if (selected != null && !folded.remove(selected)) {
                    folded.add(selected);
                }
            }
            case 'd' -> lookCloser();
            case 'n' -> {
                nextTrouble();
                detailTop = 0;
            }
            case 's' -> sort = next(sort);
            case 'w' -> warnings = !warnings;
            case 'p' -> {
                paused = !paused;
                rows = waiting;
            }
            case '/' -> {
                searching = true;
                search = "";
                detail = false;
            }
            case '?' -> {
                help = true;
                helpTop = 0;
            }
            default -> {}
        }
        return true;
    }

    private void pressInSearch(Key key) {
        switch (key.kind()) {
            case ENTER -> searching = false;
            case ESCAPE -> {
                searching = false;
                search = "";
            }
            case BACKSPACE ->
                search = search.isEmpty() ? "" : search.substring(0, search.offsetByCodePoints(search.length(), -1));
            case CHARACTER -> {
                if (key.character() == Key.CTRL_C) {
                    searching = false;
                    search = "";
                } else if (search.length() < LONGEST_SEARCH && key.character() >= ' ') {
                    search += key.character();
                }
            }
            default -> {}
        }
    }

    private static @Nullable Sort next(@Nullable Sort sort) {
        List<Sort> all = List.of(Sort.values());
        int next = sort == null ? 0 : all.indexOf(sort) + 1;
        return next < all.size() ? all.get(next) : null;
    }

    // ---------------------------------------------------------------------------------------------------------- moving

    private int index() {
        for (int i = 0; i < entries.size(); i++) {
            if (entries.get(i).isRow && entries.get(i).id.equals(selected)) {
                return i;
            }
        }
        return entries.isEmpty() ? -1 : 0;
    }

    private void lookCloser() {
        detail = !detail;
        detailTop = 0;
    }

    /** To another context, or within all that is told of one. */
    private void move(int by) {
        if (help) {
            helpTop = within(helpTop + by);
            return;
        }
        if (detail) {
            detailTop = within(detailTop + by);
            return;
        }
        List<Integer> selectable = new ArrayList<>();
        int at = 0;
        int now = index();
        for (int i = 0; i < entries.size(); i++) {
            if (entries.get(i).isRow) {
                at = i == now ? selectable.size() : at;
                selectable.add(i);
            }
        }
        if (!selectable.isEmpty()) {
            int to = Math.max(0, Math.min(selectable.size() - 1, at + by));
            selected = entries.get(selectable.get(to)).id;
        }
    }

    /** {@return the line at which to begin, so that a text that is longer than the screen fills it} */
    private int within(int first) {
        return Math.max(0, Math.min(bodyLines - page, first));
    }

    private void fold() {
        int at = index();
        if (at < 0) {
            return;
        }
        Entry entry = entries.get(at);
        boolean open = entry.context == null || !entry.context.children().isEmpty();
        if (open && folded.add(entry.id)) {
            return;
        }
        ContextStatus context = entry.context;
        for (int i = at - 1; i >= 0; i--) {
            Entry above = entries.get(i);
            boolean parent = above.context != null
                    && context != null
                    && above.id.incarnation.equals(entry.id.incarnation)
                    && above.context.children().stream().anyMatch(child -> child.id() == context.id());
            if (above.isRow && (parent || above.context == null)) {
                selected = above.id;
                detailTop = 0;
                return;
            }
        }
    }

    private void unfold() {
        if (selected != null) {
            folded.remove(selected);
        }
    }

    private void nextTrouble() {
        int from = index();
        for (int step = 1; step <= entries.size(); step++) {
            Entry entry = entries.get((from + step) % entries.size());
            if (entry.isRow && entry.inTrouble) {
                selected = entry.id;
                return;
            }
        }
    }

    // --------------------------------------------------------------------------------------------------------- drawing

    /** {@return the lines of the picture, each ended by a line feed} */
    String drawn(Size size) {
        int columns = size.columns() > 0 ? size.columns() : 80;
        int lines = Math.max(5, size.rows() > 0 ? size.rows() : 24);
        Terminal place = new Terminal(true, look.colours(), look.ascii(), columns);
        entries = entries(place);
        page = lines - FRAME_LINES;
        if (index() >= 0) {
            selected = entries.get(index()).id;
        }
        StringBuilder picture = new StringBuilder(place.fitted(title())).append('\n');
        if (help || detail) {
            List<String> body = new ArrayList<>();
            (help ? HELP : detail())
                    .forEach(line -> body.addAll(place.wrapped(line, help ? HELP_COLUMNS : KEY_COLUMNS)));
            bodyLines = body.size();
            helpTop = help ? within(helpTop) : helpTop;
            detailTop = help ? detailTop : within(detailTop);
            int first = help ? helpTop : detailTop;
            for (int i = first; i < first + page; i++) {
                picture.append(i < body.size() ? body.get(i) : "").append('\n');
            }
        } else {
            drawEntries(picture, place);
        }
        return picture.append(place.fitted(foot(place))).append('\n').toString();
    }

    private void drawEntries(StringBuilder picture, Terminal place) {
        int at = Math.max(0, index());
        top = Math.max(0, Math.min(top, Math.max(0, entries.size() - page)));
        top = at < top ? at : at >= top + page ? at - page + 1 : top;
        for (int i = top; i < top + page; i++) {
            if (i < entries.size()) {
                Entry entry = entries.get(i);
                boolean here = entry.isRow && entry.id.equals(selected);
                picture.append(here ? marked(entry.text, place) : entry.text);
            }
            picture.append('\n');
        }
    }

    /** Colours inside would end the inverse; without colours a sign at the margin tells where one is. */
    private static String marked(String text, Terminal place) {
        String plain = text.replaceAll("\u001b\\[[0-9;]*m", "");
        return place.colours() ? INVERSE + plain + RESET : "> " + (plain.startsWith("  ") ? plain.substring(2) : plain);
    }

    private String title() {
        long contexts = 0;
        long inTrouble = 0;
        for (NodeStatus row : rows) {
            contexts += row.summary() == null ? 0 : row.summary().contexts();
            inTrouble += row.summary() == null ? 0 : row.summary().warnings();
        }
        if (rows.isEmpty()) {
            return "fastn top  no answer yet";
        }
        return "fastn top  " + counted(rows.size(), "node") + "  " + counted(contexts, "context") + "  "
                + counted(inTrouble, "warning")
                + (paused ? "  PAUSED" : "")
                + (search.isEmpty() ? "" : "  only \"" + Sanitizer.clean(search) + "\"")
                + (sort == null ? "" : "  by " + sort.name().toLowerCase(Locale.ROOT));
    }

    private static String counted(long count, String what) {
        return HumanText.count(count) + " " + what + (count == 1 ? "" : "s");
    }

    /** {@return what the keys do, those that are needed most first: all are in the help} */
    private String foot(Terminal place) {
        if (searching) {
            return place.fitted(
                    List.of("/" + Sanitizer.clean(search) + "_", "enter: keep", "escape: everything"), BETWEEN);
        }
        if (help) {
            return place.fitted(scrolled(helpTop, isHelpScrolled() ? "other keys: back" : "any key: back"), BETWEEN);
        }
        return place.fitted(detail ? scrolled(detailTop, "enter, d: back", "q: end") : KEYS, BETWEEN);
    }

    /** {@return what there is above and below the lines that are shown, and keys} */
    private List<String> scrolled(int above, String... keys) {
        List<String> parts = new ArrayList<>(List.of(keys));
        int below = Math.max(0, bodyLines - page - above);
        if (above > 0 || below > 0) {
            parts.add(0, "+" + above + " above, +" + below + " below");
            parts.add("up, down: scroll");
        }
        return parts;
    }

    private List<Entry> entries(Terminal place) {
        List<Entry> all = new ArrayList<>();
        StatusRenderer renderer = place.renderer();
        boolean several =
                rows.size() > 1 || rows.stream().anyMatch(row -> row.snapshot() == null || row.reason() != null);
        for (NodeStatus row : rows) {
            Id node = new Id(row.node().incarnation(), -1);
            if (several) {
                String why = row.reason() == null ? "" : ": " + row.reason();
                String title = row.node().alias() + "  " + row.state().name().toLowerCase(Locale.ROOT) + why;
                all.add(new Entry(place.fitted(Sanitizer.line(title, 1_000)), node, true, false, null, null));
            }
            StatusSnapshot snapshot = row.snapshot();
            if (snapshot == null || (several && folded.contains(node))) {
                continue;
            }
            TroubledContexts troubled = new TroubledContexts(snapshot);
            StatusSnapshot shaped = withFolds(
                    new TreeShape(search.isEmpty() ? null : search, sort, null).of(snapshot),
                    row.node().incarnation(),
                    troubled);
            Map<Long, ContextStatus> whole = byId(snapshot.globalContext());
            for (TreeLine line : renderer.renderTree(shaped)) {
                ContextStatus context = whole.getOrDefault(line.context().id(), line.context());
                Id id = new Id(row.node().incarnation(), context.id());
                boolean inTrouble =
                        troubled.has(context) || line.context().foldedChildren().stuck() > 0;
                all.add(new Entry(line.text(), id, line.isRow(), inTrouble, snapshot, context));
            }
            if (warnings) {
                for (StatusWarning warning : snapshot.warnings()) {
                    if (warning.severity() != WarningSeverity.INFO) {
                        String text = "! " + Sanitizer.line(warning.message(), LONGEST_VALUE);
                        all.add(new Entry(place.fitted(text), node, false, false, snapshot, null));
                    }
                }
            }
        }
        return all;
    }

    private static Map<Long, ContextStatus> byId(ContextStatus root) {
        Map<Long, ContextStatus> all = new HashMap<>();
        List<ContextStatus> order = new ArrayList<>(List.of(root));
        for (int i = 0; i < order.size(); i++) {
            all.put(order.get(i).id(), order.get(i));
            order.addAll(order.get(i).children());
        }
        return all;
    }

    /** Children of a folded context are counted instead of shown, and those in trouble told (rule M10). */
    private StatusSnapshot withFolds(StatusSnapshot snapshot, String incarnation, TroubledContexts troubled) {
        if (folded.isEmpty()) {
            return snapshot;
        }
        List<ContextStatus> order = new ArrayList<>(List.of(snapshot.globalContext()));
        for (int i = 0; i < order.size(); i++) {
            order.addAll(order.get(i).children());
        }
        Map<Long, ContextStatus> done = new HashMap<>();
        Map<Long, FoldedChildren> below = new HashMap<>();
        for (int i = order.size() - 1; i >= 0; i--) {
            ContextStatus context = order.get(i);
            FoldedChildren hidden = below(context, below, troubled);
            below.put(context.id(), hidden);
            if (folded.contains(new Id(incarnation, context.id()))
                    && !context.children().isEmpty()) {
                done.put(context.id(), context.withChildren(List.of(), hidden));
            } else {
                List<ContextStatus> children = context.children().stream()
                        .map(child -> done.getOrDefault(child.id(), child))
                        .toList();
                done.put(context.id(), context.withChildren(children, context.foldedChildren()));
            }
        }
        return snapshot.withGlobalContext(
                done.getOrDefault(snapshot.globalContext().id(), snapshot.globalContext()));
    }

    /** {@return what is told of all that is below a context when it is folded} */
    private static FoldedChildren below(
            ContextStatus context, Map<Long, FoldedChildren> known, TroubledContexts troubled) {
        FoldedChildren before = context.foldedChildren();
        long contexts = before.contexts();
        long stuck = before.stuck();
        Duration oldest = before.oldest();
        for (ContextStatus child : context.children()) {
            FoldedChildren further = known.getOrDefault(child.id(), FoldedChildren.NONE);
            contexts += 1 + further.contexts();
            stuck += further.stuck() + (troubled.has(child) ? 1 : 0);
            oldest = child.duration().compareTo(oldest) > 0 ? child.duration() : oldest;
        }
        return new FoldedChildren(before.count() + context.children().size(), contexts, oldest, stuck);
    }

    private List<String> detail() {
        int at = index();
        if (at < 0) {
            return List.of("nothing is shown");
        }
        Entry entry = entries.get(at);
        ContextStatus context = entry.context;
        StatusSnapshot snapshot = entry.snapshot;
        if (context == null || snapshot == null) {
            return List.of(entry.text);
        }
        List<String> lines = new ArrayList<>();
        add(lines, "path", context.path());
        add(lines, "label", context.label());
        add(
                lines,
                "id",
                context.id() + " on " + snapshot.node().alias() + " "
                        + snapshot.node().incarnation());
        add(lines, "kind", context.kind().name().toLowerCase(Locale.ROOT));
        add(lines, "state", context.state().name().toLowerCase(Locale.ROOT));
        if (context.cancelReason() != null) {
            add(lines, "cancelled", context.cancelReason().message());
        }
        add(lines, "since", HumanText.duration(context.duration()));
        add(lines, "last activity", HumanText.duration(context.lastActivity()) + " ago");
        if (context.caller() != null) {
            add(lines, "called by", context.caller().shortName());
        }
        for (OperationStatus operation : context.operations()) {
            add(
                    lines,
                    "operation",
                    operation.name() + " " + HumanText.duration(operation.elapsed())
                            + (operation.stuck() ? " STUCK" : ""));
        }
        for (LockStatus lock : snapshot.activeLocks()) {
            if (lock.holderId() == context.id()) {
                add(lines, "holds", lock.name() + " for " + HumanText.duration(lock.heldDuration()));
            }
        }
        for (LockWaiter waiter : snapshot.lockWaiters()) {
            if (waiter.contextId() == context.id()) {
                add(lines, "waits for", waiter.lockName() + " for " + HumanText.duration(waiter.waitingDuration()));
            }
        }
        context.data().forEach((key, value) -> add(lines, "data " + key, value));
        context.metrics().forEach((key, value) -> add(lines, "metric " + key, value));
        context.totalCounters().forEach((key, value) -> add(lines, "total " + key, HumanText.count(value)));
        context.liveCounters().forEach((key, value) -> add(lines, "live " + key, HumanText.count(value)));
        for (StatusWarning warning : snapshot.warnings()) {
            if (warning.contextPath().equals(context.path().toString())) {
                add(lines, "warning", warning.message());
                if (warning.next() != null) {
                    add(lines, "", "-> " + warning.next());
                }
            }
        }
        return lines;
    }

    private static void add(List<String> lines, String key, @Nullable Object value) {
        String name = Sanitizer.line(key, 40);
        lines.add("  " + name + " ".repeat(Math.max(1, KEY_COLUMNS - 2 - DisplayWidth.of(name)))
                + Sanitizer.line(String.valueOf(value), LONGEST_DATUM));
    }
}
