package com.fastn.context.vertx;

import io.vertx.core.Handler;
import io.vertx.core.internal.net.NetSocketInternal;

/** The line of Vert.x that a test runs on, where that makes a difference. */
final class VertxLine {
    private VertxLine() {}

    /** Whether it is 5.0, the inside of which is another than that of 5.1 and later. */
    static boolean isFiveZero() {
        try {
            return NetSocketInternal.class
                            .getMethod("messageHandler", Handler.class)
                            .getReturnType()
                    == NetSocketInternal.class;
        } catch (NoSuchMethodException e) {
            return false;
        }
    }
}
