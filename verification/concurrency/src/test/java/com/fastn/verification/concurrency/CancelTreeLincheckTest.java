package com.fastn.verification.concurrency;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.status.ContextState;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jetbrains.lincheck.datastructures.verifier.EpsilonVerifier;
import org.junit.jupiter.api.Test;

/**
 * A child is never alive and detached from a cancelled ancestor, in whatever order opening, closing and cancelling meet (C1).
 *
 * <p>Only the outcome is judged: while a cancellation runs, one child may be seen cancelled and its sibling not yet.
 */
public class CancelTreeLincheckTest {
    private final FastnContext root = ContextRuntime.builder()
            .alias("model")
            .ticker(new ManualTicker(Instant.EPOCH))
            .build()
            .root();
    private final FastnContext top = root.child("top").open();
    private final FastnContext middle = top.child("middle").open();
    private final Queue<FastnContext> below = new ConcurrentLinkedQueue<>();

    /** Cancels from the top. */
    @Operation
    public void cancelTop() {
        top.cancel();
    }

    /** Cancels from the middle. */
    @Operation
    public void cancelMiddle() {
        middle.cancel();
    }

    /** Opens a child of the top. */
    @Operation
    public void openBelowTop() {
        below.add(top.child("child").open());
    }

    /** Opens a child of the middle. */
    @Operation
    public void openBelowMiddle() {
        below.add(middle.child("child").open());
    }

    /** Closes the middle, which stays in the tree while it has children. */
    @Operation
    public void closeMiddle() {
        middle.close();
    }

    /** Closes the child that was opened first of those that are left. */
    @Operation
    public void closeOldest() {
        FastnContext oldest = below.poll();
        if (oldest != null) {
            oldest.close();
        }
    }

    /** At rest, who has a cancelled parent is cancelled, and who is open is reached from the root. */
    @Validate
    public void nobodyIsAliveAndDetached() {
        for (FastnContext context : below) {
            FastnContext parent = context.parent();
            if (parent == null || (parent.isCancelled() && !context.isCancelled())) {
                throw new IllegalStateException(context + " is alive below the cancelled " + parent);
            }
            boolean open = context.state() != ContextState.CLOSED;
            if (open != parent.children().contains(context)) {
                throw new IllegalStateException(
                        context + " and its parent disagree; its siblings are " + parent.children());
            }
        }
        if (top.isCancelled() && !middle.isCancelled() && middle.state() != ContextState.CLOSED) {
            throw new IllegalStateException(middle + " is alive below the cancelled " + top);
        }
    }

    @Test
    void C1_inEveryOrderOfStepsNobodyIsAliveAndDetached() {
        new ModelCheckingOptions()
                .threads(3)
                .actorsPerThread(2)
                .iterations(Scale.times(15))
                .invocationsPerIteration(400)
                .verifier(EpsilonVerifier.class)
                .check(CancelTreeLincheckTest.class);
    }

    @Test
    void C1_underRealThreadsNobodyIsAliveAndDetached() {
        new StressOptions()
                .threads(3)
                .actorsPerThread(3)
                .iterations(Scale.times(10))
                .invocationsPerIteration(2_000)
                .verifier(EpsilonVerifier.class)
                .check(CancelTreeLincheckTest.class);
    }
}
