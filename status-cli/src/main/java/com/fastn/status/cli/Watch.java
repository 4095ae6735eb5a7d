package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusJson;
import com.fastn.status.cli.Feed.News;
import com.fastn.status.cli.ViewOptions.Format;
import java.io.PrintStream;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Shows status again whenever it changes, for as long as somebody looks. */
final class Watch {
    private static final int NEWS_AHEAD = 64;
    private static final int MOST_BYTES_OF_A_CHARACTER = 3;
    private static final News NOTHING_NEW = new News(0, null, null);
    private static final long FIRST_PROBE_MILLIS = 1_000;
    private static final long LAST_PROBE_MILLIS = 15_000;

    private final Surroundings surroundings;
    private final Terminal terminal;
    private final LookOptions look;
    private final ViewOptions view;
    private final StatusPorts ports;
    private final Sources sources;
    private final Map<Integer, Answer> answers = new TreeMap<>();
    private final Map<Integer, Trouble> troubles = new HashMap<>();
    private final Map<Integer, Heard> heard = new HashMap<>();

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
        this.sources = new Sources(surroundings, view.query(), ports);
    }

    /**
     * Shows it until nobody looks any more.
     *
     * @param meant who is watched
     * @return the exit code
     * @throws Trouble if nobody can be watched to begin with
     */
    int run(List<Meant> meant) {
        BlockingQueue<News> news = new ArrayBlockingQueue<>(NEWS_AHEAD);
        if (view.format() != Format.TEXT) {
            return follow(meant, news, this::printLine, new Pipe(surroundings.out()));
        }
        if (!terminal.interactive() || Terminal.isDumb(surroundings.environment())) {
            String[] before = {""};
            return follow(
                    meant,
                    news,
                    told -> {
                        String drawn = shown(meant).drawn(view.narrowed(terminal.renderer()));
                        if (!drawn.equals(before[0])) {
                            surroundings.out().print((before[0].isEmpty() ? "" : "\n") + drawn);
                            before[0] = drawn;
                        }
                    },
                    new Quiet());
        }
        try (LiveScreen screen = new LiveScreen(surroundings.out());
                Suspension.Listening unusedStops = surroundings.suspension().tell(screen);
                // Where there is nothing new but the size, what is known is drawn again.
                SizeWatch size = SizeWatch.begin(surroundings.size(), () -> news.put(NOTHING_NEW))) {
            return follow(meant, news, told -> draw(meant, screen, size.size()), new Quiet());
        }
    }

    /** What is done while no news come. */
    private interface Idle {
        /** {@return after how many milliseconds without news it is time} */
        long millis();

        /** {@return whether to go on} */
        boolean idle();
    }

    /** Follows the nodes and passes on what they say, and what happens on the way to them. */
    private int follow(List<Meant> meant, BlockingQueue<News> news, Consumer<News> show, Idle idle) {
        List<Thread> threads = start(meant, news::put);
        long start = surroundings.ticker().nanos();
        try {
            while (true) {
                News next = news.poll(idle.millis(), TimeUnit.MILLISECONDS);
                if (next == null) {
                    long waited = surroundings.ticker().nanos() - start;
                    if (answers.isEmpty()
                            && troubles.isEmpty()
                            && waited > ports.timeout().toNanos()) {
                        throw nothingComes(meant);
                    }
                    if (!idle.idle()) {
                        return ExitCode.OK;
                    }
                    continue;
                }
                for (; next != null; next = news.poll()) {
                    // Who reads no more is not talked to.
                    if (next.trouble() != null && !idle.idle()) {
                        return ExitCode.OK;
                    }
                    if (take(next) && view.format() != Format.TEXT) {
                        show.accept(next);
                    }
                }
                if (view.format() == Format.TEXT && !answers.isEmpty()) {
                    show.accept(NOTHING_NEW);
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

    /** Starts to follow. {@return the threads, to be interrupted in the end; more may come to them} */
    List<Thread> start(List<Meant> meant, Feed.Listener listener) {
        return sources.start(meant, listener);
    }

    /**
     * Takes what a feed has to tell, on the one thread that shows it.
     *
     * @param news what
     * @return whether it is new; that a node is still not heard, for the reason that is known, is not
     */
    boolean take(News news) {
        Answer answer = news.answer();
        Trouble trouble = news.trouble();
        if (answer != null) {
            answers.put(news.feed(), answer.shaped(view.shape()));
            troubles.remove(news.feed());
            heard.put(news.feed(), new Heard(answer.at(), surroundings.ticker().nanos()));
            sources.heard(news.feed(), answer, troubles.keySet());
            return true;
        }
        if (trouble != null) {
            boolean first = !answers.containsKey(news.feed()) && !troubles.containsKey(news.feed());
            if (first && (sources.count() == 1 || (trouble instanceof NotFound && sources.isOfNames(news.feed())))) {
                throw trouble;
            }
            Trouble before = troubles.put(news.feed(), trouble);
            if (before == null && (view.format() != Format.TEXT || !terminal.interactive())) {
                surroundings.note(trouble.getMessage() + Sources.then(trouble));
            }
            if (answers.isEmpty() && troubles.size() == sources.count()) {
                throw trouble;
            }
            return before == null || !said(before).equals(said(trouble));
        }
        return false;
    }

    private static String said(Trouble trouble) {
        return trouble.why() + Sources.then(trouble);
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
        surroundings.out().print(line(news) + "\n");
        surroundings.out().flush();
    }

    private String line(News news) {
        Answer answer = answers.get(news.feed());
        if (answer != null && news.trouble() == null) {
            return Sanitizer.json(answer.json(false));
        }
        // A program reads no notes: what it knows is old from here on, and of whom.
        return line(rows(news), now(news.feed()));
    }

    private static String line(List<NodeStatus> rows, Instant at) {
        return Sanitizer.json(StatusJson.write(new ClusterStatus(at, "fastn", rows)));
    }

    private List<NodeStatus> rows(News news) {
        return sources.rows(news.feed(), answers.get(news.feed()), news.trouble());
    }

    /** By the clock of who was heard, for the clock of this machine may be another one (rule D5). */
    private Instant now(int feed) {
        Heard last = heard.get(feed);
        return last == null
                ? surroundings.ticker().wallTime()
                : last.at.plusNanos(Math.max(0, surroundings.ticker().nanos() - last.nanos));
    }

    /**
     * When something was heard last.
     *
     * @param at by the clock of who told it
     * @param nanos by the ticker here
     */
    private record Heard(Instant at, long nanos) {}

    /**
     * {@return a moment after something was told, as JSON on one line} Of several feeds it is what is known by all of them, unless
     * that is more than a replay reads, and always by the clock of this machine.
     */
    String recorded(List<Meant> meant, News news) {
        if (sources.count() > 1) {
            Instant at = surroundings.ticker().wallTime();
            String all = line(rows(meant), at);
            return all.length() < Recording.LONGEST_LINE / MOST_BYTES_OF_A_CHARACTER ? all : line(rows(news), at);
        }
        return line(news);
    }

    // ------------------------------------------------------------------------------------------------------- drawing

    private Answer shown(List<Meant> meant) {
        if (sources.count() == 1 && troubles.isEmpty()) {
            return answers.values().iterator().next();
        }
        return new Answer.OfCluster(new ClusterStatus(surroundings.ticker().wallTime(), "fastn", rows(meant)));
    }

    private void draw(List<Meant> meant, LiveScreen screen, Size size) {
        int columns = look.width != null ? look.width : size.columns() > 0 ? size.columns() : terminal.width();
        Terminal place = new Terminal(true, terminal.colours(), terminal.ascii(), columns);
        String picture = new FittedPicture(
                        size.rows(), place, view.narrowed(place.renderer()), shown(meant), "fastn top scrolls")
                .drawn(!view.locks && !view.warnings);
        screen.show(picture, size);
    }

    /** {@return what is known of everybody now} */
    List<NodeStatus> rows(List<Meant> meant) {
        return sources.rows(meant.size(), answers, troubles);
    }

    /** Nothing can be asked of a file, and a terminal is asked elsewhere. */
    private static final class Quiet implements Idle {
        @Override
        public long millis() {
            return FIRST_PROBE_MILLIS;
        }

        @Override
        public boolean idle() {
            return true;
        }
    }

    /**
     * A pipe, of which only who writes learns that nobody reads it any more. A space before a line means nothing to who reads
     * JSON; the longer nothing happens, the fewer are written.
     */
    private static final class Pipe implements Idle {
        private final PrintStream out;
        private long millis = FIRST_PROBE_MILLIS;

        Pipe(PrintStream out) {
            this.out = out;
        }

        @Override
        public long millis() {
            return millis;
        }

        @Override
        public boolean idle() {
            millis = Math.min(LAST_PROBE_MILLIS, 2 * millis);
            out.print(" ");
            return !out.checkError();
        }
    }
}
