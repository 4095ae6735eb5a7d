package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Ticker;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Future;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * One question to a status port and its answer, as HTTP/1.1 on a connection of its own.
 *
 * <p>The clients of the JDK have a timeout for each read alone, which whoever sends a byte now and then never meets; and they are
 * loaded for longer than a node takes to answer.
 */
final class Exchange implements AutoCloseable {
    private static final int LARGEST_HEAD = 32 << 10;
    private static final int LONGEST_CHUNK_LINE = 1 << 10;

    private final TimedSocket connection;
    private final Socket socket;
    private final int status;
    private final InputStream body;

    private Exchange(TimedSocket connection, Socket socket, int status, InputStream body) {
        this.connection = connection;
        this.socket = socket;
        this.status = status;
        this.body = body;
    }

    /**
     * Asks, and waits for the head of the answer.
     *
     * @param node whom
     * @param question path and query, encoded
     * @param timeout how long all may take that is not made patient meanwhile
     * @param ticker the source of time
     * @param lookups the look-ups of names that have not ended yet, for all questions of the same client
     * @return the answer, to be closed
     * @throws IOException if there is none in time
     */
    static Exchange begin(
            Endpoint node, String question, Duration timeout, Ticker ticker, Map<String, Future<InetAddress>> lookups)
            throws IOException {
        URI url = node.url();
        boolean secure = "https".equals(url.getScheme());
        String host = requireNonNull(url.getHost(), "an endpoint has a host");
        int port = url.getPort() >= 0 ? url.getPort() : secure ? 443 : 80;
        String token = node.token();
        // Whoever cannot be trusted is not even connected to.
        SSLSocketFactory tls = secure ? tls(node) : null;
        TimedSocket connection = new TimedSocket(ticker, timeout);
        Socket socket = connection;
        try {
            InetAddress address = address(host, connection.left(), lookups);
            connection.connect(new InetSocketAddress(address, port), connection.left());
            if (tls != null) {
                socket = secured(tls, connection, host, port, node.isNamedByCertificate());
            }
            String head = "GET " + question + " HTTP/1.1\r\nHost: " + url.getRawAuthority()
                    + "\r\nAccept: application/json\r\nUser-Agent: fastn\r\nConnection: close\r\n"
                    + (token == null ? "" : "Authorization: Bearer " + token + "\r\n") + "\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.ISO_8859_1));
            return answered(connection, socket);
        } catch (IOException | RuntimeException e) {
            end(connection);
            throw e;
        }
    }

    /**
     * {@return the address of a host} One that is written as an address needs no lookup, and so no thread.
     *
     * @param host the host of a URL
     * @param millis how long it may take
     * @param lookups those that have not ended yet, by name
     * @throws IOException if there is none, or not in time
     */
    static InetAddress address(String host, int millis, Map<String, Future<InetAddress>> lookups) throws IOException {
        return isLiteral(host) ? InetAddress.getByName(host) : NameLookup.of(host, millis, lookups);
    }

    /** {@return whether a host is in brackets, or of digits and dots alone; the last part of a name begins with a letter} */
    static boolean isLiteral(String host) {
        boolean digits = true;
        for (int i = 0; i < host.length(); i++) {
            char c = host.charAt(i);
            digits &= c == '.' || (c >= '0' && c <= '9');
        }
        return digits || host.startsWith("[");
    }

    /** Connects nothing, and loads what would do it. */
    static void load() throws IOException {
        try (TimedSocket socket = new TimedSocket(Ticker.system(), Duration.ofSeconds(1))) {
            socket.setSoTimeout(socket.left());
        }
    }

    private static SSLSocketFactory tls(Endpoint node) {
        Path ca = node.ca();
        if (ca == null) {
            return (SSLSocketFactory) SSLSocketFactory.getDefault();
        }
        return node.isNamedByCertificate() ? TlsTrust.of(ca) : TlsTrust.ofFirst(ca);
    }

    private static Socket secured(
            SSLSocketFactory factory, TimedSocket connection, String host, int port, boolean isNamed)
            throws IOException {
        String name = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        SSLSocket secure = (SSLSocket) factory.createSocket(connection, name, port, true);
        if (isNamed) {
            SSLParameters parameters = secure.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            secure.setSSLParameters(parameters);
        }
        secure.startHandshake();
        return secure;
    }

    private static Exchange answered(TimedSocket connection, Socket socket) throws IOException {
        Source in = new Source(socket.getInputStream());
        while (true) {
            String[] first = in.line(LARGEST_HEAD).split(" ", 3);
            if (first.length < 2 || !first[0].startsWith("HTTP/1.") || !first[1].matches("[1-5]\\d\\d")) {
                throw new ProtocolException("no HTTP answer");
            }
            int status = Integer.parseInt(first[1]);
            long length = -1;
            boolean chunked = false;
            int left = LARGEST_HEAD;
            for (String line = in.line(left); !line.isEmpty(); line = in.line(left)) {
                left = Math.max(1, left - line.length());
                int colon = line.indexOf(':');
                String name = line.substring(0, Math.max(0, colon)).toLowerCase(Locale.ROOT);
                String value = line.substring(colon + 1).strip();
                if (name.equals("content-length")) {
                    length = length(value);
                } else if (name.equals("transfer-encoding")) {
                    chunked = value.equalsIgnoreCase("chunked");
                }
            }
            if (status >= 200) {
                InputStream body = chunked ? new Chunks(in) : length >= 0 ? new Counted(in, length) : in;
                return new Exchange(connection, socket, status, body);
            }
            // Something on the way says that more will come.
        }
    }

