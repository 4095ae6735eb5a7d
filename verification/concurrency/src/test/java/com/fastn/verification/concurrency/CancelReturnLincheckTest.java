package com.fastn.verification.concurrency;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.ManualTicker;
import java.time.Instant;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jetbrains.lincheck.datastructures.verifier.EpsilonVerifier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * When a call that cancels returns, everything below is cancelled, whoever opens and closes children meanwhile, and whoever
 * else cancels the same or a part of it (C1).
 */
public class CancelReturnLincheckTest {
    private final FastnContext top = ContextRuntime.builder()
            .alias("model")
            .ticker(new ManualTicker(Instant.EPOCH))
            .build()
            .root()
            .child("top")
            .open();
    private final FastnContext middle = top.child("middle").open();

    private volatile @Nullable FastnContext alive;

    /** Cancels, and looks at once: also while another cancellation of the same walks. */
    @Operation
    public void cancelTop() {
        top.cancel();
        for (FastnContext child : top.children()) {
            see(child);
            child.children().forEach(this::see);
        }
    }

    /** Cancels a part, and looks at once: also while the cancellation of the whole walks. */
    @Operation
    public void cancelMiddle() {
        middle.cancel();
        middle.children().forEach(this::see);
    }

    private void see(FastnContext context) {
        if (!context.isCancelled()) {
            alive = context;
        }
    }

    /** Opens a child of the top, with a child of its own. */
    @Operation
    public void openTwoBelowTop() {
        top.child("child").open().child("grandchild").open();
    }

    /** Opens a child of the middle. */
    @Operation
    public void openBelowMiddle() {
        middle.child("child").open();
    }

    /** Closes the middle, which stays in the tree while it has children. */
    @Operation
    public void closeMiddle() {
        middle.close();
    }

    /** An operation that throws has but another result; what was seen is judged here. */
    @Validate
    public void nobodyWasSeenAlive() {
        if (alive != null) {
            throw new IllegalStateException(alive + " was alive after cancel() had returned");
        }
    }

    @Test
    void C1_whenCancelReturnsEverythingBelowIsCancelled() {
        ModelChecking.options(2, 15, 120).verifier(EpsilonVerifier.class).check(CancelReturnLincheckTest.class);
    }
}
