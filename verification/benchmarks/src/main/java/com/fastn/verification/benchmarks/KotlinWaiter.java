package com.fastn.verification.benchmarks;

import java.io.Serial;
import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.CoroutineContext;
import kotlin.coroutines.jvm.internal.ContinuationImpl;

/** What the Kotlin compiler makes of a coroutine that asks for a lock, and gives it back as soon as it has it. */
final class KotlinWaiter extends ContinuationImpl {
    @Serial
    private static final long serialVersionUID = 1;

    private final transient Runnable giveBack;

    KotlinWaiter(Runnable giveBack, CoroutineContext context) {
        super(new End(context), context);
        this.giveBack = giveBack;
    }

    @Override
    protected Object invokeSuspend(Object result) {
        giveBack.run();
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
