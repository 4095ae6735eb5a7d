package com.fastn.verification.concurrency;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import com.fastn.context.engine.Crowd;
import com.fastn.context.status.ContextState;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;

/**
 * A tree that is opened, closed and cancelled from all sides, and what has to hold of it at rest.
 *
 * <p>Only the outcome is judged: while a cancellation runs, one child may be seen cancelled and its sibling not yet.
 */
public abstract class CancelTreeModel {
    private final FastnContext root = ContextRuntime.builder()
            .alias("model")
            .ticker(new ManualTicker(Instant.EPOCH))
            .build()
            .root();
    private final FastnContext top = root.child("top").open();
    private final FastnContext middle = top.child("middle").open();
    private final Queue<FastnContext> opened = new ConcurrentLinkedQueue<>();
    private final Queue<FastnContext> toClose = new ConcurrentLinkedQueue<>();

    /** Makes the tree, with parents that several threads were seen at if it says so. */
    CancelTreeModel(boolean crowded) {
        if (crowded) {
            Crowd.spread(top);
            Crowd.spread(middle);
        }
    }

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
        remember(top.child("child").open());
    }

    /** Opens a child of the middle. */
    @Operation
    public void openBelowMiddle() {
        remember(middle.child("child").open());
    }

    private void remember(FastnContext child) {
        opened.add(child);
        toClose.add(child);
    }

    /** Closes the middle, which stays in the tree while it has children. */
    @Operation
    public void closeMiddle() {
        middle.close();
    }

    /** Closes the child that was opened first of those that are left. */
    @Operation
    public void closeOldest() {
        FastnContext oldest = toClose.poll();
        if (oldest != null) {
            oldest.close();
        }
    }

    /** At rest, who has a cancelled parent is cancelled, who is open is reached from the root, and who is not is let go. */
    @Validate
    public void nobodyIsAliveAndDetached() {
        check(middle, top);
        for (FastnContext child : opened) {
            check(child, requireNonNull(child.parent(), "parent"));
        }
        if (middle.state() == ContextState.CLOSING && middle.children().isEmpty()) {
            throw new IllegalStateException(middle + " waits for children, and has none");
        }
    }

    private static void check(FastnContext context, FastnContext parent) {
        boolean open = context.state() != ContextState.CLOSED;
        if (open && parent.isCancelled() && !context.isCancelled()) {
            throw new IllegalStateException(context + " is alive below the cancelled " + parent);
        }
        if (open && parent.state() == ContextState.CLOSED) {
            throw new IllegalStateException(context + " is cut off by " + parent);
        }
        if (open != parent.children().contains(context)) {
            throw new IllegalStateException(
                    context + " and its parent disagree; its siblings are " + parent.children());
        }
    }
}
