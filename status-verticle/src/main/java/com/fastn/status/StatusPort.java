package com.fastn.status;

import com.fastn.context.Ticker;
import com.fastn.status.http.AccessToken;
import com.fastn.status.http.HttpSettings;
import com.fastn.status.http.StatusServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The HTTP port of a node: its threads, its routes and its server. */
final class StatusPort {
    private final PortThreads threads;
    private final StatusFeeds feeds;
    private final StatusServer server;

    private StatusPort(PortThreads threads, StatusFeeds feeds, StatusServer server) {
        this.threads = threads;
        this.feeds = feeds;
        this.server = server;
    }

    /**
     * Opens the port. Nothing blocks the caller.
     *
     * @param options where, and for whom
     * @param local answers for this node
     * @param directory knows the other nodes
     * @param bus asks them, over the bus of the application
     * @param ticker the source of time
     * @param tempo how fast it goes
     * @return completes, on any thread, when the port listens; fails with a sentence when it may not or cannot
     */
    static CompletableFuture<StatusPort> open(
            StatusOptions options,
            LocalStatus local,
            NodeDirectory directory,
            BusDoor bus,
            Ticker ticker,
            PortTempo tempo) {
        PortThreads threads = new PortThreads(tempo.rest());
        ClusterAnswers cluster = new ClusterAnswers(
                threads, local, directory, bus, Duration.ofMillis(options.getQueryTimeout()), ticker);
        StatusRoutes routes = new StatusRoutes(threads, local, directory, cluster, ticker);
        StatusFeeds feeds = new StatusFeeds(threads, local, cluster, bus, ticker, tempo.pace());
        return threads.work(() -> settings(options))
                .thenCompose(settings ->
                        StatusServer.open(settings, routes.byPath(), Map.of("/status/stream", feeds::open), ticker))
                .whenComplete((server, failure) -> {
                    if (failure != null) {
                        threads.close();
                    } else {
                        // So that who asks while everything is blocked does not wait for the first reading.
                        local.refresh();
                    }
                })
                .thenApply(server -> new StatusPort(threads, feeds, server));
    }

    private static HttpSettings settings(StatusOptions options) {
        String token = options.getHttpTokenFile();
        String certificate = options.getHttpTlsCert();
        String key = options.getHttpTlsKey();
        return new HttpSettings(
                options.getHttpHost(),
                options.getHttpPort(),
                options.getAllowedHosts(),
                token == null ? null : AccessToken.of(Path.of(token)),
                certificate == null || key == null
                        ? null
                        : new HttpSettings.Tls(readable("httpTlsCert", certificate), readable("httpTlsKey", key)));
    }

    private static Path readable(String key, String file) {
        Path path = Path.of(file);
        if (!Files.isReadable(path)) {
            throw new IllegalArgumentException("the status verticle cannot start: " + key + " is \""
                    + Printable.line(file) + "\", which is no file that this process can read; name a PEM file");
        }
        return path;
    }

    /** {@return where the port listens, such as {@code http://127.0.0.1:40123}} */
    String url() {
        return server.url();
    }

    /** {@return completes, on any thread, when the port is closed} */
    CompletableFuture<@Nullable Void> close() {
        feeds.close();
        return server.close().whenComplete((closed, failure) -> threads.close());
    }
}