    private static long length(String value) throws ProtocolException {
        if (!value.matches("\\d{1,18}")) {
            throw new ProtocolException("an answer whose length is no number");
        }
        return Long.parseLong(value);
    }

    int status() {
        return status;
    }

    InputStream body() {
        return body;
    }

    /** Waits from here on for as long as something comes in, with no more than this between one byte and the next. */
    void beginToStream(Duration longestSilence) {
        connection.silence = longestSilence;
    }

    /** Ends it, from any thread; whoever reads meanwhile meets an {@link IOException}. */
    @Override
    public void close() {
        end(connection);
        // Below TLS it is closed already, which has nobody to say good-bye to.
        end(socket);
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing is sent any more, so nothing is lost.
        }
    }

    /** Reads one byte of a stream that is told only how to read several. */
    private static int one(InputStream in) throws IOException {
        byte[] one = new byte[1];
        return in.read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    /** A socket whose reads all end at one moment, those of TLS above it too. */
    private static final class TimedSocket extends Socket {
        private final Ticker ticker;
        private final Duration timeout;
        private final long start;
        private volatile @Nullable Duration silence;

        TimedSocket(Ticker ticker, Duration timeout) {
            super(Proxy.NO_PROXY);
            this.ticker = ticker;
            this.timeout = timeout;
            this.start = ticker.nanos();
        }

        int left() throws SocketTimeoutException {
            Duration patience = silence;
            long nanos = patience != null ? patience.toNanos() : timeout.toNanos() - (ticker.nanos() - start);
            if (nanos <= 0) {
                throw new SocketTimeoutException();
            }
            return (int) Math.max(1, Math.min(Integer.MAX_VALUE, nanos / 1_000_000));
        }

        @Override
        public InputStream getInputStream() throws IOException {
            return new FilterInputStream(super.getInputStream()) {
                @Override
                public int read() throws IOException {
                    return one(this);
                }

                @Override
                public int read(byte[] buffer, int offset, int length) throws IOException {
                    setSoTimeout(left());
                    return super.read(buffer, offset, length);
                }
            };
        }
    }

    /** The bytes of the connection, of which some are read ahead. */
    private static final class Source extends InputStream {
        private final InputStream in;
        private final byte[] buffer = new byte[16 << 10];
        private int begin;
        private int end;

        Source(InputStream in) {
            this.in = in;
        }

        /** Reads a line of the protocol, without its end. */
        String line(int longest) throws IOException {
            StringBuilder line = new StringBuilder();
            for (int c = read(); c != '\n'; c = read()) {
                if (c < 0) {
                    throw new EOFException("it ended within its answer");
                }
                if (line.length() >= longest) {
                    throw new ProtocolException("an answer whose head does not end");
                }
                line.append((char) c);
            }
            int length = line.length();
            return length > 0 && line.charAt(length - 1) == '\r' ? line.substring(0, length - 1) : line.toString();
        }

        @Override
        public int read() throws IOException {
            return fill() ? buffer[begin++] & 0xff : -1;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (!fill()) {
                return -1;
            }
            int n = Math.min(length, end - begin);
            System.arraycopy(buffer, begin, target, offset, n);
            begin += n;
            return n;
        }

        private boolean fill() throws IOException {
            if (begin == end) {
                begin = 0;
                end = Math.max(0, in.read(buffer, 0, buffer.length));
            }
            return begin < end;
        }
    }

    /** A body of a known length. */
    private static final class Counted extends InputStream {
        private final InputStream in;
        private long left;

        Counted(InputStream in, long length) {
            this.in = in;
            this.left = length;
        }

        @Override
        public int read() throws IOException {
            return one(this);
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (left == 0) {
                return -1;
            }
            int n = in.read(target, offset, (int) Math.min(length, left));
            if (n < 0) {
                throw new EOFException("it ended within its answer");
            }
            left -= n;
            return n;
        }
    }

    /** A body in pieces, each with its length before it. */
    private static final class Chunks extends InputStream {
        private final Source in;
        private InputStream chunk = InputStream.nullInputStream();
        private boolean first = true;
        private boolean over;

        Chunks(Source in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            return one(this);
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            while (!over) {
                int n = chunk.read(target, offset, length);
                if (n >= 0) {
                    return n;
                }
                next();
            }
            return -1;
        }

        private void next() throws IOException {
            if (!first && !in.line(LONGEST_CHUNK_LINE).isEmpty()) {
                throw new ProtocolException("an answer whose pieces are not as long as they say");
            }
            first = false;
            String line = in.line(LONGEST_CHUNK_LINE);
            int semicolon = line.indexOf(';');
            String size = (semicolon < 0 ? line : line.substring(0, semicolon)).strip();
            if (!size.matches("[0-9A-Fa-f]{1,8}")) {
                throw new ProtocolException("an answer with a piece whose length is no number");
            }
            long length = Long.parseLong(size, 16);
            over = length == 0;
            chunk = new Counted(in, length);
        }
    }
}
