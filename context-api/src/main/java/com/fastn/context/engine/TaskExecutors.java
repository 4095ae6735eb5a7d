package com.fastn.context.engine;

import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** The executor of tasks off any environment: virtual threads where the JDK has them, else a cached pool of daemons. */
final class TaskExecutors {
    private TaskExecutors() {}

    static ExecutorService make() {
        try {
            // By reflection: the library is compiled for Java 17, which has no virtual threads.
            return (ExecutorService)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
            AtomicInteger number = new AtomicInteger();
            return Executors.newCachedThreadPool(task -> {
                Thread thread = new Thread(task, "fastn-context-task-" + number.incrementAndGet());
                thread.setDaemon(true);
                // Not that of whoever happened to need the thread: it may be of a verticle that is loaded anew.
                thread.setContextClassLoader(TaskExecutors.class.getClassLoader());
                return thread;
            });
        }
    }
}
