package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextEngine;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One running of a {@code withLock}. It is kept by the thread that runs the work until that has given its stage: what asks
 * for a lock there asks inside of this scope. What runs later may belong to any branch, and is not taken for a part of it,
 * unless a binding says that it is.
 */
class Scope implements ContextEngine.LockScope, BiConsumer<@Nullable Object, @Nullable Throwable> {
    final Grant<?> grant;

    /** The scope inside of which its lock was asked for; let go at the end, for nothing ends with it any more. */
    private @Nullable Scope outer;

    /**
     * The code of the work. In front of it, while that runs, what is known of {@link ShownStages}; a {@link Taken} of it once a
     * binding knows what is inside.
     */
    private Object work;

    /** Null, then what the work gave, then {@link End#OVER}. */
    private volatile @Nullable Object end;

    /** What ends with the scope. */
    private @Nullable Pending<?> result;

    private record Taken(Object code) {}

    private record Shown(Object behind, Pending<?> stage, Object as) {}

    private enum End {
        OVER
    }

    Scope(Grant<?> grant, @Nullable Scope outer, Object work) {
        this.grant = grant;
        this.outer = outer == null || outer.isOver() ? null : outer;
        this.work = work;
    }

    /** One whose lock had to be waited for: its work is not called by that of the outer scope, which may be over by now. */
    static final class Later extends Scope {
        Later(Grant<?> grant, @Nullable Scope outer, Object work) {
            super(grant, outer, work);
        }

        @Override
        boolean isCalledByOuter() {
            return false;
        }
    }

    /** What a {@code withLock} does with the code that it was given and the grant; it captures nothing, so it costs nothing. */
    interface Work<C, T extends @Nullable Object, R extends @Nullable Object> {
        @Nullable
        CompletionStage<R> run(C code, Grant<T> grant);
    }

    /**
     * Runs the work.
     *
     * @param held what the scope has
     * @param asked what is to end with it, or null if nobody has that yet
     * @return what ends with it
     */
    <C, T extends @Nullable Object, R extends @Nullable Object> CompletionStage<R> run(
            Grant<T> held, C code, Work<? super C, T, R> work, @Nullable Pending<R> asked) {
        ThreadLocal<@Nullable Scope> scopes = held.lock.runtime().scopes();
        Scope before = scopes.get();
        CompletionStage<R> done;
        scopes.set(this);
        try {
            done = requireNonNull(work.run(code, held), "the work gave no stage");
        } catch (Throwable t) {
            var unused = ended();
            if (asked != null) {
                end(held, asked, null, t);
                return asked;
            }
            held.lock.tryRelease(held);
            return failed(t);
        } finally {
            scopes.set(before);
        }
        if (asked == null && hasValue(done)) {
            // Of what is over nothing has to be made.
            var unused = ended();
            held.lock.tryRelease(held);
            return done;
        }
        Pending<R> result = asked == null ? new Pending<>(this) : asked;
        given(done, result);
        try {
            done.whenComplete(this);
        } catch (Throwable t) {
            // A stage that is not the platform's own; nobody would release any more.
            var unused = ended();
            end(held, result, null, t);
        }
        return result;
    }

    private static <R extends @Nullable Object> Pending<R> failed(Throwable failure) {
        Pending<R> result = new Pending<>(null);
        result.fail(failure);
        return result;
    }

    /** Whether a stage has a value, and is the platform's own, so that it makes no difference to give it on. */
    private static boolean hasValue(CompletionStage<?> stage) {
        return stage.getClass() == CompletableFuture.class
                && stage instanceof CompletableFuture<?> future
                && future.isDone()
                && !future.isCompletedExceptionally();
    }

    /** Whether the thread that is in its work, before that has given its stage, is in the work of the outer scope too. */
    boolean isCalledByOuter() {
        return !isTaken();
    }

    @Nullable
    Scope outer() {
        return outer;
    }

