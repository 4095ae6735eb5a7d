package com.fastn.context.vertx;

import com.fastn.context.Counters;
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

    /**
     * Takes an event, in place of an earlier one about the same thing. Threads that change the same thing may come here in
     * another order than they changed it in: where the event says which came later, that one stays.
     */
    void add(ContextEvent event) {
        Object subject = subject(event);
        synchronized (this) {
            ContextEvent known = pending.get(subject);
            if (known != null && isOlder(event, known)) {
                return;
            }
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

    /**
     * Gives what is new as a frame, or null when nothing is.
     *
     * @param counters have the values that counters have by now: those that an event was made with may be old
     */
    @Nullable
    EventFrame drain(NodeIdentity node, Counters counters) {
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
        events.replaceAll(event -> present(event, counters));
        return new EventFrame(node.alias(), node.incarnation(), first, events, lost);
    }

    private static ContextEvent present(ContextEvent event, Counters counters) {
        if (!(event instanceof ContextEvent.CounterChanged counted)) {
            return event;
        }
        return new ContextEvent.CounterChanged(
                counted.contextId(),
                counted.path(),
                counted.counter(),
                counters.total(counted.path(), counted.counter()),
                counters.live(counted.path(), counted.counter()));
    }

    /** A context opens once and closes once, and each grant of a lock has a higher number than the one before. */
    private static boolean isOlder(ContextEvent event, ContextEvent known) {
        if (event instanceof ContextEvent.Opened) {
            return known instanceof ContextEvent.Closed;
        }
        return fence(event) >= 0 && fence(event) < fence(known);
    }

    private static long fence(ContextEvent event) {
        if (event instanceof ContextEvent.LockHeld held) {
            return 2 * held.fence();
        }
        return event instanceof ContextEvent.LockReleased released ? 2 * released.fence() + 1 : -1;
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
