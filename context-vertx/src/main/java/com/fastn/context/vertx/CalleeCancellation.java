package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.CallerLink;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.tracing.TracingPolicy;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries the cancellation of a caller to whoever works on its requests on the event bus, on this node and on others.
 *
 * <p>Nothing is done for it while messages travel: who works for whom is looked up when a context that waits is cancelled, and
 * when a request begins to be worked on, whether its caller still waits.
 * Other nodes are told in bounded messages, {@code 2 incarnation id:key,id:key,..}. Each caller has a key of its own, which
 * stands in the header of its requests, so that nobody can stop work for a caller who has not seen a request of that caller.
 * Ids can be guessed and keys cannot: a key is made of the id and a secret that never leaves this node.
 */
final class CalleeCancellation {
    static final int MOST_CHARS = 1_024;
    static final int MOST_CALLERS = 25;

    private static final String VERSION = "2";
    private static final int KEY_BYTES = 8;
    private static final int SECRET_BYTES = 32;
    private static final long RETRY_MILLIS = 20;
    private static final long SLICE_NANOS = 1_000_000;
    private static final String ALGORITHM = "HmacSHA256";
    private static final Logger LOG = LoggerFactory.getLogger(CalleeCancellation.class);

    private final VertxInternal vertx;
    private final EngineRuntime runtime;
    private final ContextInternal home;
    private final AutomaticContexts automatic;
    private final AwaitedReplies awaited;
    private final PendingReplies pending;
    private final SecretKeySpec secret;
    private final HeardCancellations heard;
    private final ConcurrentLinkedQueue<Long> cancelled = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private volatile boolean listening;
    private volatile boolean stopped;

    CalleeCancellation(
            VertxInternal vertx,
            EngineRuntime runtime,
            ContextInternal home,
            AutomaticContexts automatic,
            AwaitedReplies awaited,
            PendingReplies pending) {
        this.vertx = vertx;
        this.runtime = runtime;
        this.home = home;
        this.automatic = automatic;
        this.awaited = awaited;
        this.pending = pending;
        this.heard = new HeardCancellations(runtime.ticker());
        byte[] random = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(random);
        this.secret = new SecretKeySpec(random, ALGORITHM);
    }

    /** Whether a cancellation may have to go to another node. */
    boolean hasKeys() {
        return vertx.isClustered();
    }

    /** What a cancellation of a caller of this node has to name on another node. */
    String keyOf(ContextNode caller) {
        return keyOf(caller.id());
    }

