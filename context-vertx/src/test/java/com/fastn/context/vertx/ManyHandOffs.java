package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextRuntime;
import com.fastn.context.LockGuard;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.ContextInternal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process of its own, as the size of its stacks is: one lock goes from hand to hand on event loops, each release asking
 * for nothing but the next. It prints how often.
 */
final class ManyHandOffs {
    private final FutureMutex<Object> mutex;
    private final List<ContextInternal> places = new ArrayList<>();
    private final AtomicLong elsewhere = new AtomicLong();
    private volatile CountDownLatch left = new CountDownLatch(0);

    private ManyHandOffs(FutureMutex<Object> mutex) {
        this.mutex = mutex;
    }

    /** Takes how many event loops, how many hand-offs on all of them in a round, and how many rounds. */
    public static void main(String[] args) throws InterruptedException {
        int loops = Integer.parseInt(args[0]);
        int handOffs = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(loops));
        ContextRuntime runtime = FastnVertx.install(vertx).runtime();
        ManyHandOffs all = new ManyHandOffs(FutureContext.of(runtime.root()).mutex("orders", new Object()));
        for (int loop = 0; loop < loops; loop++) {
            all.places.add((ContextInternal) vertx.getOrCreateContext());
        }
        long waited = 0;
        boolean done = true;
        for (int round = 0; done && round < rounds; round++) {
            waited += all.round(handOffs);
            done = all.left.await(120, TimeUnit.SECONDS);
        }
        System.out.println((done ? "handed over " : "left over " + all.left.getCount() + " of ") + waited
                + ", elsewhere " + all.elsewhere.get() + ", waiting " + all.mutex.waiters() + ", held by "
                + all.mutex.holder());
        System.exit(0);
    }

    /** {@return how many wait before the first of them is served} */
    @SuppressWarnings("MustBeClosedChecker") // closed once all have asked
    private int round(int handOffs) throws InterruptedException {
        left = new CountDownLatch(handOffs);
        LockGuard<Object> first = requireNonNull(mutex.tryLock(), "the lock is free");
        CountDownLatch asked = new CountDownLatch(places.size());
        for (ContextInternal place : places) {
            place.runOnContext(now -> {
                for (int i = 0; i < handOffs / places.size(); i++) {
                    ask(place);
                }
                asked.countDown();
            });
        }
        asked.await();
        int waited = mutex.waiters();
        first.close();
        return waited;
    }

    private void ask(ContextInternal place) {
        mutex.lock().onSuccess(guard -> {
            if (ContextInternal.current() != place) {
                elsewhere.incrementAndGet();
            }
            guard.close();
            left.countDown();
        });
    }
}
