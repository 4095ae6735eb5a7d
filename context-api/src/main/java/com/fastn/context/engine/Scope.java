package com.fastn.context.engine;

import com.fastn.context.ContextEngine;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One running of a {@code withLock}. It is kept by the thread that runs the work until that has given its stage: what asks
 * for a lock there asks inside of this scope. What runs later may belong to any branch, and is not taken for a part of it,
 * unless a binding says that it is.
 */
final class Scope implements ContextEngine.LockScope {
    final Grant<?> grant;
    final @Nullable Scope outer;
    private Object work;

    // Written before anybody can ask inside.
    private volatile boolean taken;

    private volatile @Nullable CompletionStage<?> end;

    // Written after the stage, and stays when that is let go.
    private volatile boolean given;

    Scope(Grant<?> grant, @Nullable Scope outer, Object work) {
        this.grant = grant;
        this.outer = outer;
        this.work = work;
    }

    /** The work has given what ends the scope. */
    void given(CompletionStage<?> stage) {
        end = stage;
        given = true;
    }

    /**
     * A binding knows from now on what is inside, whatever thread that runs on, and says so only of what the work waits for.
     */
    void taken(Object code) {
        work = code;
        taken = true;
    }

    boolean isTaken() {
        return taken;
    }

    /** {@return whether the work has given its stage, so that its thread is no longer in it} */
    boolean isGiven() {
        return given;
    }

    /** {@return what ends the scope, or {@code null} before the work has given it and after it has ended} */
    @Nullable
    CompletionStage<?> end() {
        return end;
    }

    /** It has ended: nothing leads to what the work gave any longer. */
    void ended() {
        end = null;
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
        String code = work.getClass().getName();
        int lambda = code.indexOf("$$Lambda");
        return "by code of " + (lambda < 0 ? code : code.substring(0, lambda));
    }
}
