package com.fastn.context.vertx;

import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.StatusSnapshot;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of messages whose sender waits for a reply.
 *
 * <p>One that has had no reply for {@link #PATIENCE} says so in its row, and ends then, unless it is still at work: inside of
 * an operation, with open children, on a thread, or with a lock that it holds or waits for.
 */
final class PendingReplies {
    static final Duration PATIENCE = Duration.ofSeconds(30);
    static final String NOTE = "no reply for 30 s";

    private final EngineRuntime runtime;
    private final LateLook late;
    private final RepliesByCaller<Caller, Answering> waiting = new RepliesByCaller<>(Answering::caller);

    PendingReplies(EngineRuntime runtime, ContextInternal home, WorkerQueue workers) {
        this.runtime = runtime;
        this.late = new LateLook(home, workers, PATIENCE, () -> !waiting.isEmpty(), this::look);
    }

    /**
     * Remembers who works on a reply.
     *
     * @param callerKey what a cancellation of the caller has to name, or null when none can come
     */
    void expect(String replyAddress, ContextNode context, @Nullable String callerKey) {
        Answering before = waiting.put(replyAddress, new Answering(context, callerKey));
        if (before != null && before.context != context) {
            // One reply answers one request, and what is told of the other one's end comes to none.
            Endings.whenNothingIsLeft(before.context);
        }
        late.begin();
    }

    /** Takes the context that a reply answers, or null when the reply is to something else. */
    @Nullable
    ContextNode take(String replyAddress) {
        Answering answering = waiting.remove(replyAddress);
        return answering == null ? null : answering.context;
    }

    /** Whether a reply goes to another node, as far as the request for it said where it came from. */
    boolean isForAnotherNode(String replyAddress) {
        Answering answering = waiting.get(replyAddress);
        CallerLink caller = answering == null ? null : answering.context.caller();
        return caller != null && !caller.incarnation().equals(runtime.node().incarnation());
    }

    /** The context that works on a reply, or null. */
    @Nullable
    ContextNode of(String replyAddress) {
        Answering answering = waiting.get(replyAddress);
        return answering == null ? null : answering.context;
    }

    /**
     * What works on the requests of some callers of this node.
     *
     * @param incarnation this node
     * @param callers their ids
     */
    Deque<ContextNode> callees(String incarnation, Set<Long> callers) {
        Deque<ContextNode> found = new ArrayDeque<>();
        Set<Caller> wanted = new HashSet<>();
        callers.forEach(id -> wanted.add(new Caller(incarnation, id)));
        waiting.of(wanted, answering -> found.add(answering.context));
        return found;
    }

    /**
     * What works on the requests of some callers of another node.
     *
     * @param incarnation the node of the callers
     * @param keys of each caller, by its id there, what its requests said
     * @param found takes it
     * @return whether none of the requests had said another key
     */
    boolean callees(String incarnation, Map<Long, String> keys, Deque<ContextNode> found) {
        Map<Caller, String> wanted = new HashMap<>();
        keys.forEach((id, key) -> wanted.put(new Caller(incarnation, id), key));
        AtomicBoolean genuine = new AtomicBoolean(true);
        waiting.of(wanted.keySet(), answering -> {
            Caller caller = answering.caller();
            String key = caller == null ? null : wanted.get(caller);
            if (key != null && key.equals(answering.callerKey)) {
                found.add(answering.context);
            } else {
                genuine.set(false);
            }
        });
        return genuine.get();
    }

    /** Cancels what works on a request, as its caller was cancelled. */
    static void cancelFor(CallerLink caller, ContextNode context) {
        context.cancel(CancelReason.Kind.REQUESTED, "its caller " + caller.shortName() + " was cancelled");
    }

    /** Tells of those that are worked on at this moment. */
    void forEach(Visitor visitor) {
        waiting.forEach((address, answering) -> visitor.owes(address, answering, answering.context));
    }

    int count() {
        return waiting.size();
    }

    private void look() {
        // There may be many, and none of them is a matter of an event loop.
        late.aside("messages without a reply were not looked after", () -> {
            List<String> overdue = new ArrayList<>();
            waiting.forEach((address, answering) -> {
                if (answering.context.duration().compareTo(PATIENCE) >= 0) {
                    overdue.add(address);
                }
            });
            if (!overdue.isEmpty()) {
                end(overdue);
            }
        });
    }

    /** Ends those that are not at work. */
    void end(List<String> overdue) {
        Set<Long> locking = locking(runtime.status());
        for (String address : overdue) {
            Answering answering = waiting.get(address);
            if (answering == null) {
                continue;
            }
            ContextNode context = answering.context;
            context.setData("note", NOTE);
            if (context.children().isEmpty()
                    && !context.isInOperation()
                    && !locking.contains(context.id())
                    && !isOnThread(context)
                    && waiting.remove(address, answering)) {
                context.incrementTotal("unanswered_messages");
                context.close();
            }
        }
    }

    /** Those that hold a lock or wait for one. */
    static Set<Long> locking(StatusSnapshot snapshot) {
        Set<Long> ids = new HashSet<>();
        snapshot.activeLocks().forEach(lock -> ids.add(lock.holderId()));
        snapshot.lockWaiters().forEach(waiter -> ids.add(waiter.contextId()));
        return ids;
    }

    static boolean isOnThread(FastnContext context) {
        return context.subtreeStatus().globalContext().onThread();
    }

    /** Told of the replies that somebody works on. */
    interface Visitor {
        /** A reply; {@code work} is the same object until it is sent. */
        void owes(String replyAddress, Object work, ContextNode context);
    }

    private record Caller(String incarnation, long id) {}

    private record Answering(ContextNode context, @Nullable String callerKey) {
        @Nullable
        Caller caller() {
            CallerLink link = context.caller();
            return link == null ? null : new Caller(link.incarnation(), link.contextId());
        }
    }
}
