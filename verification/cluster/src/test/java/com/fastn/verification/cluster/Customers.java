package com.fastn.verification.cluster;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Some people who order over HTTP, again and again: each the next thing when the last one has come. */
final class Customers implements AutoCloseable {
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(60))
            .build();
    private final HttpRequest order;
    private final Phaser ordering = new Phaser(1);
    private final LongAdder served = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private volatile boolean goHome;

    private Customers(URI shop) {
        this.order = HttpRequest.newBuilder(shop)
                .POST(HttpRequest.BodyPublishers.noBody())
                .timeout(Duration.ofMinutes(3))
                .build();
    }

    static Customers at(Jvm front, int count) {
        Customers customers = new Customers(URI.create(front.facts().getString("url")));
        for (int i = 0; i < count; i++) {
            customers.ordering.register();
            customers.orderNext();
        }
        return customers;
    }

    private void orderNext() {
        if (goHome) {
            ordering.arriveAndDeregister();
            return;
        }
        var unused = http.sendAsync(order, BodyHandlers.discarding()).whenComplete(this::came);
    }

    private void came(@Nullable HttpResponse<Void> answer, @Nullable Throwable failure) {
        if (answer != null && answer.statusCode() == 201) {
            served.increment();
            orderNext();
        } else {
            // Who is refused goes home, so that a shop that fails is not asked all the faster.
            refused.increment();
            ordering.arriveAndDeregister();
        }
    }

    long served() {
        return served.sum();
    }

    long refused() {
        return refused.sum();
    }

    /** Waits until everybody has what was ordered, and nobody orders any more. */
    void finish() {
        goHome = true;
        ordering.arriveAndAwaitAdvance();
    }

    @Override
    public void close() {
        goHome = true;
    }
}
