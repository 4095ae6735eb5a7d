package com.fastn.context.engine;

import com.fastn.context.ContextBuilder;
import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import java.util.List;
import java.util.Set;

/** Where the application calls the library from. Walks the stack, so only strict mode asks. */
final class Places {
    private static final int MAX_FRAMES = 16;
    private static final Set<String> LIBRARY = Set.of(
            Places.class.getName(),
            LeakTracker.class.getName(),
            ContextNode.class.getName(),
            NodeBuilder.class.getName(),
            FifoMutex.class.getName(),
            FastnContext.class.getName(),
            ContextMutex.class.getName(),
            ContextBuilder.class.getName(),
            "com.fastn.context.vertx.FutureContext",
            "com.fastn.context.vertx.FutureContextBuilder",
            "com.fastn.context.vertx.FutureMutex");

    private Places() {}

    /** The caller's frames, the innermost first, without those of the library on top. */
    static List<StackTraceElement> caller() {
        return StackWalker.getInstance()
                .walk(frames -> frames.dropWhile(frame -> LIBRARY.contains(outermost(frame.getClassName())))
                        .limit(MAX_FRAMES)
                        .map(StackWalker.StackFrame::toStackTraceElement)
                        .toList());
    }

    private static String outermost(String className) {
        int inner = className.indexOf('$');
        return inner < 0 ? className : className.substring(0, inner);
    }
}
