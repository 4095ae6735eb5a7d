package com.fastn.status;

import io.vertx.core.WorkerExecutor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/** A pool of workers that fails when somebody says so. */
final class FailingWorker {
    private final AtomicInteger callsToFailure = new AtomicInteger();
    private final WorkerExecutor worker;

    FailingWorker(WorkerExecutor real) {
        this.worker = (WorkerExecutor) Proxy.newProxyInstance(
                WorkerExecutor.class.getClassLoader(),
                new Class<?>[] {WorkerExecutor.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("executeBlocking")
                            && arguments.length == 2
                            && callsToFailure.getAndDecrement() == 1) {
                        Callable<Void> failing = () -> {
                            throw new IllegalStateException("this is to fail");
                        };
                        return real.executeBlocking(failing, (boolean) arguments[1]);
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    WorkerExecutor worker() {
        return worker;
    }

    /** Has one of the next calls fail: the first, the second or a later one. */
    void fail(int call) {
        callsToFailure.set(call);
    }
}