    private String keyOf(long id) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(secret);
            byte[] code =
                    mac.doFinal(ByteBuffer.allocate(Long.BYTES).putLong(id).array());
            return HexFormat.of().formatHex(code, 0, KEY_BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has " + ALGORITHM, e);
        }
    }

    // --- out

    /** Runs in whatever thread cancels, for each context. */
    void cancelled(ContextNode caller) {
        if (awaited.mayWait(caller)) {
            waitsInVain(caller);
        }
    }

    /** Tells whoever works for a context that is cancelled and waits for a reply. */
    void waitsInVain(ContextNode caller) {
        if (!automatic.options().isCancelCallees()) {
            return;
        }
        cancelled.add(caller.id());
        if (scheduled.compareAndSet(false, true)) {
            try {
                home.runOnContext(now -> relay());
            } catch (RejectedExecutionException e) {
                LOG.debug("nobody is told of cancellations in a Vertx that is closed", e);
            }
        }
    }

    private void relay() {
        scheduled.set(false);
        Set<Long> ids = new HashSet<>();
        for (Long id = cancelled.poll(); id != null; id = cancelled.poll()) {
            ids.add(id);
        }
        String incarnation = runtime.node().incarnation();
        // First, for nothing runs in between that is not ours: handlers of a cancellation may take their time.
        if (vertx.isClustered()) {
            tellOthers(incarnation, new ArrayList<>(awaited.waiting(ids)));
        }
        cancelSome(pending.callees(incarnation, ids));
    }

    /** Cancels callees one after the other, and lets others have the event loop in between. */
    private void cancelSome(Deque<ContextNode> callees) {
        long began = runtime.ticker().nanos();
        for (ContextNode callee = callees.poll(); callee != null; callee = callees.poll()) {
            CallerLink caller = callee.caller();
            if (caller != null) {
                PendingReplies.cancelFor(caller, callee);
            }
            if (runtime.ticker().nanos() - began >= SLICE_NANOS && !callees.isEmpty() && continuesLater(callees)) {
                return;
            }
        }
    }

    private boolean continuesLater(Deque<ContextNode> callees) {
        try {
            home.runOnContext(now -> cancelSome(callees));
            return true;
        } catch (RejectedExecutionException e) {
            LOG.debug("what is worked on in a Vertx that is closed is cancelled at once", e);
            return false;
        }
    }

    private void tellOthers(String incarnation, List<Long> ids) {
        DeliveryOptions unobserved = new DeliveryOptions().setTracingPolicy(TracingPolicy.IGNORE);
        for (int from = 0; from < ids.size(); from += MOST_CALLERS) {
            String some = ids.subList(from, Math.min(ids.size(), from + MOST_CALLERS)).stream()
                    .map(id -> id + ":" + keyOf(id))
                    .collect(Collectors.joining(","));
            vertx.eventBus().publish(Addresses.CANCEL, VERSION + ' ' + incarnation + ' ' + some, unobserved);
        }
    }

    // --- in

    /**
     * Begins to hear of cancellations elsewhere, as soon as there is an event bus: of its beginning nobody is told, and the first
     * message may already be work that is cancelled.
     */
    void listen() {
        if (vertx.isClustered()) {
            home.runOnContext(now -> tryToListen());
        }
    }

    private void tryToListen() {
        try {
            vertx.eventBus()
                    .consumer(Addresses.CANCEL, this::heard)
                    .completion()
                    .onSuccess(registered -> listening = true)
                    .onFailure(this::notHeard);
        } catch (IllegalStateException e) {
            if (stopped) {
                return;
            }
            LOG.trace("there is no event bus yet", e);
            retry();
        } catch (RuntimeException e) {
            notHeard(e);
        }
    }

    private void retry() {
        try {
            var unused = home.setTimer(RETRY_MILLIS, again -> tryToListen());
        } catch (RejectedExecutionException e) {
            LOG.debug("cancellations are not heard of in a Vertx that is closed", e);
        }
    }

    private void notHeard(Throwable failure) {
        if (!stopped) {
            LOG.warn("cancellations of callers on other nodes are not heard", failure);
        }
    }

    /** Says that the Vertx closes, so that nothing needs to be heard. */
    void stop() {
        stopped = true;
    }

    /** What was heard of lately. */
    HeardCancellations heard() {
        return heard;
    }

    /** Whether cancellations elsewhere are heard of by now. */
    boolean isListening() {
        return listening;
    }

    private void heard(Message<Object> message) {
        try {
            Told told = message.body() instanceof String text ? read(text) : null;
            if (told == null) {
                runtime.misuse("a message to \"" + Addresses.CANCEL + "\" was none that we write; it was ignored");
            } else if (!told.incarnation.equals(runtime.node().incarnation())
                    && automatic.options().isCancelCallees()) {
                // First remembered: who begins to work now either is found or finds it.
                heard.add(told.incarnation, told.keys);
                Deque<ContextNode> callees = new ArrayDeque<>();
                boolean genuine = pending.callees(told.incarnation, told.keys, callees);
                cancelSome(callees);
                if (!genuine) {
                    runtime.misuse("a cancellation came from somebody who had not seen the request for the work; it was"
                            + " ignored");
                }
            }
        } catch (RuntimeException e) {
            LOG.error("a cancellation on another node was not carried over", e);
        }
    }

    /** Reads what another node told; null when it is not what we write. */
    static @Nullable Told read(String text) {
        if (text.length() > MOST_CHARS) {
            return null;
        }
        String[] parts = text.split(" ", -1);
        if (parts.length != 3 || !parts[0].equals(VERSION) || parts[1].isEmpty()) {
            return null;
        }
        Map<Long, String> keys = new HashMap<>();
        try {
            for (String caller : parts[2].split(",", -1)) {
                int colon = caller.indexOf(':');
                if (colon < 0 || caller.length() != colon + 1 + 2 * KEY_BYTES) {
                    return null;
                }
                keys.put(Long.parseLong(caller.substring(0, colon)), caller.substring(colon + 1));
            }
        } catch (NumberFormatException e) {
            return null;
        }
        return keys.size() > MOST_CALLERS ? null : new Told(parts[1], keys);
    }

    /**
     * Whether who asks was cancelled before its request is handled, so that this is to be cancelled too.
     *
     * @param caller who asks, as the request says
     * @param asked who asks, where that is a context of this node
     */
    boolean isCancelled(CallerHeader.Caller caller, AwaitedReplies.@Nullable Awaited asked) {
        if (asked == null ? heard.isEmpty() : !asked.caller().isCancelled()) {
            return false;
        }
        return automatic.options().isCancelCallees()
                && (asked != null
                        || heard.contains(
                                caller.link().incarnation(), caller.link().contextId(), caller.key()));
    }

    /** What another node told: which of its contexts were cancelled, each with its key. */
    record Told(String incarnation, Map<Long, String> keys) {}
}
