package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextRuntime;
import com.fastn.context.LockGuard;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process of its own, as the size of its stacks is: one lock goes from hand to hand on event loops, each release asking
 * for nothing but the next. It prints how often.
 */
final class ManyHandOffs {
    private final FutureMutex<Object> mutex;
    private final CountDownLatch left;
    private final AtomicLong elsewhere = new AtomicLong();

    private ManyHandOffs(FutureMutex<Object> mutex, int handOffs) {
        this.mutex = mutex;
        this.left = new CountDownLatch(handOffs);
    }

    /** Takes how many event loops, and how many hand-offs on all of them. */
    @SuppressWarnings("MustBeClosedChecker") // closed once all have asked
    public static void main(String[] args) throws InterruptedException {
        int loops = Integer.parseInt(args[0]);
        int handOffs = Integer.parseInt(args[1]);
        Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(loops));
        ContextRuntime runtime = FastnVertx.install(vertx).runtime();
        ManyHandOffs all = new ManyHandOffs(FutureContext.of(runtime.root()).mutex("orders", new Object()), handOffs);
        LockGuard<Object> first = requireNonNull(all.mutex.tryLock(), "the lock is free");
        CountDownLatch asked = new CountDownLatch(loops);
        for (int loop = 0; loop < loops; loop++) {
            ContextInternal place = (ContextInternal) vertx.getOrCreateContext();
            place.runOnContext(now -> {
                for (int i = 0; i < handOffs / loops; i++) {
                    all.ask(place);
                }
                asked.countDown();
            });
        }
        asked.await();
        int waited = all.mutex.waiters();
        first.close();
        boolean done = all.left.await(120, TimeUnit.SECONDS);
        System.out.println((done ? "handed over " : "left over " + all.left.getCount() + " of ") + waited
                + ", elsewhere " + all.elsewhere.get() + ", waiting " + all.mutex.waiters() + ", held by "
                + all.mutex.holder());
        System.exit(0);
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