    /**
     * The outer scope, if it provably ends no earlier than this one does.
     *
     * @param onThread whether it is known that a thread is in the work of this one at this moment
     */
    @Nullable
    Scope outerThatWaits(boolean onThread) {
        Scope around = outer;
        if (around == null) {
            return null;
        }
        boolean waits = around.isTaken()
                || (onThread && isCalledByOuter() && !around.isGiven())
                || Pending.sourceOf(around.end()) == this;
        return waits ? around : null;
    }

    /** The work has given what ends the scope, and with it a result. */
    void given(CompletionStage<?> stage, Pending<?> ends) {
        if (work instanceof Shown) {
            work = code();
        }
        result = ends;
        end = stage;
    }

    void shown(Pending<?> stage, Object as) {
        work = new Shown(work, stage, as);
    }

    @Nullable
    Pending<?> shownAs(Object form) {
        for (Object at = work; at instanceof Shown shown; at = shown.behind) {
            if (shown.as == form) {
                return shown.stage;
            }
        }
        return null;
    }

    private Object code() {
        Object at = work;
        while (at instanceof Shown shown) {
            at = shown.behind;
        }
        return at instanceof Taken taken ? taken.code : at;
    }

    /**
     * A binding knows from now on what is inside, whatever thread that runs on, and says so only of what the work waits for.
     * Whoever asks inside learned of the scope from it, and so sees this.
     */
    void taken(Object code) {
        work = new Taken(code);
    }

    boolean isTaken() {
        return work instanceof Taken;
    }

    /** {@return whether the work has given its stage, so that its thread is no longer in it} */
    boolean isGiven() {
        return end != null;
    }

    private boolean isOver() {
        return end == End.OVER;
    }

    /** {@return what ends the scope, or {@code null} before the work has given it and after it has ended} */
    @Nullable
    CompletionStage<?> end() {
        return end instanceof CompletionStage<?> stage ? stage : null;
    }

    /** It has ended: nothing leads to what the work gave any longer. {@return what ends with it} */
    @Nullable
    Pending<?> ended() {
        end = End.OVER;
        outer = null;
        Pending<?> ends = result;
        result = null;
        return ends;
    }

    /** What the work gave is over: releases what the scope held, and then ends its result as the work did. */
    @Override
    public void accept(@Nullable Object value, @Nullable Throwable failure) {
        @SuppressWarnings("unchecked") // a scope has the result of the type of its work
        Pending<Object> ends = (Pending<Object>) ended();
        end(grant, ends, value, failure == null ? null : Stages.unwrap(failure));
    }

    /** Releases, and tells of the end before those who have the lock then go on here: one of them may block. */
    private static <T extends @Nullable Object, R extends @Nullable Object> void end(
            Grant<T> grant, @Nullable Pending<R> ends, @Nullable R value, @Nullable Throwable failure) {
        FifoLock<T> lock = grant.lock;
        Waiter<T> served = lock.takeBack(grant);
        if (served == null) {
            tell(ends, value, failure);
            return;
        }
        Trampoline trampoline = lock.runtime().trampoline();
        trampoline.hold();
        try {
            HandOff.tellServed(served);
            tell(ends, value, failure);
        } finally {
            trampoline.go();
        }
    }

    @SuppressWarnings("NullAway") // a stage that did not fail has a value of its type, null only where the type says so
    private static <R extends @Nullable Object> void tell(
            @Nullable Pending<R> ends, @Nullable R value, @Nullable Throwable failure) {
        if (ends == null) {
            return;
        }
        if (failure == null) {
            ends.end(value);
        } else {
            ends.fail(failure);
        }
    }

    /** How many permits of a lock the scopes around the one who asks hold, as far as one may think. */
    static int heldBy(@Nullable Scope innermost, FifoLock<?> lock) {
        int held = 0;
        for (Scope scope = innermost; scope != null; scope = scope.outer) {
            if (scope.grant.lock == lock) {
                held += scope.grant.permits();
            }
        }
        return held;
    }

    /** Where it was begun, as well as that is known. */
    String place() {
        String place = Places.describe(grant.place);
        if (place != null) {
            return "at " + place;
        }
        String code = code().getClass().getName();
        int lambda = code.indexOf("$$Lambda");
        return "by code of " + (lambda < 0 ? code : code.substring(0, lambda));
    }
}
