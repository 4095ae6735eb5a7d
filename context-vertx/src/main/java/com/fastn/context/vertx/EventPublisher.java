package com.fastn.context.vertx;

import com.fastn.context.Registration;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockType;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.StatusSnapshot;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.tracing.TracingPolicy;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the events of a runtime in frames, at most ten a second, while somebody consumes them.
 *
 * <pre>
 *  QUIET --a change, and a probe finds a consumer--&gt; TELLING: events are kept and told
 *    \&lt;------a frame finds no consumer any more------/
 * </pre>
 *
 * <p>Nothing ticks. The first change after a while wakes it; while nobody consumes, it asks then whether somebody does, and no
 * event is made. Who consumes on another node cannot be asked for: where events cross the cluster, they are told from when
 * that was switched on, to nobody if nobody is there.
 */
final class EventPublisher {
    private static final long PACE_MILLIS = 100;
    private static final long PROBE_MILLIS = 250;
    private static final int CAPACITY = 10_000;
    private static final int FRAMES_BETWEEN_LOOKS = 5;
    private static final DeliveryOptions LOCAL =
            new DeliveryOptions().setLocalOnly(true).setTracingPolicy(TracingPolicy.IGNORE);

    private static final Logger LOG = LoggerFactory.getLogger(EventPublisher.class);

    private final VertxInternal vertx;
    private final EngineRuntime runtime;
    private final StatusDeliveries deliveries;
    private final ContextInternal home;
    private final WorkerQueue workers;
    private final FramesForOthers others;
    private final Stream locks = new Stream(Addresses.EVENTS_LOCKS);
    private final Stream counters = new Stream(Addresses.EVENTS_COUNTERS);
    private final Stream contexts = new Stream(Addresses.EVENTS_CONTEXTS);
    private final List<Stream> streams = List.of(locks, counters, contexts);
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final List<Runnable> changeListeners = new CopyOnWriteArrayList<>();

    // Only touched on the event loop of home.
    private @Nullable Registration wakeUps;
    private @Nullable Registration listening;
    private boolean stopped;
    private boolean acrossCluster;

    EventPublisher(
            VertxInternal vertx,
            EngineRuntime runtime,
            StatusDeliveries deliveries,
            ContextInternal home,
            WorkerQueue workers) {
        this.vertx = vertx;
        this.runtime = runtime;
        this.deliveries = deliveries;
        this.home = home;
        this.workers = workers;
        this.others = new FramesForOthers(vertx, home, workers);
    }

    void start() {
        Registration registration = runtime.onFirstChange(this::wake);
        home.runOnContext(now -> {
            if (stopped) {
                registration.close();
            } else {
                wakeUps = registration;
            }
        });
        wake();
    }

    void stop() {
        home.runOnContext(now -> {
            stopped = true;
            if (wakeUps != null) {
                wakeUps.close();
            }
            stopListening();
        });
    }

    /** Says whether the nodes of the cluster hear of events too. */
    void setAcrossCluster(boolean across) {
        home.runOnContext(now -> {
            boolean begins = across && !acrossCluster;
            acrossCluster = across && vertx.isClustered();
            if (begins && acrossCluster) {
                streams.forEach(this::keepForOthers);
                wake();
            }
        });
    }

    /** From now on, whoever consumes here: what is so already is asked for by those who join. */
    private void keepForOthers(Stream stream) {
        if (stream.state == State.QUIET && !stopped) {
            stream.state = State.TELLING;
            listen();
        }
    }

    /** Has something run on the event loop of home soon after something changed, at most ten times a second. */
    Registration onChanges(Runnable listener) {
        changeListeners.add(listener);
        return () -> changeListeners.remove(listener);
    }

    /** Runs in whatever thread made a change. */
    private void wake() {
        if (!scheduled.compareAndSet(false, true)) {
            return;
        }
        boolean telling = streams.stream().anyMatch(stream -> stream.state == State.TELLING);
        try {
            var unused = home.setTimer(telling ? PACE_MILLIS : PROBE_MILLIS, id -> turn());
        } catch (RejectedExecutionException e) {
            // The Vertx is closed; nobody listens there. The mark stays, so that nobody tries again.
            LOG.debug("nothing is published in a Vertx that is closed", e);
        }
    }

    private void turn() {
        scheduled.set(false);
        if (stopped) {
            return;
        }
        // From here on the next change wakes us again.
        var unused = runtime.version();
        changeListeners.forEach(Runnable::run);
        for (Stream stream : streams) {
            if (stream.state == State.QUIET) {
                probe(stream);
            } else if (stream.state == State.TELLING) {
                tell(stream);
            }
        }
    }

    /** Asks whether somebody consumes; if so, the stream begins with what is so already. */
    private void probe(Stream stream) {
        stream.state = State.PROBING;
        onLoop(deliveries.isConsumed(stream.address), consumed -> {
            if (consumed.failed() || !consumed.result() || stopped) {
                stream.state = State.QUIET;
                if (acrossCluster) {
                    keepForOthers(stream);
                }
                return;
            }
            stream.state = State.FILLING;
            listen();
            // Counted before the snapshot is taken: who comes later is noticed as one more.
            onLoop(deliveries.count(stream.address), counted -> {
                stream.consumers = counted.succeeded() ? counted.result() : 0;
                fill(stream);
            });
        });
    }

