package com.fastn.verification.concurrency;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/** What a lock is meant to be, without any concurrency: permits, and a queue that is served from its head only. */
public abstract class TicketQueue {
    private final IntUnaryOperator wants;
    private final ArrayDeque<Ticket> queue = new ArrayDeque<>();
    private final List<List<Ticket>> tickets = new ArrayList<>();
    private final @Nullable Ticket[] guards = new Ticket[LockTickets.THREADS];
    private final int[] contexts = new int[LockTickets.THREADS];
    private int available;

    @SuppressWarnings("this-escape") // nothing of the subclass is used before it is made
    TicketQueue(int permits, IntUnaryOperator wants, boolean contended) {
        this.available = permits;
        this.wants = wants;
        Arrays.fill(contexts, LockTickets.CONTEXTS);
        for (int i = 0; i < LockTickets.THREADS; i++) {
            tickets.add(new ArrayList<>());
        }
        if (contended) {
            for (int i = LockTickets.FIRST; i < LockTickets.THREADS; i++) {
                ask(i);
            }
            goOn(LockTickets.FIRST);
        }
    }

    /** See the lock. */
    public String ask(int thread) {
        List<Ticket> own = tickets.get(thread);
        if (own.size() == LockTickets.MOST_TICKETS || contexts[thread] == 0) {
            return "has enough";
        }
        int number = LockTickets.CONTEXTS - contexts[thread];
        contexts[thread]--;
        Ticket ticket = new Ticket(thread, number, wants.applyAsInt(thread));
        own.add(ticket);
        queue.add(ticket);
        serve();
        return "asked";
    }

    private void serve() {
        for (Ticket head = queue.peek(); head != null && head.permits <= available; head = queue.peek()) {
            queue.remove();
            available -= head.permits;
            head.granted = true;
        }
    }

    /** See the lock. */
    public String goOn(int thread) {
        Ticket guard = guards[thread];
        if (guard != null) {
            guards[thread] = null;
            available += guard.permits;
            serve();
            return "released";
        }
        List<Ticket> own = tickets.get(thread);
        for (int i = 0; i < own.size(); i++) {
            Ticket ticket = own.get(i);
            if (ticket.failed) {
                own.remove(i);
                return "failed " + i;
            }
            if (ticket.granted) {
                guards[thread] = own.remove(i);
                return "granted " + i;
            }
        }
        return "waiting";
    }

    /** See the lock. */
    public String turnAway(int thread) {
        List<Ticket> own = tickets.get(thread);
        if (!own.isEmpty()) {
            Ticket newest = own.get(own.size() - 1);
            if (newest.granted) {
                return "too late";
            }
            own.remove(newest);
            queue.remove(newest);
            serve();
            return "cancelled";
        }
        if (guards[thread] != null) {
            return "has it";
        }
        Ticket tried = new Ticket(thread, LockTickets.CONTEXTS, wants.applyAsInt(thread));
        if (!queue.isEmpty() || tried.permits > available) {
            return "not free";
        }
        available -= tried.permits;
        guards[thread] = tried;
        return "taken";
    }

    /** See the lock. */
    public String stop(int thread) {
        List<Ticket> own = tickets.get(thread);
        if (own.isEmpty()) {
            return "nothing to stop";
        }
        Ticket newest = own.get(own.size() - 1);
        if (!newest.granted && queue.remove(newest)) {
            newest.failed = true;
            serve();
        }
        return "stopped";
    }

    /** See the lock. */
    public String runOut(int thread, int number) {
        int whose = LockTickets.timersRunBy(thread);
        for (Ticket ticket : queue) {
            if (ticket.thread == whose && ticket.number == number) {
                queue.remove(ticket);
                ticket.failed = true;
                serve();
                break;
            }
        }
        return "late";
    }

    // Not a record: two tickets are two, also if they want the same.
    private static final class Ticket {
        private final int thread;
        private final int number;
        private final int permits;
        private boolean granted;
        private boolean failed;

        private Ticket(int thread, int number, int permits) {
            this.thread = thread;
            this.number = number;
            this.permits = permits;
        }
    }
}
