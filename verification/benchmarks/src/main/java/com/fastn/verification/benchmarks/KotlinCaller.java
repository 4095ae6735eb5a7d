package com.fastn.verification.benchmarks;

import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.EmptyCoroutineContext;

/** A coroutine that asks for a lock that is free, and so is never resumed. */
final class KotlinCaller implements Continuation<Unit> {
    @Override
    public EmptyCoroutineContext getContext() {
        return EmptyCoroutineContext.INSTANCE;
    }

    @Override
    public void resumeWith(Object result) {
        throw new IllegalStateException("the lock was not free");
    }
}
