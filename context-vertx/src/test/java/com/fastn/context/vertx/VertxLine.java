package com.fastn.context.vertx;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpClientRequest;
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

    /** Sends the head of a request before there is a body, by the one name that all lines have for it. */
    @SuppressWarnings("removal")
    static Future<Void> sendHead(HttpClientRequest request) {
        return request.sendHead();
    }
}
