package com.fastn.context.vertx;

import com.fastn.context.FastnContext;
import com.fastn.context.status.CancelReason;
import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import java.util.ArrayList;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The cancellation of a context as a future of one Vert.x context. What shows it there hangs on the context for as long as that
 * lives, so whoever asks again and again, as in a loop, is given the same.
 */
record ShownCancellation(
        FastnContext context,
        ContextInternal place,
        CompletionStage<CancelReason> stage,
        Future<CancelReason> future,
        @Nullable ShownCancellation before) {
    /** So many contexts at a time one place may ask about again and again. */
    private static final int MOST = 16;

    static Future<CancelReason> of(FastnContext context) {
        ContextInternal here = ContextInternal.current();
        ShownCancellation last = here == null ? null : ContextSlot.cancellation(here);
        for (ShownCancellation known = last; known != null; known = known.before) {
            // A duplicate has a copy of what was asked for elsewhere.
            if (known.context == context && known.place == here) {
                return known.future;
            }
        }
        CompletionStage<CancelReason> stage = context.cancellation();
        Future<CancelReason> future = Futures.of(stage);
        if (here != null) {
            ContextSlot.keep(here, new ShownCancellation(context, here, stage, future, stillOfUse(last, here)));
        }
        return future;
    }

    /** Of those that were asked for before, the last few of this place that are not over. */
    private static @Nullable ShownCancellation stillOfUse(@Nullable ShownCancellation last, ContextInternal here) {
        ArrayList<ShownCancellation> kept = new ArrayList<>();
        for (ShownCancellation known = last; known != null && kept.size() < MOST - 1; known = known.before) {
            if (known.place == here && !known.future.isComplete()) {
                kept.add(known);
            }
        }
        ShownCancellation chain = null;
        for (int i = kept.size() - 1; i >= 0; i--) {
            ShownCancellation each = kept.get(i);
            chain = new ShownCancellation(each.context, each.place, each.stage, each.future, chain);
        }
        return chain;
    }

    /** The stage of a future: of one that shows a cancellation that cancellation, on which no wait leaves anything. */
    @SuppressWarnings("unchecked") // the very future that is asked about shows it
    static <T extends @Nullable Object> CompletionStage<T> stageOf(Future<T> future) {
        ContextInternal here = ContextInternal.current();
        for (ShownCancellation known = here == null ? null : ContextSlot.cancellation(here);
                known != null;
                known = known.before) {
            if (known.future == (Future<?>) future) {
                return (CompletionStage<T>) known.stage;
            }
        }
        return future.toCompletionStage();
    }
}
