package com.fastn.status.cli;

import static java.util.Objects.requireNonNullElse;

import com.fastn.context.Ticker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import javax.net.ssl.SSLException;

/** Asks the status ports of nodes. */
final class StatusPorts {
    /** More than any answer has; the nodes fold theirs to a quarter of it. */
    static final int LARGEST_ANSWER = 4 << 20;

    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int UNAVAILABLE = 503;
    private static final int LARGEST_REFUSAL = 4 << 10;
    /** How a node begins, and goes on behind the name, when it is asked for one that it has not heard of. */
    private static final String UNKNOWN_NODE = "unknown node \"";

    private static final String END_OF_NAME = "\"; ";
    /** A node sends a sign of life at least every 15 seconds. */
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(20);

    private final Duration timeout;
    private final Ticker ticker;
    private final Map<String, Future<InetAddress>> lookups = new ConcurrentHashMap<>();

    /**
     * Makes a client.
     *
     * @param timeout how long one node has to answer
     * @param ticker the source of time
     */
    StatusPorts(Duration timeout, Ticker ticker) {
        this.timeout = timeout;
        this.ticker = ticker;
    }

    /** {@return how long one node has to answer} */
    Duration timeout() {
        return timeout;
    }

    /**
     * Asks a node.
     *
     * @param node whom
     * @param question path and query, encoded, such as {@code /status?format=json}
     * @return the answer's body
     * @throws Trouble if there is none
     */
    byte[] ask(Endpoint node, String question) {
        try (Exchange exchange = begin(node, question)) {
            return read(exchange.body(), node);
        } catch (IOException e) {
            throw silent(node, e, timeout);
        }
    }

    /**
     * Opens a stream of lines that does not end by itself.
     *
     * @param node whom to ask
     * @param question path and query, encoded
     * @return the stream, to be closed
     * @throws Trouble if there is none
     */
    LineStream open(Endpoint node, String question) {
        try {
            Exchange exchange = begin(node, question);
            exchange.beginToStream(LONGEST_SILENCE);
            return new LineStream(
                    exchange.body(), LARGEST_ANSWER, e -> silent(node, e, LONGEST_SILENCE), exchange::close);
        } catch (IOException e) {
            throw silent(node, e, timeout);
        }
    }

    private Trouble silent(Endpoint node, IOException e, Duration waited) {
        String url = Printable.line(node.url().toString());
        // TLS wraps what happens below it.
        if (e instanceof SocketTimeoutException || e.getCause() instanceof SocketTimeoutException) {
            return unreachable(
                    node,
                    node.expectation() + "its status port did not answer within " + waited.toMillis() + " ms",
                    node.ifSilent());
        }
        if (e instanceof ConnectException) {
            return unreachable(node, node.expectation() + "nothing listens at " + url, node.ifAbsent());
        }
        if (e instanceof NameLookup.LateException) {
            return unreachable(
                    node,
                    "the name of the host in " + url + " was not looked up within " + waited.toMillis() + " ms",
                    "see whether this machine's resolver answers: getent hosts "
                            + Shell.quoted(
                                    Printable.line(String.valueOf(node.url().getHost())))
                            + ", or wait longer with --timeout");
        }
        if (e instanceof UnknownHostException) {
            return unreachable(node, "no host is known by the name in " + url, node.ifAbsent());
        }
        String message =
                Printable.line(requireNonNullElse(e.getMessage(), e.getClass().getSimpleName()));
        if (e instanceof SSLException) {
            return unreachable(node, "the TLS connection to " + url + " failed (" + message + ")", node.ifUntrusted());
        }
        return unreachable(
                node,
                "the connection to " + url + " broke (" + message + ")",
                "try again, or see step by step what answers there: fastn doctor "
                        + Shell.quoted(Printable.line(node.alias())));
    }

    private static Trouble unreachable(Endpoint node, String why, String next) {
        return new Trouble(
                ExitCode.UNREACHABLE, "node \"" + Printable.line(node.alias()) + "\" does not answer", why, next);
    }

    private Exchange begin(Endpoint node, String question) throws IOException {
        Exchange exchange = Exchange.begin(node, question, timeout, ticker, lookups);
        if (exchange.status() == OK) {
            return exchange;
        }
        try (exchange) {
            throw refused(node, question, exchange.status(), refusal(exchange));
        }
    }

    private static byte[] read(InputStream in, Endpoint node) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream(32 << 10);
        byte[] part = new byte[16 << 10];
        for (int n = in.read(part); n >= 0; n = in.read(part)) {
            body.write(part, 0, n);
            if (body.size() > LARGEST_ANSWER) {
                throw new Trouble(
                        ExitCode.ERROR,
                        "the answer of node \"" + Printable.line(node.alias()) + "\" is not read",
                        "it is larger than " + (LARGEST_ANSWER >> 20) + " MiB, and no node sends so much",
                        node.ifStrange());
            }
        }
        return body.toByteArray();
    }

    private static String refusal(Exchange exchange) throws IOException {
        return new String(exchange.body().readNBytes(LARGEST_REFUSAL), StandardCharsets.UTF_8).strip();
    }

    /**
     * {@return what a node says instead of a status}
     *
     * @param node which one
     * @param question what it was asked, encoded
     * @param status the HTTP status that it gave, or would have given
     * @param sentence what it said
     */
    static Trouble refused(Endpoint node, String question, int status, String sentence) {
        String why = sentence.isEmpty() ? "it answered with HTTP status " + status : Printable.line(sentence);
        String what = "node \"" + Printable.line(node.alias()) + "\" gave no status";
        return switch (status) {
            case BAD_REQUEST ->
                new NotUnderstood(what, why, "leave out what it objects to, or ask by the fastn of the same version");
            case NOT_FOUND -> notFound(node, question, what, why);
            case UNAUTHORIZED, FORBIDDEN ->
                new Trouble(
                        ExitCode.ERROR,
                        what,
                        "it does not let us in without the right token (HTTP status " + status + ")",
                        node.ifRefused());
            case UNAVAILABLE, TOO_MANY_REQUESTS ->
                new Trouble(ExitCode.UNREACHABLE, what, why, "try again in a moment");
            default -> new Trouble(ExitCode.ERROR, what, why, node.ifStrange());
        };
    }

    /** Who was asked for another node has answered, and is not the one that the trouble is about. */
    private static NotFound notFound(Endpoint node, String question, String what, String why) {
        int end = why.indexOf(END_OF_NAME);
        if (!question.contains("nodes=") || !why.startsWith(UNKNOWN_NODE) || end < 0) {
            return new NotFound(what, why, instead(node, question));
        }
        return new NotFound(
                why.substring(0, end + 1),
                "node \"" + Printable.line(node.alias()) + "\", which was asked for it, says: "
                        + why.substring(end + END_OF_NAME.length()),
                instead(node, question));
    }

    /** What can be asked for instead of what a node does not know. */
    private static String instead(Endpoint node, String question) {
        boolean byPath = question.contains("path=");
        if (question.contains("nodes=")) {
            return "fastn status --cluster shows every node by its name"
                    + (byPath ? ", and which paths are open there" : "");
        }
        String whom = question.contains("scope=cluster") ? "--cluster" : Shell.quoted(Printable.line(node.alias()));
        return byPath ? "fastn status " + whom + " shows which paths are open" : node.ifStrange();
    }
}
