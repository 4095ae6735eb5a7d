package com.fastn.context.vertx;

import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.NodeIdentity;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The events of one stream that were not told yet: of several about the same thing the last one only, at most so many, and
 * what had no room is counted. Numbers rise by one with each event that is told.
 */
final class EventJournal {
    private final int capacity;

    @GuardedBy("this")
    private LinkedHashMap<Object, ContextEvent> pending = new LinkedHashMap<>();

    @GuardedBy("this")
    private long dropped;

    @GuardedBy("this")
    private long nextSequence = 1;

    EventJournal(int capacity) {
        this.capacity = capacity;
    }

    /** Takes an event, in place of an earlier one about the same thing. */
    void add(ContextEvent event) {
        Object subject = subject(event);
        synchronized (this) {
            // Removed first, so that it stands where the last one happened.
            if (pending.remove(subject) == null && pending.size() >= capacity) {
                dropped++;
                return;
            }
            pending.put(subject, event);
        }
    }

    /** Takes what is so already, unless something about the same thing has happened since. */
    void addIfNew(ContextEvent state) {
        Object subject = subject(state);
        synchronized (this) {
            if (pending.containsKey(subject)) {
                return;
            }
            if (pending.size() >= capacity) {
                dropped++;
            } else {
                pending.put(subject, state);
            }
        }
    }

    /** Forgets what nobody wants to hear any more. */
    synchronized void clear() {
        pending.clear();
        dropped = 0;
    }

    /** Gives what is new as a frame, or null when nothing is. */
    @Nullable
    EventFrame drain(NodeIdentity node) {
        List<ContextEvent> events;
        long first;
        long lost;
        synchronized (this) {
            if (pending.isEmpty() && dropped == 0) {
                return null;
            }
            events = new ArrayList<>(pending.values());
            pending = new LinkedHashMap<>();
            first = nextSequence;
            nextSequence += events.size();
            lost = dropped;
            dropped = 0;
        }
        return new EventFrame(node.alias(), node.incarnation(), first, events, lost);
    }

    /** What an event is about: a later event about the same says all that an earlier one did. */
    private static Object subject(ContextEvent event) {
        if (event instanceof ContextEvent.CounterChanged counted) {
            return new CounterSubject(counted.path(), counted.counter());
        }
        if (event instanceof ContextEvent.Lock lock) {
            // Apart, because a context may hold a lock in one branch and wait for it in another.
            boolean waits = lock instanceof ContextEvent.WaitStarted || lock instanceof ContextEvent.WaitEnded;
            return new LockSubject(lock.lockId(), lock.contextId(), waits);
        }
        if (event instanceof ContextEvent.Changed changed) {
            return new PartSubject(changed.contextId(), "changed", changed.key());
        }
        if (event instanceof ContextEvent.OperationStarted started) {
            return new PartSubject(started.contextId(), "operation", started.operation());
        }
        if (event instanceof ContextEvent.OperationEnded ended) {
            return new PartSubject(ended.contextId(), "operation", ended.operation());
        }
        if (event instanceof ContextEvent.Cancelled cancelled) {
            return new PartSubject(cancelled.contextId(), "cancelled", "");
        }
        return new PartSubject(event.contextId(), "life", "");
    }

    private record CounterSubject(ContextPath path, String counter) {}

    private record LockSubject(long lockId, long contextId, boolean waits) {}

    private record PartSubject(long contextId, String part, String name) {}
}
