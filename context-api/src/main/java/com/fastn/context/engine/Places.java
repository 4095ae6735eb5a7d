package com.fastn.context.engine;

import com.fastn.context.ContextBuilder;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where the application calls the library from. Walks the stack, so only strict mode and errors ask. */
final class Places {
    private static final int MAX_FRAMES = 16;
    private static final Set<String> LIBRARY = Set.of(
            Places.class.getName(),
            LeakTracker.class.getName(),
            ContextNode.class.getName(),
            ContextEnd.class.getName(),
            LiveCounts.class.getName(),
            NodeBuilder.class.getName(),
            FifoLock.class.getName(),
            PermitQueue.class.getName(),
            HandOff.class.getName(),
            LockMisuses.class.getName(),
            FifoMutex.class.getName(),
            FifoReadWriteLock.class.getName(),
            FifoSemaphore.class.getName(),
            Refusals.class.getName(),
            Scope.class.getName(),
            ScopedGuard.class.getName(),
            ThreadWait.class.getName(),
            Grant.class.getName(),
            Misuses.class.getName(),
            EngineRuntime.class.getName(),
            FastnContext.class.getName(),
            ContextMutex.class.getName(),
            ContextReadWriteLock.class.getName(),
            ContextSemaphore.class.getName(),
            ContextBuilder.class.getName(),
            "com.fastn.context.kotlin.LocksKt",
            "com.fastn.context.vertx.FutureContext",
            "com.fastn.context.vertx.FutureContextBuilder",
            "com.fastn.context.vertx.FutureMutex",
            "com.fastn.context.vertx.FutureReadWriteLock",
            "com.fastn.context.vertx.FutureSemaphore",
            "com.fastn.context.vertx.Futures",
            "com.fastn.context.vertx.SharedLock");
    /**
     * Code that calls back whoever registered with it, be it of this branch or another. A list of listeners that the
     * application keeps by itself looks like any other of its code.
     */
    private static final List<String> CALLING_BACK = List.of(
            "java.util.concurrent.",
            "java.util.Observable",
            "java.beans.",
            "com.google.common.eventbus.",
            "com.google.common.util.concurrent.",
            "io.vertx.",
            "io.netty.",
            "kotlin.",
            "kotlinx.",
            "reactor.",
            "rx.",
            "io.reactivex.",
            "io.smallrye.",
            "org.springframework.context.event.");

    private Places() {}

    /** The caller's frames, the innermost first, without those of the library on top. */
    static List<StackTraceElement> caller() {
        return StackWalker.getInstance()
                .walk(frames -> frames.dropWhile(frame -> LIBRARY.contains(outermost(frame.getClassName())))
                        .limit(MAX_FRAMES)
                        .map(StackWalker.StackFrame::toStackTraceElement)
                        .toList());
    }

    /** The innermost frame in words, or null when there is none. */
    static @Nullable String describe(@Nullable List<StackTraceElement> place) {
        return place == null || place.isEmpty() ? null : place.get(0).toString();
    }

    /**
     * Whether the calling code was called by the work of a scope itself, and not called back by something that also calls
     * back other branches. In doubt it was not.
     *
     * @param scopes how many scopes to look out of
     */
    static boolean isOwnCode(int scopes) {
        return StackWalker.getInstance().walk(frames -> {
            int left = scopes;
            for (StackWalker.StackFrame frame : (Iterable<StackWalker.StackFrame>) frames::iterator) {
                String type = frame.getClassName();
                if (type.equals(Scope.class.getName()) && frame.getMethodName().equals("run")) {
                    left--;
                    if (left == 0) {
                        return true;
                    }
                } else if (CALLING_BACK.stream().anyMatch(type::startsWith)) {
                    return false;
                }
            }
            return false;
        });
    }

    private static String outermost(String className) {
        int inner = className.indexOf('$');
        return inner < 0 ? className : className.substring(0, inner);
    }
}
