package com.fastn.context.vertx;

import io.vertx.core.Vertx;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A thread on which a Vertx can be made that gets no contexts: the services that Vert.x calls while it is made ask for it. */
final class UnobservedThread extends Thread {
    private UnobservedThread(Runnable task) {
        super(task, "fastn-unobserved-vertx");
        setDaemon(true);
    }

    static boolean isCurrent() {
        return Thread.currentThread() instanceof UnobservedThread;
    }

    static Vertx make(Supplier<Vertx> maker) {
        AtomicReference<@Nullable Vertx> made = new AtomicReference<>();
        AtomicReference<@Nullable Throwable> failed = new AtomicReference<>();
        UnobservedThread thread = new UnobservedThread(() -> {
            try {
                made.set(maker.get());
            } catch (Throwable t) {
                failed.set(t);
            }
        });
        thread.start();
        joinUninterruptibly(thread);
        Vertx vertx = made.get();
        if (vertx == null) {
            throw new IllegalStateException("the Vertx could not be made", failed.get());
        }
        return vertx;
    }

    /** The Vertx would be lost, and its threads with it, if its maker did not wait for it. */
    private static void joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
