package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The requests of HTTP/2 whose peer was told to go on, or had an early hint. Vert.x, from 5.1 on, takes that for the head of the
 * response and tells of no other one: so nobody may ever tell how such a request ended.
 *
 * <p>One that nothing was seen of for {@link #PATIENCE} ends without an outcome and says so, unless it is still at work: inside of
 * an operation, with open children, on a thread, or with a lock that it holds or waits for. One whose stream is observed ends
 * with that, however long it takes.
 */
final class UntoldRequests {
    static final Duration PATIENCE = Duration.ofSeconds(30);
    static final String NOTE = "nobody tells how it ended: it had an interim response over HTTP/2";

    private final EngineRuntime runtime;
    private final ContextInternal home;
    private final LateLook late;
    private final ConcurrentHashMap<ContextNode, HttpContexts.Exchange> open = new ConcurrentHashMap<>();

    UntoldRequests(EngineRuntime runtime, ContextInternal home, WorkerQueue workers) {
        this.runtime = runtime;
        this.home = home;
        this.late = new LateLook(home, workers, PATIENCE, () -> !open.isEmpty(), this::look);
    }

    /** Remembers a request that had an interim response. */
    void expect(HttpContexts.Exchange exchange) {
        ContextNode served = exchange.served();
        // Of several interim responses the first is told.
        if (open.putIfAbsent(served, exchange) != null) {
            return;
        }
        // Also with its verticle, whose end nobody has to wait for then. One whose stream goes on ends with that. It
        // stays among these: a router may tell how it was answered all the same.
        var unused = served.onCancel(reason -> {
            if (!exchange.waitsForItsStream() && open.get(served) == exchange) {
                Endings.whenNothingIsLeft(served);
            }
        });
        late.begin();
    }

    /** Takes a request whose end somebody tells after all; null when it is none of these. */
    HttpContexts.@Nullable Exchange take(ContextNode served) {
        return open.remove(served);
    }

    /** How many are open at this moment. */
    int count() {
        return open.size();
    }

    private void look() {
        List<HttpContexts.Exchange> overdue = overdue(PATIENCE);
        if (!overdue.isEmpty()) {
            late.aside("requests with an interim response were not looked after", () -> end(overdue));
        }
    }

    /** Those that nothing was seen of for long. One whose stream is observed may be idle for as long as it likes. */
    List<HttpContexts.Exchange> overdue(Duration patience) {
        return open.values().stream()
                .filter(exchange -> !exchange.endsWithStream()
                        && exchange.served().idleDuration().compareTo(patience) >= 0)
                .toList();
    }

    /** Ends those that are not at work. */
    void end(List<HttpContexts.Exchange> overdue) {
        Set<Long> locking = PendingReplies.locking(runtime.status());
        for (HttpContexts.Exchange exchange : overdue) {
            ContextNode served = exchange.served();
            if (open.get(served) != exchange) {
                continue;
            }
            if (served.isChildless()
                    && !served.isInOperation()
                    && !locking.contains(served.id())
                    && !PendingReplies.isOnThread(served)
                    && open.remove(served, exchange)) {
                endWithoutOutcome(exchange);
            }
        }
    }

    /** Ends one whose stream has ended: a little later, as there may be a router that is about to tell how. */
    void endSoon(HttpContexts.Exchange exchange) {
        ShortWait.then(home, () -> {
            if (open.remove(exchange.served(), exchange)) {
                endWithoutOutcome(exchange);
            }
        });
    }

    /** What is told of it from now on is no outcome of ours. Until here somebody may tell, and the note would not be true. */
    private static void endWithoutOutcome(HttpContexts.Exchange exchange) {
        exchange.giveUp();
        if (exchange.served().isClosed()) {
            // It was cancelled, which says enough.
            return;
        }
        exchange.served().setData("note", NOTE);
        exchange.served().closeWhenDone();
    }
}
