package com.fastn.context.vertx;

import org.junit.jupiter.api.Test;

class NoOthersFailuresTest {
    @Test
    void whatNobodyCaughtInAnotherThreadFailsNobodyWhoWaits() {
        Thread other = new Thread(() -> {
            throw new IllegalStateException("of another test");
        });
        Waiting.until(() -> {
            if (other.getState() == Thread.State.NEW) {
                other.start();
            }
            return other.getState() == Thread.State.TERMINATED;
        });
    }
}
