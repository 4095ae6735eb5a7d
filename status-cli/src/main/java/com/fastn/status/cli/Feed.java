package com.fastn.status.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fastn.context.status.NodeStatus;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Follows what one node streams, on a thread of its own: connects, reads, and when the connection breaks connects again.
 */
final class Feed implements Runnable {
    private static final long FIRST_PAUSE_MILLIS = 250;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;
    private static final long POLL_MILLIS = 1_000;

    private final int number;
    private final Supplier<List<Endpoint>> ways;
    private final String query;
    private final StatusPorts ports;
    private final UnaryOperator<Answer> completed;
    private final boolean patient;
    private final Listener listener;
    private long pause = FIRST_PAUSE_MILLIS;

    /**
     * Makes a feed.
     *
     * @param number tells feeds apart
     * @param ways whom to ask, the best first; looked up before each connection, for a node may come back at another port
     * @param query what to ask for; empty, or ended by an ampersand
     * @param ports connects
     * @param completed adds to an answer what can be had beside it
     * @param patient whether who is asked will tell when what is not there to begin with comes; otherwise a node may be the wrong one
     *     to wait for, and all are looked up and asked again
     * @param listener is told, on the thread of the feed
     */
    Feed(
            int number,
            Supplier<List<Endpoint>> ways,
            String query,
            StatusPorts ports,
            UnaryOperator<Answer> completed,
            boolean patient,
            Listener listener) {
        this.number = number;
        this.ways = ways;
        this.query = query;
        this.ports = ports;
        this.completed = completed;
        this.patient = patient;
        this.listener = listener;
    }

    /**
     * What a feed has to tell.
     *
     * @param feed its number
     * @param answer what came, or {@code null}
     * @param trouble why nothing comes at the moment, or {@code null}
     */
    record News(int feed, @Nullable Answer answer, @Nullable Trouble trouble) {}

    /** Takes what a feed has to tell. */
    @FunctionalInterface
    interface Listener {
        void told(News news) throws InterruptedException;
    }

    /** Starts to follow. Ends when the thread is interrupted, and does not hold up the end of the program. */
    Thread start() {
        Thread thread = new Thread(this, "fastn-feed-" + number);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    @Override
    public void run() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                Trouble trouble = followSomebody();
                listener.told(new News(number, null, trouble));
                Thread.sleep(pause);
                pause = Math.min(LONGEST_PAUSE_MILLIS, 2 * pause);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Trouble followSomebody() throws InterruptedException {
        Trouble trouble = null;
        Endpoint waiting = null;
        try {
            List<Endpoint> all = ways.get();
            for (Endpoint node : all) {
                try {
                    Trouble told = follow(node, patient && all.size() == 1);
                    if (told == null) {
                        return ended(node);
                    }
                    trouble = telling(trouble, told);
                    // Another one may be of another cluster, and know what this one does not.
                    waiting = waiting == null ? node : waiting;
                } catch (NotFound | NotUnderstood notStreamed) {
                    try {
                        poll(node);
                    } catch (Trouble polling) {
                        trouble = telling(trouble, polling);
                    }
                } catch (Trouble silent) {
                    trouble = telling(trouble, silent);
                }
            }
            if (waiting != null && patient) {
                follow(waiting, true);
                return ended(waiting);
            }
        } catch (Trouble nobody) {
            return nobody;
        } catch (RuntimeException mistake) {
            return Fastn.mistake(mistake);
        }
        return trouble != null
                ? trouble
                : new Trouble(ExitCode.UNREACHABLE, "no node is followed", "nobody is there to ask", "fastn info");
    }

    /** A node that says that it knows no such name tells more than the next one that says nothing. */
    private static Trouble telling(@Nullable Trouble before, Trouble next) {
        return before instanceof NotFound ? before : next;
    }

    private static Trouble ended(Endpoint node) {
        return new Trouble(
                ExitCode.UNREACHABLE,
                "node \"" + Printable.line(node.alias()) + "\" is not followed",
                "it ended the stream",
                node.ifAbsent());
    }

    /**
     * Follows a node until it ends its stream.
     *
     * @param node the node
     * @param waitsAtOnce whether to wait for what is not there to begin with
     * @return what it said instead of a status to begin with, or {@code null} when the stream has ended
     */
    private @Nullable Trouble follow(Endpoint node, boolean waitsAtOnce) throws InterruptedException {
        try (LineStream lines = ports.open(node, "/status/stream?" + query + "format=ndjson")) {
            boolean waits = waitsAtOnce;
            for (String line = lines.next(); line != null; line = lines.next()) {
                ErrorLine error = ErrorLine.of(line);
                if (error == null) {
                    tell(Inquiry.read(node, line));
                } else {
                    Trouble told = StatusPorts.refused(node, query, error.code(), error.message());
                    if (!waits) {
                        return told;
                    }
                    pause = FIRST_PAUSE_MILLIS;
                    listener.told(new News(number, null, told.waits()));
                }
                waits = true;
            }
        }
        return null;
    }

    /** For what a node answers and does not stream, such as what other nodes say. */
    private void poll(Endpoint node) throws InterruptedException {
        Object before = null;
        while (true) {
            Answer answer =
                    Inquiry.read(node, new String(ports.ask(node, "/status?" + query + "format=json"), UTF_8).strip());
            List<List<Object>> now = answer.rows().stream().map(Feed::mark).toList();
            if (!now.equals(before)) {
                tell(answer);
                before = now;
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** The part of a row that changes only with what it tells. */
    private static List<Object> mark(NodeStatus row) {
        return List.of(
                row.node(),
                row.state(),
                String.valueOf(row.reason()),
                row.snapshot() == null ? -1L : row.snapshot().version());
    }

    private void tell(Answer answer) throws InterruptedException {
        pause = FIRST_PAUSE_MILLIS;
        listener.told(new News(number, completed.apply(answer), null));
    }
}
