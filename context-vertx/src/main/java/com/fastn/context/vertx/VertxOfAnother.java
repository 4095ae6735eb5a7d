package com.fastn.context.vertx;

/**
 * A Vertx that a service of another one makes for its own use, as the tracer of Zipkin does to send its spans. It is none of the
 * application's: with contexts it would be a node that nobody knows, and, as it comes first, have the default runtime that the
 * application looks for its own tree in.
 */
final class VertxOfAnother {
    private static final String BOOTSTRAP = "io.vertx.core.impl.VertxBootstrapImpl";

    private VertxOfAnother() {}

    /** Whether the one that a service is told of is made while the services of another one are begun, which nobody says. */
    static boolean isMade() {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(frame -> frame.getMethodName().equals("init")
                        && frame.getClassName().equals(BOOTSTRAP)));
    }
}
