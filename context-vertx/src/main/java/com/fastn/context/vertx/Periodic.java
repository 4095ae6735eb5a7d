package com.fastn.context.vertx;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.status.ContextState;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.function.Function;

/** A piece of work that is repeated, each time in a short child. */
final class Periodic {
    private final FutureContext context;
    private final Duration every;
    private final String name;
    private final Function<? super FutureContext, ? extends Future<?>> tick;
    private volatile Runnable takeBack = () -> {};
    private volatile boolean ended;

    private Periodic(
            FutureContext context,
            Duration every,
            String name,
            Function<? super FutureContext, ? extends Future<?>> tick) {
        this.context = context;
        this.every = every;
        this.name = name;
        this.tick = tick;
    }

    static Registration start(
            FutureContext context,
            Duration every,
            String name,
            Function<? super FutureContext, ? extends Future<?>> tick) {
        Duration bounded = VertxCalls.bounded(every);
        if (bounded.toMillis() < 1) {
            throw new IllegalArgumentException(
                    "\"" + name + "\" cannot be repeated every " + every + "; a millisecond is the shortest time");
        }
        Periodic periodic = new Periodic(context, bounded, name, tick);
        periodic.schedule(bounded.toNanos());
        return periodic::end;
    }

    private void end() {
        ended = true;
        takeBack.run();
    }

    private void schedule(long inNanos) {
        // The timer of a cancelled context is taken back, and so the repetition ends.
        VertxCalls.Timer timer = VertxCalls.timer(context.context(), Duration.ofNanos(inNanos));
        takeBack = timer.takeBack();
        if (ended) {
            // Ended in the meantime, by somebody who could take back the one before only.
            takeBack.run();
        }
        // The last thing: what is due at once begins the next one.
        timer.future().onSuccess(due -> run());
    }

    private void run() {
        FastnContext parent = context.context();
        if (ended || parent.state() != ContextState.ACTIVE) {
            return;
        }
        Duration began = parent.duration();
        context.child(name)
                .<Object>run(child -> Futures.given(tick.apply(child)).map(done -> (Object) name))
                .onComplete(done -> {
                    if (done.failed() && !(done.cause() instanceof ContextCancelledException)) {
                        parent.incrementTotal("failed_ticks");
                    }
                    if (!ended) {
                        long took = parent.duration().minus(began).toNanos();
                        schedule(every.toNanos() - took % every.toNanos());
                    }
                });
    }
}
