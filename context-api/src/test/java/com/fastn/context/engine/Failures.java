package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.AbstractThrowableAssert;
import org.jspecify.annotations.Nullable;

/** What a stage failed with, as its dependents see it: {@code get} and {@code join} wrap it, and each JDK otherwise. */
final class Failures {
    private Failures() {}

    static AbstractThrowableAssert<?, ? extends Throwable> assertFailure(CompletionStage<?> stage) {
        return assertThat(of(stage)).as("what the stage has failed with").isNotNull();
    }

    /** The same itself; null while there is none. */
    static @Nullable Throwable of(CompletionStage<?> stage) {
        AtomicReference<@Nullable Throwable> seen = new AtomicReference<>();
        stage.whenComplete((value, failure) -> seen.set(failure));
        return seen.get();
    }
}
