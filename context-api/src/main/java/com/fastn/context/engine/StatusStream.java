package com.fastn.context.engine;

import com.fastn.context.Registration;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusSnapshot;
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
 * <p>An idle tree costs nothing: a change wakes the stream by an event. Only while something is held, waited for or under
 * way does it look once a second whether a threshold was crossed, because passing time alone makes no event.
 */
final class StatusStream implements Flow.Publisher<StatusSnapshot> {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final Duration PACE = Duration.ofSeconds(1);

    private final EngineRuntime runtime;

    StatusStream(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    @Override
    public void subscribe(Flow.Subscriber<? super StatusSnapshot> subscriber) {
        new Subscription(runtime, subscriber).start();
    }

    private static final class Subscription implements Flow.Subscription {
        private final EngineRuntime runtime;
        private final Flow.Subscriber<? super StatusSnapshot> subscriber;

        @GuardedBy("this")
        private long demand;

        @GuardedBy("this")
        private boolean due = true;

        @GuardedBy("this")
        private boolean resting;

        @GuardedBy("this")
        private boolean sending;

        @GuardedBy("this")
        private boolean over;

        @GuardedBy("this")
        private @Nullable Registration listening;

        private volatile List<String> lastWarnings = List.of();

        Subscription(EngineRuntime runtime, Flow.Subscriber<? super StatusSnapshot> subscriber) {
            this.runtime = runtime;
            this.subscriber = subscriber;
        }

        void start() {
            Registration registration = runtime.addListener(event -> changed());
            synchronized (this) {
                listening = registration;
            }
            subscriber.onSubscribe(this);
        }

        private void changed() {
            synchronized (this) {
                due = true;
                if (resting || sending || over || demand == 0) {
                    return;
                }
            }
            // Not in the thread that made the change: a snapshot must never slow the application.
            runtime.timers().after(Duration.ZERO, this::send);
        }

        @Override
        public void request(long n) {
            if (n <= 0) {
                cancel();
                subscriber.onError(new IllegalArgumentException("asked for " + n + " snapshots; ask for at least 1"));
                return;
            }
            synchronized (this) {
                demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
                if (!due || resting) {
                    return;
                }
            }
            runtime.timers().after(Duration.ZERO, this::send);
        }

        private void send() {
            synchronized (this) {
                if (over || sending || resting || !due || demand == 0) {
                    return;
                }
                demand--;
                due = false;
                sending = true;
                resting = true;
            }
            boolean mayTurn = true;
            try {
                StatusSnapshot snapshot = runtime.status();
                lastWarnings = warnings(snapshot);
                mayTurn = mayTurn(snapshot);
                subscriber.onNext(snapshot);
            } catch (Throwable t) {
                LOG.error("a subscriber of the status stream failed; it is sent nothing more", t);
                cancel();
            }
            synchronized (this) {
                sending = false;
                if (over) {
                    return;
                }
            }
            boolean look = mayTurn;
            runtime.timers().after(PACE, () -> rested(look));
        }

        private void rested(boolean look) {
            boolean changed;
            synchronized (this) {
                resting = false;
                changed = due;
                if (over) {
                    return;
                }
            }
            if (!changed && look) {
                StatusSnapshot snapshot = runtime.status();
                if (!warnings(snapshot).equals(lastWarnings)) {
                    synchronized (this) {
                        due = true;
                    }
                } else if (mayTurn(snapshot)) {
                    runtime.timers().after(PACE, () -> rested(true));
                    return;
                }
            }
            send();
        }

        /** Whether time alone may still turn something into a warning. */
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

        /** What is wrong, without the ages in the messages, which change all the time. */
        private static List<String> warnings(StatusSnapshot snapshot) {
            List<String> marks = new ArrayList<>();
            snapshot.warnings().forEach(w -> marks.add(w.id() + " " + w.contextPath()));
            snapshot.lockWaiters().stream()
                    .filter(LockWaiter::stuck)
                    .forEach(w -> marks.add("waiter " + w.contextId()));
            return marks;
        }

        @Override
        public void cancel() {
            Registration registration;
            synchronized (this) {
                over = true;
                registration = listening;
                listening = null;
            }
            if (registration != null) {
                registration.close();
            }
        }
    }
}
