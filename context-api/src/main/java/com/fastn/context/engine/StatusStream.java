package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Registration;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Snapshots as the tree changes: the first at once, later ones when something changed and at most one per second.
 *
 * <p>The first change after a snapshot wakes the stream; those that follow cost nothing. Passing time makes none, so it looks whether a threshold was crossed: once a second
 * while something is held, waited for or under way, and otherwise every five seconds, for what is idle or still open, and for
 * the machine. Nobody is looked after who has not asked for more.
 */
final class StatusStream implements Flow.Publisher<StatusSnapshot> {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final Duration PACE = Duration.ofSeconds(1);
    private static final Duration SLOW_PACE = Duration.ofSeconds(5);

    private final EngineRuntime runtime;

    StatusStream(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    @Override
    public void subscribe(Flow.Subscriber<? super StatusSnapshot> subscriber) {
        new Subscription(runtime, requireNonNull(subscriber, "subscriber")).start();
    }

    /*
     *   STARTING --subscribed--> IDLE --something is due--> SENDING --sent--> RESTING --a second later--> IDLE
     *
     *   IDLE --nothing is due--> LOOKING --now and then, until something is--> SENDING
     *
     *   any --cancelled, failed or the runtime closed--> OVER
     *
     * In each phase at most one task is under way or scheduled; that is what makes the signals serial.
     */
    private enum Phase {
        STARTING,
        IDLE,
        SENDING,
        RESTING,
        LOOKING,
        OVER
    }

    private static final class Subscription implements Flow.Subscription {
        private final EngineRuntime runtime;
        private final Flow.Subscriber<? super StatusSnapshot> subscriber;

        @GuardedBy("this")
        private final List<Registration> ends = new ArrayList<>(2);

        @GuardedBy("this")
        private Phase phase = Phase.STARTING;

        @GuardedBy("this")
        private boolean asked;

        @GuardedBy("this")
        private boolean listening;

        @GuardedBy("this")
        private long demand;

        @GuardedBy("this")
        private boolean due = true;

        @GuardedBy("this")
        private boolean runtimeClosed;

        /** What the subscriber asked for that cannot be, or why there is nothing more, while another signal was under way. */
        @GuardedBy("this")
        private @Nullable Throwable refusal;

        /** Whether time alone may make a warning of something in the last snapshot. */
        @GuardedBy("this")
        private boolean mayTurn;

        @GuardedBy("this")
        private List<String> lastWarnings = List.of();

        @GuardedBy("this")
        private long lookNumber;

        @GuardedBy("this")
        private @Nullable Registration nextLook;

        Subscription(EngineRuntime runtime, Flow.Subscriber<? super StatusSnapshot> subscriber) {
            this.runtime = runtime;
            this.subscriber = subscriber;
        }

        void start() {
            try {
                subscriber.onSubscribe(this);
            } catch (Throwable t) {
                failed(t);
                return;
            }
            Throwable refused;
            synchronized (this) {
                if (phase == Phase.OVER) {
                    return;
                }
                phase = Phase.IDLE;
                refused = refusal;
            }
            if (refused != null) {
                refuse(refused);
                return;
            }
            untilTheEnd(runtime.atClose(this::complete));
            proceed();
        }

        @Override
        public void request(long n) {
            if (n <= 0) {
                refuse(new IllegalArgumentException("asked for " + n + " snapshots; ask for at least 1"));
                return;
            }
            boolean first;
            synchronized (this) {
                demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
                first = !asked;
                asked = true;
            }
            if (first) {
                untilTheEnd(runtime.onFirstChange(this::changed));
                synchronized (this) {
                    // Not before: a snapshot without a hook behind it could be the last for a long time.
                    listening = true;
                }
            }
            proceed();
        }

        private void refuse(Throwable why) {
            synchronized (this) {
                refusal = why;
            }
            if (endUnlessSignalling()) {
                tellError(why);
            }
        }

        private void tellError(Throwable why) {
            try {
                subscriber.onError(why);
            } catch (Throwable t) {
                failed(t);
            }
        }

        private void changed() {
            synchronized (this) {
                if (due) {
                    return;
                }
                due = true;
            }
            proceed();
        }

        /** Begins what is next, elsewhere: a snapshot must never slow who made the change. */
        private void proceed() {
            Runnable next;
            synchronized (this) {
                boolean free = phase == Phase.IDLE || phase == Phase.LOOKING;
                if (!free || demand == 0 || !listening) {
                    return;
                }
                if (due) {
                    phase = Phase.SENDING;
                    stopLooking();
                    next = this::send;
                } else if (phase == Phase.IDLE) {
                    phase = Phase.LOOKING;
                    lookLater(++lookNumber);
                    return;
                } else {
                    return;
                }
            }
            runtime.timers().soon(next);
        }

        private void send() {
            synchronized (this) {
                if (phase != Phase.SENDING) {
                    return;
                }
                demand--;
                due = false;
            }
            StatusSnapshot snapshot = take(true);
            if (snapshot == null) {
                return;
            }
            try {
                subscriber.onNext(snapshot);
            } catch (Throwable t) {
                failed(t);
                return;
            }
            boolean last;
            Throwable refused;
            synchronized (this) {
                if (phase == Phase.OVER) {
                    return;
                }
                phase = Phase.RESTING;
                lastWarnings = warnings(snapshot);
                mayTurn = mayTurn(snapshot);
                last = runtimeClosed;
                refused = refusal;
            }
            if (refused != null) {
                refuse(refused);
            } else if (last) {
                complete();
            } else {
                rest();
            }
        }

        /**
         * Takes a snapshot.
         *
         * @param sending whether it is to be sent by this thread, so that no other gives a signal meanwhile
         * @return the snapshot, or null when there is none and the subscriber is told why
         */
        private @Nullable StatusSnapshot take(boolean sending) {
            try {
                return runtime.status();
            } catch (Throwable t) {
                LOG.error("a snapshot for a status stream could not be taken; the stream ends", LoggedFailure.of(t));
                if (!sending) {
                    refuse(t);
                } else if (end()) {
                    tellError(t);
                }
                return null;
            }
        }

        private void rest() {
            try {
                runtime.timers().after(PACE, this::rested);
            } catch (Throwable t) {
                LOG.error(
                        "no snapshot after this one can be scheduled for a status stream; it ends",
                        LoggedFailure.of(t));
                refuse(t);
            }
        }

        private void rested() {
            synchronized (this) {
                if (phase != Phase.RESTING) {
                    return;
                }
                phase = Phase.IDLE;
            }
            proceed();
        }

        @GuardedBy("this")
        private void lookLater(long number) {
            nextLook = runtime.timers().after(mayTurn ? PACE : SLOW_PACE, () -> look(number));
        }

        private void look(long number) {
            StatusSnapshot snapshot = take(false);
            if (snapshot == null) {
                return;
            }
            synchronized (this) {
                if (phase != Phase.LOOKING || number != lookNumber) {
                    return;
                }
                mayTurn = mayTurn(snapshot);
                if (!warnings(snapshot).equals(lastWarnings)) {
                    due = true;
                } else {
                    lookLater(number);
                    return;
                }
            }
            proceed();
        }

        @GuardedBy("this")
        private void stopLooking() {
            lookNumber++;
            if (nextLook != null) {
                nextLook.close();
                nextLook = null;
            }
        }

        /** The runtime closed: a snapshot that is being sent is the last. */
        private void complete() {
            synchronized (this) {
                runtimeClosed = true;
            }
            if (endUnlessSignalling()) {
                try {
                    subscriber.onComplete();
                } catch (Throwable t) {
                    LOG.error("a subscriber of the status stream failed at its end", LoggedFailure.of(t));
                }
            }
        }

        private void failed(Throwable t) {
            LOG.error("a subscriber of the status stream failed; it is sent nothing more", LoggedFailure.of(t));
            cancel();
        }

        @Override
        public void cancel() {
            end();
        }

        @CanIgnoreReturnValue
        private boolean end() {
            return end(false);
        }

        /**
         * Ends this unless a signal is under way: whoever gives that one says the rest behind it, as signals are serial.
         *
         * @return whether the caller has to tell the subscriber of the end now
         */
        private boolean endUnlessSignalling() {
            return end(true);
        }

        private boolean end(boolean unlessSignalling) {
            List<Registration> all;
            synchronized (this) {
                boolean signalling = phase == Phase.STARTING || phase == Phase.SENDING;
                if (phase == Phase.OVER || (unlessSignalling && signalling)) {
                    return false;
                }
                phase = Phase.OVER;
                stopLooking();
                all = List.copyOf(ends);
                ends.clear();
            }
            all.forEach(Registration::close);
            return true;
        }

        private void untilTheEnd(Registration registration) {
            synchronized (this) {
                if (phase != Phase.OVER) {
                    ends.add(registration);
                    return;
                }
            }
            registration.close();
        }

        private static boolean mayTurn(StatusSnapshot snapshot) {
            return snapshot.activeLocks().stream().anyMatch(l -> !l.longHeld())
                    || snapshot.lockWaiters().stream().anyMatch(w -> !w.stuck())
                    || anyOperationThatMayTurn(snapshot.globalContext());
        }

        private static boolean anyOperationThatMayTurn(ContextStatus tree) {
            ArrayDeque<ContextStatus> open = new ArrayDeque<>();
            open.push(tree);
            while (!open.isEmpty()) {
                ContextStatus context = open.pop();
                if (context.operations().stream().anyMatch(o -> !o.stuck())) {
                    return true;
                }
                context.children().forEach(open::push);
            }
            return false;
        }

        /** What is wrong, without the ages and figures in the messages, which change all the time. */
        private static List<String> warnings(StatusSnapshot snapshot) {
            List<String> marks = new ArrayList<>();
            for (StatusWarning warning : snapshot.warnings()) {
                // How many more there are has no age, and is all that is said of them.
                boolean more = warning.since() == null && warning.message().startsWith("+");
                marks.add(warning.id() + " " + warning.contextPath() + "#" + warning.contextId()
                        + (more ? warning.message() : ""));
            }
            snapshot.lockWaiters().stream()
                    .filter(LockWaiter::stuck)
                    .forEach(w -> marks.add("waiter " + w.contextId()));
            return marks;
        }
    }
}
