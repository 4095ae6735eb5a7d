package com.fastn.context.vertx;

import com.fastn.context.Operation;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The operations of contexts that wait for a reply on the event bus, by the address that the reply comes to.
 *
 * <p>A tracer is told of the end of a request, but not always: Vert.x keeps what the tracer gave it only once the request is
 * written, and a reply that is faster than that is never told. So whoever sees the reply first ends the operation: the
 * interceptor or the tracer. Without a reply there is a timeout, which the tracer is always told of.
 */
final class AwaitedReplies {
    private final ConcurrentHashMap<String, Operation> operations = new ConcurrentHashMap<>();

    void expect(String replyAddress, Operation operation) {
        operations.put(replyAddress, operation);
    }

    /** Ends the operation that waits for this reply, if there is one and it has not ended. */
    void end(String replyAddress) {
        Operation waiting = operations.remove(replyAddress);
        if (waiting != null) {
            waiting.close();
        }
    }

    int count() {
        return operations.size();
    }
}
