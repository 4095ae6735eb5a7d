package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Stages of locks that a binding shows in a form of its own, as a future of another library. While the work of a {@code
 * withLock} runs, it is kept which form shows which stage. So work that gives such a form is known to wait for what the stage
 * waits for, and a deadlock of it is proven and not only suspected.
 *
 * <p>Threads: all of it is about the calling thread, and about the work that runs there.
 */
public final class ShownStages {
    private ShownStages() {}

    /**
     * A stage is shown in another form. Without effect where no work of a {@code withLock} runs, or the stage waits for none.
     *
     * @param runtime the runtime of the lock
     * @param stage the stage
     * @param as the form, which completes no earlier than the stage does
     */
    public static void shown(ContextRuntime runtime, CompletionStage<?> stage, Object as) {
        requireNonNull(as, "as");
        Scope scope = scope(runtime);
        if (scope != null && stage instanceof Pending<?> pending && !pending.isDone()) {
            scope.shown(pending, as);
        }
    }

    /**
     * A form is made of another one.
     *
     * @param runtime the runtime of the lock
     * @param of a form that may be one of those that are known
     * @param as one that completes no earlier
     */
    public static void shownToo(ContextRuntime runtime, Object of, Object as) {
        requireNonNull(as, "as");
        Scope scope = scope(runtime);
        Pending<?> known = scope == null ? null : scope.shownAs(of);
        if (scope != null && known != null) {
            scope.shown(known, as);
        }
    }

    /**
     * Finds what a form shows.
     *
     * @param runtime the runtime of the lock
     * @param as the form
     * @param whenOver says to whom the end of the form is to be told; it is called at once, if anything is known
     * @param <R> the type of the result
     * @return a stage that ends as the form does, and of which is known what it waits for; or {@code null}
     */
    public static <R extends @Nullable Object> @Nullable CompletionStage<R> find(
            ContextRuntime runtime, Object as, Consumer<BiConsumer<R, @Nullable Throwable>> whenOver) {
        Scope scope = scope(runtime);
        Pending<?> known = scope == null ? null : scope.shownAs(as);
        if (known == null) {
            return null;
        }
        Pending<R> stage = Pending.beside(known);
        whenOver.accept((value, failure) -> {
            boolean ended = failure == null ? stage.end(value) : stage.fail(failure);
            assert ended : "a form ended twice";
        });
        return stage;
    }

    /**
     * Tells who waits in the queue of a lock, if anybody does who would leave it when a stage was given up.
     *
     * @param stage a stage that a lock gave
     * @return the context that waits, or {@code null} where the lock was granted by now or the stage is none of a lock
     */
    public static @Nullable FastnContext waiting(CompletionStage<?> stage) {
        Waiter<?> waiter = stage instanceof Pending<?> pending ? pending.ownWaiter() : null;
        return waiter == null ? null : waiter.by;
    }

    private static @Nullable Scope scope(ContextRuntime runtime) {
        Scope scope = runtime instanceof EngineRuntime mine ? mine.scopes().get() : null;
        return scope == null || scope.isTaken() ? null : scope;
    }
}
