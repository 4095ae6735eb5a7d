package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A look at something that others answer for: when something changed in this node, when it is asked for, and each second for as
 * long as what was found says so. There is never more than one in a second, nor a second one before the first is answered. It
 * belongs to the Vert.x context that makes it.
 *
 * @param <T> what is found
 */
final class PacedLook<T> {
    private final Vertx vertx;
    private final Function<Runnable, Registration> changing;
    private final Supplier<Future<T>> look;
    private final Predicate<AsyncResult<T>> found;
    private final Ticker ticker;
    private final Context here;

    // Mutable state
    private @Nullable Registration changes;
    private long lookedNanos;
    private long timer = -1;
    private boolean timed;
    private boolean looking;
    private boolean asked;
    private boolean stopped;

    /**
     * Makes one that does nothing yet.
     *
     * @param changing takes what is to run when something changed, on any thread
     * @param look asks, and may be answered on any thread
     * @param found is told what was answered, and says whether to look again in a second though nobody asks
     */
    PacedLook(
            Vertx vertx,
            Function<Runnable, Registration> changing,
            Supplier<Future<T>> look,
            Predicate<AsyncResult<T>> found,
            Ticker ticker) {
        this.vertx = vertx;
        this.changing = changing;
        this.look = look;
        this.found = found;
        this.ticker = ticker;
        this.here = vertx.getOrCreateContext();
    }

    void start() {
        lookedNanos = ticker.nanos() - NodeWatch.PACE.toNanos();
        changes = changing.apply(() -> here.runOnContext(now -> ask()));
        ask();
    }

    /** Nothing is found any more after this. */
    void stop() {
        stopped = true;
        if (changes != null) {
            changes.close();
        }
        vertx.cancelTimer(timer);
    }

    /** Looks as soon as that is due. */
    void ask() {
        if (stopped || timed) {
            return;
        }
        if (looking) {
            asked = true;
            return;
        }
        long rest = NodeWatch.PACE.toNanos() - (ticker.nanos() - lookedNanos);
        if (rest > 0) {
            lookIn(Math.max(1, rest / 1_000_000));
        } else {
            lookNow();
        }
    }

    private void lookIn(long millis) {
        if (timed) {
            return;
        }
        timed = true;
        timer = vertx.setTimer(millis, id -> {
            timed = false;
            if (!stopped) {
                lookNow();
            }
        });
    }

    private void lookNow() {
        lookedNanos = ticker.nanos();
        looking = true;
        asked = false;
        Future<T> answer;
        try {
            answer = look.get();
        } catch (RuntimeException e) {
            answer = Future.failedFuture(e);
        }
        answer.onComplete(done -> here.runOnContext(now -> onFound(done)));
    }

    private void onFound(AsyncResult<T> done) {
        looking = false;
        if (stopped) {
            return;
        }
        if (found.test(done)) {
            lookIn(NodeWatch.PACE.toMillis());
        } else if (asked) {
            ask();
        }
    }
}
