package com.fastn.verification.concurrency;

import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.verifier.EpsilonVerifier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A child is never alive and detached from a cancelled ancestor, in whatever order opening, closing and cancelling meet (C1).
 */
@Tag("slow")
public class CancelTreeLincheckTest extends CancelTreeModel {
    /** A new tree. */
    public CancelTreeLincheckTest() {
        super(false);
    }

    @Test
    void C1_inEveryOrderOfStepsNobodyIsAliveAndDetached() {
        ModelChecking.options(2, 30, 300).verifier(EpsilonVerifier.class).check(CancelTreeLincheckTest.class);
    }

    @Test
    void C1_underRealThreadsNobodyIsAliveAndDetached() {
        new StressOptions()
                .threads(3)
                .actorsPerThread(3)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(Scale.times(10))
                .invocationsPerIteration(2_000)
                .verifier(EpsilonVerifier.class)
                .check(CancelTreeLincheckTest.class);
    }
}
