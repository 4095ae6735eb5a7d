package com.fastn.context.engine;

import com.fastn.context.ContextEngine;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One running of a {@code withLock}. It is kept by the thread that runs the work until that has given its stage: what asks
 * for a lock there asks inside of this scope. What runs later may belong to any branch, and is not taken for a part of it,
 * unless a binding says that it is.
 */
final class Scope implements ContextEngine.LockScope, BiConsumer<@Nullable Object, @Nullable Throwable> {
    final Grant<?> grant;
    final @Nullable Scope outer;

    /** The code of the work; a {@link Taken} of it once a binding knows what is inside. */
    private Object work;

    /** Null, then what the work gave, then {@link End#OVER}. */
    private volatile @Nullable Object end;

    /** What ends with the scope. */
    private @Nullable Pending<?> result;

    private record Taken(Object code) {}

    private enum End {
        OVER
    }

    Scope(Grant<?> grant, @Nullable Scope outer, Object work) {
        this.grant = grant;
        this.outer = outer;
        this.work = work;
    }

    /** The work has given what ends the scope, and with it a result. */
    void given(CompletionStage<?> stage, Pending<?> ends) {
        result = ends;
        end = stage;
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

    /** {@return what ends the scope, or {@code null} before the work has given it and after it has ended} */
    @Nullable
    CompletionStage<?> end() {
        return end instanceof CompletionStage<?> stage ? stage : null;
    }

    /** It has ended: nothing leads to what the work gave any longer. {@return what ends with it} */
    @Nullable
    Pending<?> ended() {
        end = End.OVER;
        Pending<?> ends = result;
        result = null;
        return ends;
    }

    /** What the work gave is over. */
    @Override
    public void accept(@Nullable Object value, @Nullable Throwable failure) {
        grant.lock.scopeEnded(this, value, failure);
    }

    /** How many permits of a lock the scopes on this thread hold. */
    static int heldBy(@Nullable Scope innermost, FifoLock<?> lock) {
        int held = 0;
        for (Scope scope = innermost; scope != null; scope = scope.outer) {
            if (scope.grant.lock == lock) {
                held += scope.grant.permits();
            }
        }
        return held;
    }

    /** The innermost scope of a lock that still holds some of it. */
    static @Nullable Scope of(@Nullable Scope innermost, FifoLock<?> lock) {
        Scope scope = innermost;
        while (scope != null && (scope.grant.lock != lock || scope.grant.permits() == 0)) {
            scope = scope.outer;
        }
        return scope;
    }

    /** How many scopes there are from the innermost to another one, both included. */
    static int depth(Scope innermost, Scope to) {
        int depth = 1;
        for (Scope scope = innermost; scope != to && scope.outer != null; scope = scope.outer) {
            depth++;
        }
        return depth;
    }

    /** Where it was begun, as well as that is known. */
    String place() {
        String place = Places.describe(grant.place);
        if (place != null) {
            return "at " + place;
        }
        Object given = work instanceof Taken taken ? taken.code : work;
        String code = given.getClass().getName();
        int lambda = code.indexOf("$$Lambda");
        return "by code of " + (lambda < 0 ? code : code.substring(0, lambda));
    }
}
