package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReachabilityTest {
    private final Reachability reachability = new Reachability();

    @Test
    void D10_twoMissesRepairSixAreLostAndOneHitForgetsAll() {
        assertThat(reachability.missed()).isFalse();
        assertThat(reachability.missed()).isTrue();
        assertThat(reachability.missed()).isFalse();
        assertThat(reachability.missed()).isTrue();
        assertThat(reachability.missed()).isFalse();
        assertThat(reachability.isLost()).isFalse();
        assertThat(reachability.missed()).isTrue();
        assertThat(reachability.isLost()).isTrue();
        reachability.found();
        assertThat(reachability.isLost()).isFalse();
        assertThat(reachability.missed()).isFalse();
        assertThat(reachability.repairs()).isEqualTo(3);
    }

    @Test
    void D10_whoIsNotAnsweredIsNotLostAndIsRegisteredAnewOnce() {
        assertThat(reachability.unanswered()).isFalse();
        assertThat(reachability.unanswered()).isTrue();
        for (int i = 0; i < 3; i++) {
            assertThat(reachability.unanswered()).isFalse();
        }
        assertThat(reachability.isUnanswered()).isFalse();
        assertThat(reachability.unanswered()).isFalse();
        assertThat(reachability.isUnanswered()).isTrue();
        assertThat(reachability.isLost()).isFalse();
        assertThat(reachability.missed()).isFalse();
        assertThat(reachability.isUnanswered()).isFalse();
        assertThat(reachability.repairs()).isEqualTo(1);
    }

    @Test
    void D10_whatIsNotFoundTwiceAlthoughTheNodeIsWasForgottenUntilItIsFoundAgain() {
        reachability.foundOthers(false);
        assertThat(reachability.isForgotten()).isFalse();
        reachability.foundOthers(false);
        assertThat(reachability.isForgotten()).isTrue();
        reachability.foundOthers(true);
        assertThat(reachability.isForgotten()).isFalse();
        reachability.foundOthers(false);
        assertThat(reachability.isForgotten()).isFalse();
    }
}
