package com.fastn.verification.cluster;

import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.PermitGuard;
import com.fastn.context.vertx.FutureContext;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one node has of a scenario: contexts and locks whose names end with the number of the scenario, and how all of it is
 * taken back.
 */
@SuppressWarnings("MustBeClosedChecker") // that nobody closes is the fault; end() does
final class Scene {
    private final long number;
    private final FutureContext verticle;
    private final Map<String, FastnContext> contexts = new ConcurrentHashMap<>();
    private final Deque<Runnable> ends = new ArrayDeque<>();
    private final CountDownLatch over = new CountDownLatch(1);
    private @Nullable FastnContext me;

    Scene(long number, FutureContext verticle) {
        this.number = number;
        this.verticle = verticle;
    }

    /** Has a root, now, in a context that is to be stuck behind it. */
    void plant(Root root, FastnContext stuck) {
        me = stuck;
        root.plant(this);
    }

    /** Takes everything back: whoever waited goes on, whoever was there is gone. */
    void end() {
        over.countDown();
        contexts.values().forEach(context -> context.cancel("the scenario is over"));
        for (Runnable next = nextEnd(); next != null; next = nextEnd()) {
            next.run();
        }
        contexts.values().forEach(FastnContext::close);
    }

    void atEnd(Runnable end) {
        synchronized (ends) {
            ends.push(end);
        }
    }

    private @Nullable Runnable nextEnd() {
        synchronized (ends) {
            return ends.poll();
        }
    }

    // --- who is there

    /** The context that is to be stuck. */
    static final String ME = "me";

    FastnContext at(String name) {
        return name.equals(ME) && me != null
                ? me
                : contexts.computeIfAbsent(
                        name, n -> FastnContext.global().child(named(n)).open());
    }

    private String named(String name) {
        return name + "-" + number;
    }

    private static <T> T in(FastnContext context, Supplier<T> code) {
        try (ContextScope ignored = context.makeCurrent()) {
            return code.get();
        }
    }

    // --- what they do

    void inside(String who, String operation) {
        var running = at(who).operation(operation);
        atEnd(running::close);
    }

    void takes(String who, String mutex) {
        wants(who, mutex);
    }

    /** Has the lock at once when nobody else has it. */
    void wants(String who, String mutex) {
        closedAtEnd(in(at(who), () -> mutex(mutex).lock()));
    }

    void reads(String who, String lock) {
        closedAtEnd(in(at(who), () -> table(lock).readLock()));
    }

    void writes(String who, String lock) {
        closedAtEnd(in(at(who), () -> table(lock).writeLock()));
    }

    void permits(String who, String semaphore, int count) {
        closedAtEnd(in(at(who), () -> connections(semaphore).acquire(count)));
    }

    /** Each holds the mutex of its name by {@code withLock} and waits inside of it for that of the next. */
    void ring(String... names) {
        List<CompletionStage<LockGuard<String>>> before = Stream.of(names)
                .<CompletionStage<LockGuard<String>>>map(name -> mutex(name).lock())
                .toList();
        for (int i = 0; i < names.length; i++) {
            FastnContext who = at(names[i]);
            ContextMutex<String> own = mutex(names[i]);
            ContextMutex<String> other = mutex(names[(i + 1) % names.length]);
            begun(in(who, () -> own.<String>withLock(v -> in(who, () -> other.<String>withLock(w -> done())))));
        }
        // Until now, so that nobody got through alone.
        before.forEach(taken -> taken.thenAccept(LockGuard::close));
    }

    /** Each holds one of the two permits and waits inside of it for another. */
    void knot(String semaphore, String... names) {
        ContextSemaphore permits = connections(semaphore);
        CompletionStage<PermitGuard> before = permits.acquire(2);
        for (String name : names) {
            FastnContext who = at(name);
            begun(in(
                    who,
                    () -> permits.<String>withPermit(() -> in(who, () -> permits.<String>withPermit(Scene::done)))));
        }
        before.thenAccept(PermitGuard::close);
    }

    void ends(String who) {
        at(who).close();
    }

    void cancelled(String who, String why) {
        at(who).cancel(why);
    }

    /** Something that the explanation has to find below a context by itself. */
    void insideOfChild(String of, String child, String operation) {
        contexts.computeIfAbsent(
                of + "/" + child, n -> at(of).child(named(child)).open());
        inside(of + "/" + child, operation);
    }

    /** On a thread of its own until the end, which is no thread of Vert.x. */
    void computes(String who) {
        onThread(who, () -> {});
    }

    void blocksIn(String who, String mutex) {
        onThread(who, () -> {
            try (var guard = mutex(mutex).lockBlocking()) {
                guard.lockName();
            }
        });
    }

    private void onThread(String who, Runnable first) {
        FastnContext context = at(who);
        Thread thread = new Thread(
                () -> {
                    try (ContextScope ignored = context.makeCurrent()) {
                        first.run();
                        standStill();
                    } catch (RuntimeException e) {
                        // The end: what it waited for was cancelled.
                    }
                },
                named(who));
        thread.setDaemon(true);
        thread.start();
    }

    /** Blocks the thread of the caller: the event loop of the verticle. */
    void blocksItsLoop() {
        standStill();
    }

    /** Fills the default worker pool with tasks that are inside of an operation until the end. */
    void fillsWorkers(String who, String operation) {
        fillWorkers(who, () -> {
            var running = FastnContext.current().operation(operation);
            atEnd(running::close);
            standStill();
        });
    }

    /** Fills the default worker pool with tasks that block in a mutex. */
    void fillsWorkersThatBlockIn(String who, String mutex) {
        fillWorkers(who, () -> {
            try (var guard = mutex(mutex).lockBlocking()) {
                guard.lockName();
            }
        });
    }

    private void fillWorkers(String who, Runnable task) {
        for (int i = 1; i <= ChainNode.WORKERS; i++) {
            begun(verticle.child(named(who + i)).spawnBlocking(() -> {
                task.run();
                return "done";
            }));
        }
    }

    /** A child that has a task for the default worker pool. */
    void wantsWorker(String who, String child) {
        begun(at(who).child(named(child)).spawnBlocking(() -> "done"));
    }

    private void standStill() {
        try {
            over.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // --- the pieces

    ContextMutex<String> mutex(String name) {
        return FastnContext.global().mutex(named(name), "v");
    }

    private ContextReadWriteLock<String> table(String name) {
        return FastnContext.global().readWriteLock(named(name), "v");
    }

    private ContextSemaphore connections(String name) {
        return FastnContext.global().semaphore(named(name), 2);
    }

    private void closedAtEnd(CompletionStage<? extends AutoCloseable> taken) {
        atEnd(() -> begun(taken.thenAccept(Scene::close)));
    }

    private static void close(AutoCloseable guard) {
        try {
            guard.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static CompletionStage<String> done() {
        return CompletableFuture.completedFuture("done");
    }

    private static void begun(Object unused) {
        // What it comes to is seen in the status, or fails at the end of the scenario.
    }
}
