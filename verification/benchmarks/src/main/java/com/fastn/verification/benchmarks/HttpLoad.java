package com.fastn.verification.benchmarks;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Loads an {@link HttpApplication} from another process, and prints requests per second, the 99th percentile in microseconds,
 * the processor time in nanoseconds that its event loop took for a request, and the number of failures.
 */
public final class HttpLoad {
    private static final int CONNECTIONS = 16;
    private static final int MOST_SAMPLES = 4_000_000;

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    private final HttpClient client = vertx.createHttpClient(new PoolOptions().setHttp1MaxSize(CONNECTIONS));
    private final int port;
    private final long[] nanos = new long[MOST_SAMPLES];
    // Only touched on the one event loop, as the samples are.
    private int samples;
    private long failures;
    private long answers;
    private long firstCpu;
    private long firstAnswers;
    private long cpuNanosPerRequest;
    private long from = Long.MAX_VALUE;
    private long until = Long.MAX_VALUE;

    private HttpLoad(int port) {
        this.port = port;
    }

    /** {@code seconds to warm up, seconds to measure, port}, and the port of the status where somebody watches. */
    public static void main(String[] arguments) throws InterruptedException {
        HttpLoad load = new HttpLoad(Integer.parseInt(arguments[2]));
        int[] watched = {0};
        if (arguments.length > 3) {
            load.watch(Integer.parseInt(arguments[3]), watched);
        }
        load.run(Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]));
        if (arguments.length > 3 && watched[0] == 0) {
            System.err.println("nothing was seen by who watched");
            System.exit(1);
        }
        load.vertx.close();
    }

    /** Reads the stream of the status, as the page does. */
    private void watch(int statusPort, int[] bytes) {
        client.request(HttpMethod.GET, statusPort, "127.0.0.1", "/status/stream")
                .compose(HttpClientRequest::send)
                .onSuccess(stream -> stream.handler(part -> bytes[0] += part.length()));
    }

    private void run(int warmUp, int measured) throws InterruptedException {
        CountDownLatch over = new CountDownLatch(CONNECTIONS);
        vertx.runOnContext(now -> {
            from = System.nanoTime() + TimeUnit.SECONDS.toNanos(warmUp);
            until = from + TimeUnit.SECONDS.toNanos(measured);
            vertx.setTimer(TimeUnit.SECONDS.toMillis(warmUp), timer -> askCpu());
            // Still under load.
            vertx.setTimer(TimeUnit.SECONDS.toMillis(warmUp + measured) - 200, timer -> askCpu());
            for (int i = 0; i < CONNECTIONS; i++) {
                ask(over);
            }
        });
        over.await();
        Arrays.sort(nanos, 0, samples);
        long p99 = samples == 0 ? 0 : nanos[(int) (samples * 0.99)];
        System.out.printf(
                "%d %d %d %d%n", samples / measured, TimeUnit.NANOSECONDS.toMicros(p99), cpuNanosPerRequest, failures);
    }

    private void askCpu() {
        client.request(HttpMethod.GET, port, "127.0.0.1", HttpApplication.CPU)
                .compose(HttpClientRequest::send)
                .compose(HttpClientResponse::body)
                .onFailure(failure -> failures++)
                .onSuccess(body -> {
                    long cpu = Long.parseLong(body.toString());
                    if (firstCpu != 0) {
                        cpuNanosPerRequest = (cpu - firstCpu) / Math.max(1, answers - firstAnswers);
                    }
                    firstCpu = cpu;
                    firstAnswers = answers;
                });
    }

    private void ask(CountDownLatch over) {
        long began = System.nanoTime();
        if (began >= until) {
            over.countDown();
            return;
        }
        client.request(HttpMethod.GET, port, "127.0.0.1", "/orders/17")
                .compose(HttpClientRequest::send)
                .compose(HttpClientResponse::body)
                .onComplete(answer -> {
                    answered(began, answer.succeeded() ? answer.result() : null);
                    ask(over);
                });
    }

    private void answered(long began, @Nullable Buffer answer) {
        answers++;
        if (answer == null) {
            failures++;
        } else if (began >= from && samples < nanos.length) {
            nanos[samples++] = System.nanoTime() - began;
        }
    }
}
