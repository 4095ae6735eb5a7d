package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.StatusSnapshot;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The contexts of messages whose sender waits for a reply.
 *
 * <p>One that has had no reply for {@link #PATIENCE} says so in its row, and ends then, unless it is still at work: inside of
 * an operation, with open children, or with a lock that it holds or waits for.
 */
final class PendingReplies {
    static final Duration PATIENCE = Duration.ofSeconds(30);
    static final String NOTE = "no reply for 30 s";

    private static final Logger LOG = LoggerFactory.getLogger(PendingReplies.class);

    private final EngineRuntime runtime;
    private final ContextInternal home;
    private final ConcurrentHashMap<String, ContextNode> waiting = new ConcurrentHashMap<>();
    private final AtomicBoolean scheduled = new AtomicBoolean();

    PendingReplies(EngineRuntime runtime, ContextInternal home) {
        this.runtime = runtime;
        this.home = home;
    }

    void expect(String replyAddress, ContextNode context) {
        waiting.put(replyAddress, context);
        if (!scheduled.get()) {
            schedule();
        }
    }

    /** Takes the context that a reply answers, or null when the reply is to something else. */
    @Nullable
    ContextNode take(String replyAddress) {
        return waiting.remove(replyAddress);
    }

    int count() {
        return waiting.size();
    }

    /** Looks at most once in a while, and only while there is something to look at. */
    private void schedule() {
        if (scheduled.compareAndSet(false, true)) {
            var unused = home.setTimer(PATIENCE.toMillis(), id -> {
                scheduled.set(false);
                look();
                if (!waiting.isEmpty()) {
                    schedule();
                }
            });
        }
    }

    private void look() {
        List<String> overdue = new ArrayList<>();
        waiting.forEach((address, context) -> {
            if (context.duration().compareTo(PATIENCE) >= 0) {
                overdue.add(address);
            }
        });
        if (!overdue.isEmpty()) {
            // A snapshot takes its time, which is not that of an event loop.
            var unused = home.<Void>executeBlocking(
                            () -> {
                                end(overdue);
                                return null;
                            },
                            false)
                    .onFailure(failure -> LOG.error("messages without a reply were not looked after", failure));
        }
    }

    /** Ends those that are not at work. */
    void end(List<String> overdue) {
        Set<Long> locking = locking(runtime.status());
        for (String address : overdue) {
            ContextNode context = waiting.get(address);
            if (context == null) {
                continue;
            }
            context.setData("note", NOTE);
            if (context.children().isEmpty()
                    && !context.isInOperation()
                    && !locking.contains(context.id())
                    && waiting.remove(address, context)) {
                context.incrementTotal("unanswered_messages");
                context.close();
            }
        }
    }

    private static Set<Long> locking(StatusSnapshot snapshot) {
        Set<Long> ids = new HashSet<>();
        snapshot.activeLocks().forEach(lock -> ids.add(lock.holderId()));
        snapshot.lockWaiters().forEach(waiter -> ids.add(waiter.contextId()));
        return ids;
    }
}
