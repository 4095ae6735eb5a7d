package com.fastn.verification.concurrency;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the mutex is meant to be, without any concurrency. */
public class TicketQueue {
    private final ArrayDeque<Ticket> queue = new ArrayDeque<>();
    private final List<List<Ticket>> tickets = new ArrayList<>();
    private @Nullable Ticket holder;

    /** Makes the queue that the mutex begins with. */
    public TicketQueue() {
        this(true);
    }

    @SuppressWarnings("this-escape") // nothing of the subclass is used before it is made
    TicketQueue(boolean contended) {
        for (int i = 0; i < MutexTickets.THREADS; i++) {
            tickets.add(new ArrayList<>());
        }
        if (contended) {
            for (int i = MutexTickets.FIRST; i < MutexTickets.THREADS; i++) {
                ask(i);
            }
            goOn(MutexTickets.FIRST);
        }
    }

    /** See the mutex. */
    public String ask(int thread) {
        List<Ticket> own = tickets.get(thread);
        if (own.size() == MutexTickets.MOST_TICKETS) {
            return "has enough";
        }
        Ticket ticket = new Ticket(thread);
        own.add(ticket);
        if (holder == null) {
            holder = ticket;
        } else {
            queue.add(ticket);
        }
        return "asked";
    }

    /** See the mutex. */
    public String goOn(int thread) {
        List<Ticket> own = tickets.get(thread);
        if (isHeldBy(thread)) {
            holder = queue.poll();
            return "released";
        }
        Ticket granted = holder;
        int index = granted == null ? -1 : own.indexOf(granted);
        if (index < 0) {
            return "waiting";
        }
        own.remove(index);
        return "granted " + index;
    }

    /** See the mutex. */
    public String turnAway(int thread) {
        List<Ticket> own = tickets.get(thread);
        if (!own.isEmpty()) {
            Ticket newest = own.get(own.size() - 1);
            if (newest == holder) {
                return "too late";
            }
            own.remove(newest);
            queue.remove(newest);
            return "cancelled";
        }
        if (isHeldBy(thread)) {
            return "has it";
        }
        if (holder != null) {
            return "not free";
        }
        holder = new Ticket(thread);
        return "taken";
    }

    private boolean isHeldBy(int thread) {
        return holder != null && holder.thread == thread && !tickets.get(thread).contains(requireNonNull(holder));
    }

    private static final class Ticket {
        private final int thread;

        private Ticket(int thread) {
            this.thread = thread;
        }
    }

    /** The same model, free at the start. */
    public static class Free extends TicketQueue {
        /** Makes an empty queue. */
        public Free() {
            super(false);
        }
    }
}
