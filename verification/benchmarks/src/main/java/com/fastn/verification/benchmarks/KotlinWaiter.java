package com.fastn.verification.benchmarks;

import java.io.Serial;
import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.CoroutineContext;
import kotlin.coroutines.jvm.internal.ContinuationImpl;
import kotlinx.coroutines.sync.Mutex;

/** What the Kotlin compiler makes of a coroutine that locks, and unlocks as soon as it has the lock. */
final class KotlinWaiter extends ContinuationImpl {
    @Serial
    private static final long serialVersionUID = 1;

    private final transient Mutex mutex;

    KotlinWaiter(Mutex mutex, CoroutineContext context) {
        super(new End(context), context);
        this.mutex = mutex;
    }

    @Override
    protected Object invokeSuspend(Object result) {
        mutex.unlock(null);
        return Unit.INSTANCE;
    }

    /** Where a coroutine returns to that nobody waits for. */
    static final class End implements Continuation<Object> {
        private final CoroutineContext context;

        End(CoroutineContext context) {
            this.context = context;
        }

        @Override
        public CoroutineContext getContext() {
            return context;
        }

        @Override
        public void resumeWith(Object result) {}
    }
}
