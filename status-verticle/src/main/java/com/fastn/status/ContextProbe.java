package com.fastn.status;

import com.fastn.context.FastnContext;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Looks whether contexts stay with those who run in them: two branches run at once on duplicated Vert.x contexts of their own, each
 * in another context of ours, and each has to find its own again after every hop.
 *
 * <p>It opens no context and changes none, so nobody who watches the tree sees it.
 */
final class ContextProbe {
    private final Vertx vertx;
    private final Supplier<FastnContext> current;

    /**
     * Makes a probe.
     *
     * @param vertx where it runs
     * @param current tells the current context, which is what is looked at
     */
    ContextProbe(Vertx vertx, Supplier<FastnContext> current) {
        this.vertx = vertx;
        this.current = current;
    }

    /**
     * Looks.
     *
     * @param one what the first branch runs in
     * @param other what the second one runs in
     * @return completes with a part of a sentence for each hop after which a branch was in the wrong context
     */
    Future<List<String>> lost(FastnContext one, FastnContext other) {
        return Future.join(branch(one), branch(other)).map(both -> {
            List<String> all = new ArrayList<>();
            both.<List<String>>list().forEach(all::addAll);
            return all;
        });
    }

    private Future<List<String>> branch(FastnContext mine) {
        return Future.fromCompletionStage(mine.spawn(() -> hops(mine).toCompletionStage()));
    }

    private Future<List<String>> hops(FastnContext mine) {
        List<String> lost = new ArrayList<>();
        look(mine, "at its beginning", lost);
        return vertx.timer(1)
                .compose(rung -> {
                    look(mine, "after a timer", lost);
                    return vertx.executeBlocking(() -> noted(mine, "on a worker"), false);
                })
                .compose(onWorker -> {
                    if (onWorker != null) {
                        lost.add(onWorker);
                    }
                    look(mine, "after a worker", lost);
                    return fromAnotherThread();
                })
                .map(answered -> {
                    look(mine, "after an answer of another thread", lost);
                    return lost;
                });
    }

    /** As most clients answer: from a thread of theirs, by a promise of the context that asked. */
    private Future<Void> fromAnotherThread() {
        ContextInternal place = (ContextInternal) vertx.getOrCreateContext();
        Promise<Void> answer = place.promise();
        place.owner().createEventLoopContext().runOnContext(there -> answer.complete());
        return answer.future();
    }

    private void look(FastnContext mine, String when, List<String> lost) {
        String sentence = noted(mine, when);
        if (sentence != null) {
            lost.add(sentence);
        }
    }

    private @Nullable String noted(FastnContext mine, String when) {
        FastnContext found = current.get();
        return found == mine
                ? null
                : "\"" + Printable.line(mine.name()) + "\" was \"" + Printable.line(found.name()) + "\" " + when;
    }
}
