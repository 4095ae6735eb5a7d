package com.fastn.verification.concurrency;

import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.verifier.EpsilonVerifier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The same where the children of a context are in several lists, one for each of several threads (C1).
 */
@Tag("slow")
public class StripedCancelTreeLincheckTest extends CancelTreeModel {
    /** A new tree. */
    public StripedCancelTreeLincheckTest() {
        super(true);
    }

    @Test
    void C1_inEveryOrderOfStepsNobodyIsAliveAndDetached() {
        ModelChecking.options(2, 30, 300).verifier(EpsilonVerifier.class).check(StripedCancelTreeLincheckTest.class);
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
                .check(StripedCancelTreeLincheckTest.class);
    }
}