    /** Adds what is so already to what is told next; of no harm to those who know it. */
    private void fill(Stream stream) {
        onLoop(workers.runOwn(home, runtime::status), taken -> {
            if (taken.failed()) {
                LOG.warn("events are not published for want of a snapshot", taken.cause());
                quiet(stream);
                return;
            }
            if (stream.keeps()) {
                fill(stream, taken.result());
                stream.state = State.TELLING;
                wake();
            }
        });
    }

    /** Looks now and then whether one more consumes, who has not heard what is so already. */
    private void lookForMore(Stream stream) {
        if (stream.frames++ % FRAMES_BETWEEN_LOOKS != 0) {
            return;
        }
        onLoop(deliveries.count(stream.address), counted -> {
            if (counted.succeeded() && stream.state == State.TELLING) {
                int before = stream.consumers;
                stream.consumers = counted.result();
                if (stream.consumers > before) {
                    fill(stream);
                }
            }
        });
    }

    /** Tells what is new. That nobody consumes any more shows only then. */
    private void tell(Stream stream) {
        EventFrame frame = stream.journal.drain(runtime.node(), runtime.counters());
        if (frame == null) {
            return;
        }
        Future<Void> written;
        try {
            written = vertx.eventBus().publisher(stream.address, LOCAL).write(frame);
        } catch (RuntimeException e) {
            written = Future.failedFuture(e);
        }
        if (acrossCluster) {
            others.tell(stream.address, frame);
        }
        onLoop(written, told -> {
            if (told.succeeded() || acrossCluster) {
                lookForMore(stream);
            } else {
                quiet(stream);
            }
        });
    }

    private void quiet(Stream stream) {
        stream.state = State.QUIET;
        stream.journal.clear();
        if (streams.stream().noneMatch(Stream::keeps)) {
            stopListening();
        }
    }

    /** All state is touched on one event loop. */
    private <T> void onLoop(Future<T> future, Consumer<AsyncResult<T>> then) {
        future.onComplete(done -> home.runOnContext(now -> then.accept(done)));
    }

    private void listen() {
        if (listening == null && !stopped) {
            listening = runtime.addListener(this::keep);
        }
    }

    private void stopListening() {
        if (listening != null) {
            listening.close();
            listening = null;
        }
    }

    /** Runs in whatever thread made the change. */
    private void keep(ContextEvent event) {
        Stream stream = event instanceof ContextEvent.CounterChanged
                ? counters
                : event instanceof ContextEvent.Lock ? locks : contexts;
        if (stream.keeps()) {
            stream.journal.add(event);
        }
    }

    private void fill(Stream stream, StatusSnapshot snapshot) {
        if (stream == locks) {
            Map<Long, LockType> types = new HashMap<>();
            for (LockStatus lock : snapshot.activeLocks()) {
                types.put(lock.lockId(), lock.lockType());
                stream.journal.addIfNew(new ContextEvent.LockHeld(
                        lock.holderId(), lock.holderPath(), lock.lockId(), lock.name(), lock.lockType(), lock.fence()));
            }
            for (LockWaiter waiter : snapshot.lockWaiters()) {
                stream.journal.addIfNew(new ContextEvent.WaitStarted(
                        waiter.contextId(),
                        waiter.contextPath(),
                        waiter.lockId(),
                        waiter.lockName(),
                        types.getOrDefault(waiter.lockId(), LockType.MUTEX)));
            }
            return;
        }
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.add(snapshot.globalContext());
        for (ContextStatus context = open.poll(); context != null; context = open.poll()) {
            if (stream == counters) {
                fillCounters(stream, context);
            } else {
                for (ContextStatus child : context.children()) {
                    stream.journal.addIfNew(
                            new ContextEvent.Opened(child.id(), child.path(), context.id(), child.kind()));
                }
            }
            open.addAll(context.children());
        }
    }

    private static void fillCounters(Stream stream, ContextStatus context) {
        Set<String> names = new LinkedHashSet<>(context.totalCounters().keySet());
        names.addAll(context.liveCounters().keySet());
        for (String name : names) {
            stream.journal.addIfNew(new ContextEvent.CounterChanged(
                    context.id(),
                    context.path(),
                    name,
                    context.totalCounters().getOrDefault(name, 0L),
                    context.liveCounters().getOrDefault(name, 0L)));
        }
    }

    private enum State {
        /** Nobody consumes, as far as is known. */
        QUIET,
        /** Whether somebody consumes is being asked. */
        PROBING,
        /** Events are kept, and what was so before is being added. */
        FILLING,
        /** Events are kept and told. */
        TELLING
    }

    private static final class Stream {
        final String address;
        final EventJournal journal = new EventJournal(CAPACITY);
        // Written on the event loop of home.
        volatile State state = State.QUIET;

        // Only touched there.
        int consumers;
        int frames;

        Stream(String address) {
            this.address = address;
        }

        boolean keeps() {
            return state == State.FILLING || state == State.TELLING;
        }
    }
}
