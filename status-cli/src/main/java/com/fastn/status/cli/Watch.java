package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusRenderer;
import com.fastn.status.cli.Feed.News;
import com.fastn.status.cli.ViewOptions.Format;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Shows status again whenever it changes, for as long as somebody looks. */
final class Watch {
    private static final int NEWS_AHEAD = 64;
    private static final int LINES_AROUND_A_TREE = 8;
    private static final Duration SIZE_AGE = Duration.ofSeconds(1);

    private final Surroundings surroundings;
    private final Terminal terminal;
    private final LookOptions look;
    private final ViewOptions view;
    private final StatusPorts ports;
    private final Map<Integer, Answer> answers = new TreeMap<>();
    private final Map<Integer, Trouble> troubles = new HashMap<>();
    private Size size = Size.UNKNOWN;
    private long sizeNanos;

    /**
     * Makes a watch.
     *
     * @param surroundings where it is shown
     * @param terminal what can be shown there
     * @param look how it looks
     * @param view what is shown
     * @param ports asks the nodes
     */
    Watch(Surroundings surroundings, Terminal terminal, LookOptions look, ViewOptions view, StatusPorts ports) {
        this.surroundings = surroundings;
        this.terminal = terminal;
        this.look = look;
        this.view = view;
        this.ports = ports;
    }

    /**
     * Shows it until nobody looks any more.
     *
     * @param meant who is watched
     * @return the exit code
     * @throws Trouble if nobody can be watched to begin with
     */
    int run(List<Meant> meant) {
        if (view.format() != Format.TEXT) {
            return follow(meant, this::printLine);
        }
        if (!terminal.interactive() || Terminal.isDumb(surroundings.environment())) {
            String[] before = {""};
            return follow(meant, news -> {
                String drawn = drawn(meant, renderer(terminal));
                if (!drawn.equals(before[0])) {
                    surroundings.out().print((before[0].isEmpty() ? "" : "\n") + drawn);
                    before[0] = drawn;
                }
            });
        }
        try (LiveScreen screen = new LiveScreen(surroundings.out())) {
            return follow(meant, news -> screen.show(picture(meant), size));
        }
    }

