package com.fastn.context.engine;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** A wait for what surely comes, however busy the machine is: only that it never comes is to be told. */
final class Patience {
    private static final Duration LONG = Duration.ofMinutes(1);

    private Patience() {}

    static ConditionFactory await() {
        return Awaitility.await().atMost(LONG);
    }
}
