package com.fastn.context.vertx;

import com.fastn.context.Operation;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.ContextState;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The contexts that wait for a reply on the event bus, by the address that the reply comes to, each with the operation that this
 * is to it, where client calls are operations.
 *
 * <p>A tracer is told of the end of a request, but not always: Vert.x keeps what the tracer gave it only once the request is
 * written, and a reply that is faster than that is never told, nor the end of a request that could not be encoded. So whoever
 * sees the end first ends the operation: the interceptor or the tracer. What nobody sees the end of is swept: at the end of
 * its context, or after {@link #LONGEST}; of a context that was cancelled only then, as its request may still wait to be handled.
 */
final class AwaitedReplies {
    static final Duration LONGEST = Duration.ofMinutes(10);

    private static final Duration SWEEP = Duration.ofSeconds(30);
    private static final int OPERATIONS = 64;

    // In place of the operation of a wait that was given up: who works on it has to be found until Vert.x gives it up
    // too.
    private static final Operation GIVEN_UP = new Operation() {
        @Override
        public String name() {
            return "";
        }

        @Override
        public Duration elapsed() {
            return Duration.ZERO;
        }

        @Override
        public void close() {}
    };

    private final Runnable onWait;
    private final LateLook late;
    private final RepliesByCaller<Long, Awaited> replies = new RepliesByCaller<>(awaited -> awaited.caller.id());
    private final AtomicInteger givenUp = new AtomicInteger();
    // Their fields are final, so whoever finds one without a lock finds it whole.
    private final @Nullable Named[] operations = new @Nullable Named[OPERATIONS];
    private volatile boolean someHaveNoOperation;

    @SuppressWarnings("ThreadLocalUsage") // there is one of these for each Vertx, and it is empty between two requests
    private final ThreadLocal<@Nullable Asked> asking = new ThreadLocal<>();

    /** Makes one; {@code onWait} is run for each reply that is waited for, and has to return at once. */
    AwaitedReplies(ContextInternal home, WorkerQueue workers, Runnable onWait) {
        this.onWait = onWait;
        this.late = new LateLook(home, workers, SWEEP, () -> !replies.isEmpty(), this::look);
    }

    /** What the wait for a reply of an address is called, by the name that {@link AddressNames} gives the address. */
    static String operation(String name) {
        return "request " + name;
    }

    /** The same, of which there are few that come often: these are written once. */
    String operationOf(String name) {
        int place = name.hashCode() & (OPERATIONS - 1);
        Named known = operations[place];
        if (known == null || !known.name.equals(name)) {
            known = new Named(name, operation(name));
            operations[place] = known;
        }
        return known.operation;
    }

    /**
     * Remembers who waits for a reply.
     *
     * @param name of the address that was asked
     * @param operation ends with the wait; null where client calls are no operations
     * @param nanos the present time, which who begins the operation has looked at as well
     * @return ends the wait, if it has not ended; whoever keeps it, as Vert.x until the reply or its time is over, keeps
     *     nothing of the caller with it
     */
    Runnable expect(String replyAddress, ContextNode caller, String name, @Nullable Operation operation, long nanos) {
        if (operation == null) {
            someHaveNoOperation = true;
        }
        End end = new End(this, replyAddress);
        var unused = replies.put(replyAddress, new Awaited(caller, name, operation, nanos, end));
        Asked asked = asking.get();
        if (asked != null && asked.replyAddress == null) {
            asked.replyAddress = replyAddress;
        }
        late.begin();
        onWait.run();
        return end;
    }

    /** Makes a request, and remembers which one it was. */
    <T> T asking(Asked asked, Supplier<T> request) {
        Asked around = asking.get();
        asking.set(asked);
        try {
            return request.get();
        } finally {
            // An interceptor may have made this request while another one is made. To set it to nothing keeps its
            // place.
            asking.set(around);
        }
    }

    /** Ends the operation of a request that nobody waits for any longer, unless its end was told. */
    void giveUp(Asked asked) {
        String replyAddress = asked.replyAddress;
        Awaited waiting = replyAddress == null ? null : replies.get(replyAddress);
        if (replyAddress == null || waiting == null || waiting.operation == null || waiting.operation == GIVEN_UP) {
            return;
        }
        // Before the operation ends: whoever is cancelled is looked for in any case then.
        givenUp.incrementAndGet();
        if (replies.replace(
                replyAddress,
                waiting,
                new Awaited(waiting.caller, waiting.name, GIVEN_UP, waiting.sinceNanos, waiting.end))) {
            waiting.operation.close();
        } else {
            givenUp.decrementAndGet();
        }
    }

    /** Who waits for a reply, or null. */
    @Nullable
    Awaited of(String replyAddress) {
        return replies.get(replyAddress);
    }

    /** Whether a context may wait for a reply: asked for each that is cancelled, so it is cheap, and errs to the safe side. */
    boolean mayWait(ContextNode context) {
        // One that has ended shows no operations, and may have ended since it was cancelled.
        return !replies.isEmpty()
                && (someHaveNoOperation
                        || givenUp.get() > 0
                        || context.isInOperation()
                        || context.state() != ContextState.ACTIVE);
    }

    /** Tells of those that are waited for at this moment. */
    void forEach(Visitor visitor) {
        replies.forEach((address, awaited) -> {
            if (awaited.operation != GIVEN_UP) {
                visitor.waits(address, awaited, awaited.caller, operation(awaited.name), awaited.sinceNanos);
            }
        });
    }

    /** Ends the operation that waits for this reply, if there is one and it has not ended. */
    void end(String replyAddress) {
        Awaited waiting = replies.remove(replyAddress);
        if (waiting != null) {
            waiting.end.over = true;
        }
        if (waiting != null && waiting.operation != null) {
            if (waiting.operation == GIVEN_UP) {
                givenUp.decrementAndGet();
            }
            waiting.operation.close();
        }
    }

    /** Those of some contexts that wait for a reply. */
    Set<Long> waiting(Set<Long> contextIds) {
        Set<Long> found = new HashSet<>();
        replies.of(contextIds, awaited -> found.add(awaited.caller.id()));
        return found;
    }

    int count() {
        return replies.size();
    }

    private void look() {
        // There may be many, and none of them is a matter of an event loop.
        late.aside("waits for replies were not looked after", this::sweep);
    }

    void sweep() {
        replies.forEach((address, awaited) -> {
            long waited = awaited.caller.runtime().ticker().nanos() - awaited.sinceNanos;
            boolean ended = awaited.caller.state() == ContextState.CLOSED && !awaited.caller.isCancelled();
            if (ended || waited > LONGEST.toNanos()) {
                end(address);
            }
        });
    }

    /** A request that is made by {@link #asking}. */
    static final class Asked {
        private volatile @Nullable String replyAddress;
    }

    /** Told of the replies that somebody waits for. */
    interface Visitor {
        /** A reply; {@code wait} is the same object as long as it is waited for. */
        void waits(String replyAddress, Object wait, ContextNode caller, String operation, long sinceNanos);
    }

    /** A reply that is waited for. */
    static final class Awaited {
        private final ContextNode caller;
        private final String name;
        private final @Nullable Operation operation;
        private final long sinceNanos;
        private final End end;

        private Awaited(ContextNode caller, String name, @Nullable Operation operation, long sinceNanos, End end) {
            this.caller = caller;
            this.name = name;
            this.operation = operation;
            this.sinceNanos = sinceNanos;
            this.end = end;
        }

        ContextNode caller() {
            return caller;
        }

        /** That of the address that was asked. */
        String name() {
            return name;
        }
    }

    /** The same as {@link #end(String)}, of what most often has ended when the tracer is told. */
    private static final class End implements Runnable {
        private final AwaitedReplies replies;
        private final String replyAddress;
        private volatile boolean over;

        End(AwaitedReplies replies, String replyAddress) {
            this.replies = replies;
            this.replyAddress = replyAddress;
        }

        @Override
        public void run() {
            if (!over) {
                replies.end(replyAddress);
            }
        }
    }

    private record Named(String name, String operation) {}
}
