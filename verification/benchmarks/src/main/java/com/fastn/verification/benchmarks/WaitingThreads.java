package com.fastn.verification.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** As many threads as there are waiters, each of which takes its turn some times. */
@State(Scope.Thread)
public class WaitingThreads {
    static final int TIMES = 20;

    private ExecutorService threads = Executors.newFixedThreadPool(HandOffBenchmark.WAITERS);

    /** Takes others for the next row. */
    @Setup
    public void open() {
        close();
        threads = Executors.newFixedThreadPool(HandOffBenchmark.WAITERS);
    }

    @TearDown
    public void close() {
        threads.shutdown();
    }

    /** Has each thread do it {@link #TIMES} times, and waits for all of them. */
    void run(Runnable turn) {
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < HandOffBenchmark.WAITERS; i++) {
            all.add(CompletableFuture.runAsync(
                    () -> {
                        for (int k = 0; k < TIMES; k++) {
                            turn.run();
                        }
                    },
                    threads));
        }
        CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
    }
}