    /** Follows the nodes and passes on what they say, and what happens on the way to them. */
    int follow(List<Meant> meant, Consumer<News> show) {
        BlockingQueue<News> news = new ArrayBlockingQueue<>(NEWS_AHEAD);
        List<Thread> threads = start(meant, news::put);
        try {
            while (true) {
                News first = news.poll(ports.timeout().toMillis(), TimeUnit.MILLISECONDS);
                if (first == null && answers.isEmpty() && troubles.isEmpty()) {
                    throw nothingComes(meant);
                }
                for (News next = first == null ? news.take() : first; next != null; next = news.poll()) {
                    take(next, meant.size());
                    if (view.format() != Format.TEXT) {
                        show.accept(next);
                    }
                }
                if (view.format() == Format.TEXT && !answers.isEmpty()) {
                    show.accept(new News(0, null, null));
                }
                // Who was piped to has ended, and that is all that it wanted.
                if (surroundings.out().checkError()) {
                    return ExitCode.OK;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
        } finally {
            threads.forEach(Thread::interrupt);
        }
    }

    /** Starts to follow. {@return the threads, to be interrupted in the end} */
    List<Thread> start(List<Meant> meant, Feed.Listener listener) {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < meant.size(); i++) {
            threads.add(new Feed(i, ways(meant.get(i)), query(meant.get(i)), ports, listener).start());
        }
        return threads;
    }

    /** Takes what a feed has to tell, on the one thread that shows it. */
    void take(News news, int feeds) {
        Answer answer = news.answer();
        Trouble trouble = news.trouble();
        if (answer != null) {
            answers.put(news.feed(), answer.shaped(view.shape()));
            troubles.remove(news.feed());
        } else if (trouble != null) {
            if (answers.isEmpty() && (feeds == 1 || trouble instanceof NotFound)) {
                throw trouble;
            }
            boolean known = troubles.put(news.feed(), trouble) != null;
            if (!known && (view.format() != Format.TEXT || !terminal.interactive())) {
                surroundings.note(trouble.getMessage() + "; connecting again");
            }
            if (answers.isEmpty() && troubles.size() == feeds) {
                throw trouble;
            }
        }
    }

    private Trouble nothingComes(List<Meant> meant) {
        Endpoint somebody = meant.get(0) instanceof Meant.Node node
                ? node.endpoint()
                : meant.get(0) instanceof Meant.Through through
                        ? through.ways().get(0)
                        : ((Meant.Clusters) meant.get(0)).ways().get(0);
        return new Trouble(
                ExitCode.UNREACHABLE,
                "node \"" + Printable.line(somebody.alias()) + "\" does not answer",
                somebody.expectation() + "its status port did not answer within "
                        + ports.timeout().toMillis() + " ms",
                somebody.ifSilent());
    }

    private void printLine(News news) {
        Answer answer = answers.get(news.feed());
        if (news.answer() != null && answer != null) {
            surroundings.out().print(Sanitizer.json(answer.json(false)) + "\n");
            surroundings.out().flush();
        }
    }

    // ------------------------------------------------------------------------------------------------------- drawing

    private StatusRenderer renderer(Terminal place) {
        return view.narrowed(place.renderer());
    }

    private String picture(List<Meant> meant) {
        long now = surroundings.ticker().nanos();
        if (size.equals(Size.UNKNOWN) || now - sizeNanos > SIZE_AGE.toNanos()) {
            size = surroundings.size().get();
            sizeNanos = now;
        }
        int columns = look.width != null ? look.width : size.columns() > 0 ? size.columns() : terminal.width();
        StatusRenderer renderer = renderer(new Terminal(true, terminal.colours(), terminal.ascii(), columns));
        String whole = drawn(meant, renderer);
        int rows = size.rows();
        if (rows == 0 || lines(whole) <= rows) {
            return whole;
        }
        // A tree that does not fit is folded, those in trouble last; what then does not fit is cut.
        String folded = drawn(meant, renderer.maxTreeLines(rows - LINES_AROUND_A_TREE));
        return lines(folded) <= rows ? folded : drawn(meant, renderer.maxTreeLines(rows / 2));
    }

    private static long lines(String text) {
        return text.chars().filter(c -> c == '\n').count();
    }

    private String drawn(List<Meant> meant, StatusRenderer renderer) {
        if (meant.size() == 1 && troubles.isEmpty()) {
            return answers.values().iterator().next().drawn(renderer);
        }
        return renderer.render(new ClusterStatus(surroundings.ticker().wallTime(), "fastn", rows(meant)));
    }

    /** {@return what is known of everybody now} */
    List<NodeStatus> rows(List<Meant> meant) {
        List<NodeStatus> rows = new ArrayList<>();
        for (int i = 0; i < meant.size(); i++) {
            rows.addAll(rows(meant.get(i), answers.get(i), troubles.get(i)));
        }
        return rows;
    }

    private static List<NodeStatus> rows(Meant meant, @Nullable Answer answer, @Nullable Trouble trouble) {
        if (answer != null && trouble == null) {
            return answer.rows();
        }
        if (answer != null) {
            String reason = trouble == null ? "" : trouble.why();
            return answer.rows().stream()
                    .map(row -> new NodeStatus(
                            row.node(),
                            NodeState.STALE,
                            row.age(),
                            "this is the last that was heard; " + reason + "; connecting again",
                            row.summary(),
                            row.snapshot()))
                    .toList();
        }
        if (trouble != null) {
            return Inquiry.silent(meant, trouble);
        }
        String name = meant instanceof Meant.Node node ? node.endpoint().alias() : "cluster";
        return List.of(new NodeStatus(
                new NodeIdentity(name, "unknown"), NodeState.STALE, Duration.ZERO, "no answer yet", null, null));
    }

    // --------------------------------------------------------------------------------------------------------- asking

    private String query(Meant meant) {
        if (meant instanceof Meant.Through through) {
            return Inquiry.nodesQuery(through.names()) + "&" + view.query();
        }
        return (meant instanceof Meant.Clusters ? "scope=cluster&" : "") + view.query();
    }

    private Supplier<List<Endpoint>> ways(Meant meant) {
        if (meant instanceof Meant.Through through) {
            return through::ways;
        }
        if (meant instanceof Meant.Clusters clusters) {
            return clusters::ways;
        }
        Endpoint endpoint = ((Meant.Node) meant).endpoint();
        return endpoint instanceof LocalNode node ? () -> List.of(again(node)) : () -> List.of(endpoint);
    }

    /** A node that was started anew is another life of the same alias, at another port. */
    private LocalNode again(LocalNode node) {
        List<LocalNode> now = new NodeFinder(
                        surroundings.properties(), surroundings.environment(), surroundings.isAlive())
                .find()
                .nodes();
        List<LocalNode> same = now.stream()
                .filter(other -> other.incarnation().equals(node.incarnation()))
                .toList();
        List<LocalNode> named = same.isEmpty()
                ? now.stream()
                        .filter(other -> other.alias().equals(node.alias()))
                        .toList()
                : same;
        if (named.isEmpty()) {
            throw new Trouble(
                    ExitCode.UNREACHABLE,
                    "node \"" + Printable.line(node.alias()) + "\" is gone",
                    "its process " + node.pid() + " has ended, and no other one of its alias is found",
                    "start it again; fastn info shows where it is looked for");
        }
        return named.get(0);
    }
}
