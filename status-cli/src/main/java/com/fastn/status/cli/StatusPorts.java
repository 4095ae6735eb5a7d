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
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Asks the status ports of nodes on this machine. Not with the newer client of the JDK: it takes half a second to load. */
final class StatusPorts {
    /** More than any answer has; the nodes fold theirs to a quarter of it. */
    static final int LARGEST_ANSWER = 4 << 20;

    private static final int LARGEST_REFUSAL = 4 << 10;

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
     * @param query the query part of the address, encoded
     * @return the answer's body
     * @throws Trouble if there is none
     */
    byte[] ask(LocalNode node, String query) {
        URI address = node.url().resolve("/status?" + query);
        try {
            return get(address, node);
        } catch (SocketTimeoutException e) {
            throw unreachable(
                    node,
                    "its process lives, but its status port did not answer within " + timeout.toMillis() + " ms",
                    "see whether process " + node.pid()
                            + " is stopped or starved (kill -CONT, top), or wait longer with" + " --timeout");
        } catch (ConnectException e) {
            throw unreachable(
                    node,
                    "process " + node.pid() + " lives, but nothing listens at " + node.url(),
                    "the process may be another one by now that has the id of a node that was killed; if so: rm "
                            + Printable.line(node.descriptor().toString()));
        } catch (IOException e) {
            String message = requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
            throw unreachable(
                    node, "the connection to " + node.url() + " broke (" + Printable.line(message) + ")", "try again");
        }
    }

    private static Trouble unreachable(LocalNode node, String why, String next) {
        return new Trouble(
                ExitCode.UNREACHABLE, "node \"" + Printable.line(node.alias()) + "\" does not answer", why, next);
    }

    private byte[] get(URI address, LocalNode node) throws IOException {
        int millis = (int) Math.max(1, Math.min(Integer.MAX_VALUE, timeout.toMillis()));
        long start = ticker.nanos();
        HttpURLConnection connection = (HttpURLConnection) address.toURL().openConnection(Proxy.NO_PROXY);
        try {
            connection.setConnectTimeout(millis);
            connection.setReadTimeout(millis);
            connection.setInstanceFollowRedirects(false);
            connection.setUseCaches(false);
            connection.setRequestProperty("Accept", "application/json");
            connection.setRequestProperty("User-Agent", "fastn");
            int status = connection.getResponseCode();
            if (status == HttpURLConnection.HTTP_OK) {
                return read(connection.getInputStream(), start, node);
            }
            throw refused(node, status, refusal(connection));
        } finally {
            connection.disconnect();
        }
    }

    private byte[] read(InputStream in, long start, LocalNode node) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream(32 << 10);
        byte[] part = new byte[16 << 10];
        for (int n = in.read(part); n >= 0; n = in.read(part)) {
            body.write(part, 0, n);
            if (body.size() > LARGEST_ANSWER) {
                throw new Trouble(
                        ExitCode.ERROR,
                        "the answer of node \"" + Printable.line(node.alias()) + "\" is not read",
                        "it is larger than " + (LARGEST_ANSWER >> 20) + " MiB, and no node sends so much",
                        "see what listens at " + node.url());
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

    private static Trouble refused(LocalNode node, int status, String sentence) {
        String why = sentence.isEmpty() ? "it answered with HTTP status " + status : Printable.line(sentence);
        String what = "node \"" + Printable.line(node.alias()) + "\" gave no status";
        if (status == HttpURLConnection.HTTP_NOT_FOUND) {
            return new NotFound(what, why);
        }
        if (status == HttpURLConnection.HTTP_UNAVAILABLE) {
            return new Trouble(ExitCode.UNREACHABLE, what, why, "try again in a moment");
        }
        return new Trouble(
                ExitCode.ERROR, what, why, "see what listens at " + node.url() + " (process " + node.pid() + ")");
    }
}
