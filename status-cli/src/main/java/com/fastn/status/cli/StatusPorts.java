package com.fastn.status.cli;

import static java.util.Objects.requireNonNullElse;

import com.fastn.context.Ticker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLException;

/** Asks the status ports of nodes. Not with the newer client of the JDK: it takes half a second to load. */
final class StatusPorts {
    /** More than any answer has; the nodes fold theirs to a quarter of it. */
    static final int LARGEST_ANSWER = 4 << 20;

    private static final int LARGEST_REFUSAL = 4 << 10;
    /** A node sends a sign of life at least every 15 seconds. */
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(20);

    private final Duration timeout;
    private final Ticker ticker;

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
        try {
            HttpURLConnection connection = connect(node, question, timeout);
            try {
                return read(connection.getInputStream(), ticker.nanos(), node);
            } finally {
                connection.disconnect();
            }
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
            HttpURLConnection connection = connect(node, question, LONGEST_SILENCE);
            return new LineStream(
                    connection.getInputStream(),
                    LARGEST_ANSWER,
                    e -> silent(node, e, LONGEST_SILENCE),
                    connection::disconnect);
        } catch (IOException e) {
            throw silent(node, e, LONGEST_SILENCE);
        }
    }

    private Trouble silent(Endpoint node, IOException e, Duration waited) {
        String url = Printable.line(node.url().toString());
        if (e instanceof SocketTimeoutException) {
            return unreachable(
                    node,
                    node.expectation() + "its status port did not answer within " + waited.toMillis() + " ms",
                    node.ifSilent());
        }
        if (e instanceof ConnectException) {
            return unreachable(node, node.expectation() + "nothing listens at " + url, node.ifAbsent());
        }
        if (e instanceof UnknownHostException) {
            return unreachable(node, "no host is known by the name in " + url, node.ifAbsent());
        }
        String message =
                Printable.line(requireNonNullElse(e.getMessage(), e.getClass().getSimpleName()));
        if (e instanceof SSLException) {
            return unreachable(
                    node,
                    "the TLS connection to " + url + " failed (" + message + ")",
                    "give the node a ca in the configuration that signed its certificate, which has to name the host");
        }
        return unreachable(node, "the connection to " + url + " broke (" + message + ")", "try again");
    }

    private static Trouble unreachable(Endpoint node, String why, String next) {
        return new Trouble(
                ExitCode.UNREACHABLE, "node \"" + Printable.line(node.alias()) + "\" does not answer", why, next);
    }

    private HttpURLConnection connect(Endpoint node, String question, Duration patience) throws IOException {
        URI address = node.url().resolve(question);
        HttpURLConnection connection = (HttpURLConnection) address.toURL().openConnection(Proxy.NO_PROXY);
        connection.setConnectTimeout(millis(timeout));
        connection.setReadTimeout(millis(patience));
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        connection.setRequestProperty("Accept", "application/json");
        // Nothing more is asked on it, and what keeps connections would be loaded for nothing.
        connection.setRequestProperty("Connection", "close");
        connection.setRequestProperty("User-Agent", "fastn");
        Path ca = node.ca();
        if (ca != null && connection instanceof HttpsURLConnection secure) {
            secure.setSSLSocketFactory(TlsTrust.of(ca));
        }
        String token = node.token();
        if (token != null) {
            connection.setRequestProperty("Authorization", "Bearer " + token);
        }
        int status = connection.getResponseCode();
        if (status == HttpURLConnection.HTTP_OK) {
            return connection;
        }
        String sentence = refusal(connection);
        connection.disconnect();
        throw refused(node, status, sentence);
    }

    private static int millis(Duration time) {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, time.toMillis()));
    }

    private byte[] read(InputStream in, long start, Endpoint node) throws IOException {
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
            // The socket's own timeout begins anew with each byte.
            if (ticker.nanos() - start > timeout.toNanos()) {
                throw new SocketTimeoutException();
            }
        }
        return body.toByteArray();
    }

    private static String refusal(HttpURLConnection connection) throws IOException {
        InputStream error = connection.getErrorStream();
        if (error == null) {
            return "";
        }
        return new String(error.readNBytes(LARGEST_REFUSAL), StandardCharsets.UTF_8).strip();
    }

    private static Trouble refused(Endpoint node, int status, String sentence) {
        String why = sentence.isEmpty() ? "it answered with HTTP status " + status : Printable.line(sentence);
        String what = "node \"" + Printable.line(node.alias()) + "\" gave no status";
        return switch (status) {
            case HttpURLConnection.HTTP_BAD_REQUEST, HttpURLConnection.HTTP_NOT_FOUND -> new NotFound(what, why);
            case HttpURLConnection.HTTP_UNAUTHORIZED, HttpURLConnection.HTTP_FORBIDDEN ->
                new Trouble(
                        ExitCode.ERROR,
                        what,
                        "it does not let us in without the right token (HTTP status " + status + ")",
                        node.ifRefused());
            case HttpURLConnection.HTTP_UNAVAILABLE, 429 ->
                new Trouble(ExitCode.UNREACHABLE, what, why, "try again in a moment");
            default -> new Trouble(ExitCode.ERROR, what, why, node.ifStrange());
        };
    }
}
