package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** A status port that says what a test wants it to say. */
final class FakeNode implements AutoCloseable {
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final HttpServer server;

    private FakeNode(Reply reply) {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/status", exchange -> {
            asked.add(exchange.getRequestURI().getRawQuery());
            reply.to(exchange, this);
        });
        server.start();
    }

    /** One that answers about itself, and for the others. */
    static FakeNode of(StatusSnapshot snapshot, ClusterStatus cluster) {
        return new FakeNode((exchange, node) -> {
            boolean self = exchange.getRequestURI().getQuery().equals("format=json");
            send(exchange, 200, self ? StatusJson.write(snapshot) : StatusJson.write(cluster));
        });
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

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    List<String> asked() {
        return asked;
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    private interface Reply {
        void to(HttpExchange exchange, FakeNode node) throws IOException;
    }
}
