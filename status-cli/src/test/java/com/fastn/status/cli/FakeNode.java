package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A status port that says what a test wants it to say. */
final class FakeNode implements AutoCloseable {
    private static final String END = "end";
    private static final long SIGN_OF_LIFE_SECONDS = 5;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final List<Stream> streams = new CopyOnWriteArrayList<>();
    private final HttpServer server;
    private final String scheme;
    private volatile @Nullable String token;
    private volatile @Nullable String latest;

    private FakeNode(Reply reply) {
        this(reply, null);
    }

    private FakeNode(Reply reply, @Nullable SSLContext tls) {
        InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try {
            if (tls == null) {
                server = HttpServer.create(anywhere, 0);
            } else {
                HttpsServer secure = HttpsServer.create(anywhere, 0);
                secure.setHttpsConfigurator(new HttpsConfigurator(tls));
                server = secure;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        scheme = tls == null ? "http" : "https";
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().getRawQuery());
            String wanted = token;
            if (wanted != null
                    && !("Bearer " + wanted).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
                send(exchange, 401, "");
                return;
            }
            if (exchange.getRequestURI().getPath().equals("/status/stream") && latest != null) {
                stream(exchange);
            } else {
                reply.to(exchange, this);
            }
        });
        server.start();
    }

    /** One that answers about itself, and for the others. */
    static FakeNode of(StatusSnapshot snapshot, ClusterStatus cluster) {
        return new FakeNode(telling(snapshot, cluster));
    }

    /** The same over TLS. */
    static FakeNode of(StatusSnapshot snapshot, ClusterStatus cluster, SSLContext tls) {
        return new FakeNode(telling(snapshot, cluster), tls);
    }

    private static Reply telling(StatusSnapshot snapshot, ClusterStatus cluster) {
        return (exchange, node) -> {
            boolean self = !String.valueOf(exchange.getRequestURI().getQuery()).matches(".*(scope|nodes)=.*");
            send(exchange, 200, self ? StatusJson.write(snapshot) : StatusJson.write(cluster));
        };
    }

    /** One that answers at every other path too. */
    static FakeNode answering(Map<String, String> bodies) {
        return new FakeNode((exchange, node) -> {
            String body = bodies.get(exchange.getRequestURI().getPath());
            send(exchange, body == null ? 404 : 200, body == null ? "nothing is here\n" : body);
        });
    }

    /** One that streams what it is told to. */
    static FakeNode streaming(StatusSnapshot first) {
        FakeNode node = saying(200, StatusJson.write(first));
        node.latest = StatusJson.write(first);
        return node;
    }

    /** One that streams what its cluster is, and answers with it too. */
    static FakeNode streaming(ClusterStatus first) {
        FakeNode node = saying(200, StatusJson.write(first));
        node.latest = StatusJson.write(first);
        return node;
    }

    /** One that has no status to give, says so in a stream, and gives the sentence when it is asked once. */
    static FakeNode refusing(String sentence) {
        FakeNode node = saying(404, sentence + "\n");
        node.latest = error(sentence);
        return node;
    }

    /** {@return what a node streams when what is watched is not there} */
    static String error(String sentence) {
        return "{\"kind\":\"error\",\"code\":404,\"message\":\"" + sentence.replace("\"", "\\\"") + "\"}";
    }

    FakeNode withToken(String secret) {
        token = secret;
        return this;
    }

    private void stream(HttpExchange exchange) throws IOException {
        exchange.sendResponseHeaders(200, 0);
        Stream stream = new Stream(exchange, new LinkedBlockingQueue<>());
        stream.lines.add(String.valueOf(latest));
        streams.add(stream);
        try {
            for (String line = stream.next(); !line.equals(END); line = stream.next()) {
                exchange.getResponseBody().write((line + "\n\n").getBytes(StandardCharsets.UTF_8));
                exchange.getResponseBody().flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            streams.remove(stream);
            exchange.close();
        }
    }

    /** Streams a status to everybody who follows. */
    void push(StatusSnapshot snapshot) {
        latest = StatusJson.write(snapshot);
        streams.forEach(stream -> stream.lines.add(StatusJson.write(snapshot)));
    }

    /** Streams a line to everybody who follows. */
    void push(String line) {
        streams.forEach(stream -> stream.lines.add(line));
    }

    /** Ends the streams; who connects again is streamed to again. */
    void endStreams() {
        streams.forEach(stream -> stream.lines.add(END));
    }

    int followers() {
        return streams.size();
    }

    static FakeNode saying(int status, String body) {
        return new FakeNode((exchange, node) -> send(exchange, status, body));
    }

    /** One that takes the question and says nothing. */
    static FakeNode hung() {
        return new FakeNode((exchange, node) -> {
            try {
                node.closed.await(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /** One that answers about itself as soon as all have been asked that count down the same latch. */
    static FakeNode meeting(CountDownLatch others, StatusSnapshot snapshot) {
        return new FakeNode((exchange, node) -> {
            others.countDown();
            try {
                others.await();
                send(exchange, 200, StatusJson.write(snapshot));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    String url() {
        return scheme + "://127.0.0.1:" + server.getAddress().getPort();
    }

    List<String> asked() {
        return asked;
    }

    @Override
    public void close() {
        closed.countDown();
        endStreams();
        server.stop(0);
        threads.shutdownNow();
    }

    private record Stream(HttpExchange exchange, BlockingQueue<String> lines) {
        /** {@return what is next, or nothing as a sign of life, as a node gives it} Otherwise it is taken for dead. */
        String next() throws InterruptedException {
            return Objects.requireNonNullElse(lines.poll(SIGN_OF_LIFE_SECONDS, TimeUnit.SECONDS), "");
        }
    }

    private interface Reply {
        void to(HttpExchange exchange, FakeNode node) throws IOException;
    }
}
