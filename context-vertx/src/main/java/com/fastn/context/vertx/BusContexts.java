package com.fastn.context.vertx;

import com.fastn.context.ContextEngine;
import com.fastn.context.Registration;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextKind;
import io.vertx.core.Handler;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.internal.ContextInternal;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of event bus messages, and the caller link that goes with them: in a header where a message may leave its
 * Vertx, otherwise without one (see {@link SenderPlace}).
 *
 * <p>A message's context is a child of the verticle that consumes it. It ends with its reply; where none is expected, when
 * the handler has returned and its operations are done; then it is remembered. Interceptors do it, because they are
 * unlimited and removable, while a Vertx has one tracer only.
 */
final class BusContexts {
    static final String FAILED_SENDS = "failed_sends";
    private static final String DELIVERED_UNOBSERVED = "a message was delivered unobserved";

    private final EngineRuntime runtime;
    private final VerticleContexts verticles;
    private final AutomaticContexts automatic;
    private final CalleeCancellation cancellation;
    private final PendingReplies replies;
    private final AwaitedReplies awaited;
    private final StatusDeliveries statusDeliveries;
    private final CallerHeaders headers;
    private final AddressNames names = new AddressNames();
    private final boolean clustered;
    // Nothing leaves this Vertx, our tracer sees each message off, and nobody's interceptor is before ours: then
    // senders
    // need no headers.
    private final boolean inside;

    BusContexts(
            EngineRuntime runtime,
            VerticleContexts verticles,
            AutomaticContexts automatic,
            CalleeCancellation cancellation,
            PendingReplies replies,
            AwaitedReplies awaited,
            StatusDeliveries statusDeliveries,
            boolean clustered,
            boolean firstAndLast) {
        this.runtime = runtime;
        this.verticles = verticles;
        this.automatic = automatic;
        this.cancellation = cancellation;
        this.replies = replies;
        this.awaited = awaited;
        this.statusDeliveries = statusDeliveries;
        this.headers = new CallerHeaders(cancellation);
        this.clustered = clustered;
        this.inside = !clustered && firstAndLast && SenderPlace.exists();
    }

    Registration install(EventBus bus) {
        Handler<DeliveryContext<Object>> out = this::sent;
        Handler<DeliveryContext<Object>> in = this::delivered;
        bus.addOutboundInterceptor(out);
        bus.addInboundInterceptor(in);
        return () -> {
            bus.removeOutboundInterceptor(out);
            bus.removeInboundInterceptor(in);
        };
    }

    // --- out

    private void sent(DeliveryContext<Object> delivery) {
        if (isAnswered(delivery)) {
            return;
        }
        try {
            delivery.next();
            wentToAnotherNode(delivery);
        } catch (Throwable t) {
            // Its codec failed perhaps, and nobody tells the tracer so.
            Quietly.run("a message that was not sent was not counted", () -> notSent(delivery.message()));
            throw t;
        } finally {
            if (inside) {
                SenderPlace.empty(delivery.message());
            }
        }
    }

    private void notSent(Message<?> message) {
        String replyAddress = message.replyAddress();
        if (replyAddress != null) {
            awaited.end(replyAddress);
        }
        if (!Addresses.isOurs(message.address())
                && ContextEngine.get().currentOrNull() instanceof ContextNode sender
                && sender.runtime() == runtime) {
            sender.incrementTotal(FAILED_SENDS);
        }
    }

    /** Observes a message that is about to leave, and says whether it need not. */
    private boolean isAnswered(DeliveryContext<Object> delivery) {
        try {
            return observe(delivery);
        } catch (RuntimeException | LinkageError | AssertionError e) {
            Quietly.failed("a message was sent unobserved", e);
            return false;
        }
    }

    private boolean observe(DeliveryContext<Object> delivery) {
        Message<Object> message = delivery.message();
        String address = message.address();
        if (Addresses.isInternal(address)) {
            // Who waits for it on this node sees the tree without the message. On another node nobody does, and it has
            // to be encoded.
            if (!clustered || !replies.isForAnotherNode(address)) {
                replied(address, delivery.body());
            }
            return false;
        }
        if (Addresses.isOurs(address)) {
            return statusDeliveries.isAnsweredHere(delivery);
        }
        if (inside && SenderPlace.isAddress(address)) {
            return true;
        }
        if (clustered || automatic.options().isMessages()) {
            // Otherwise nobody reads it.
            nameCaller(message);
        }
        return false;
    }

    /**
     * One that could not be encoded was no reply: there may come another one, which then is. Not seen where the connection
     * to the other node is not up yet, as the reply is encoded later then, nor where an interceptor that was added after ours
     * keeps the failure from us: such a reply counts.
     */
    private void wentToAnotherNode(DeliveryContext<Object> delivery) {
        String address = delivery.message().address();
        if (clustered && Addresses.isInternal(address)) {
            Quietly.run("a reply was not counted", () -> replied(address, delivery.body()));
        }
    }

    private void replied(String address, @Nullable Object body) {
        ContextNode answered = replies.take(address);
        if (answered != null) {
            if (answered.isCancelled()) {
                answered.incrementTotal("cancelled_messages");
            } else if (body instanceof ReplyException failure) {
                answered.incrementTotal("failed_messages");
                answered.failed(failure);
            } else {
                answered.incrementTotal("successful_messages");
            }
            answered.closeWhenDone();
        }
    }

    private void nameCaller(Message<Object> message) {
        ContextNode caller = caller();
        if (caller == null) {
            if (message.headers().contains(CallerHeader.NAME)) {
                message.headers().remove(CallerHeader.NAME);
            }
        } else if (!inside) {
            // Not add: the headers may be those of delivery options that the application uses again and again.
            message.headers()
                    .set(CallerHeader.NAME, headers.header(caller, runtime.node(), message.replyAddress() != null));
        }
    }

    /** Told by the tracer, of a message that has passed all interceptors. */
    void leaves(Message<?> message) {
        if (inside && message.replyAddress() == null && automatic.options().isMessages()) {
            ContextNode caller = Addresses.isInternal(message.address()) ? null : caller();
            if (caller != null) {
                SenderPlace.fill(message, headers.sender(caller, runtime.node()));
            }
        }
    }

    /** What an address is called, by whoever sends there and whoever is asked. */
    String nameOf(String address) {
        return names.name(address);
    }

    /** The context that the calling thread sends messages for, or null when that is the root or nobody's. */
    @Nullable
    ContextNode caller() {
        return ContextEngine.get().currentOrNull() instanceof ContextNode caller
                        && caller.runtime() == runtime
                        && caller.parent() != null
                ? caller
                : null;
    }

    // --- in

    private void delivered(DeliveryContext<Object> delivery) {
        if (isTaken(delivery)) {
            return;
        }
        ContextNode context = begin(delivery.message());
        if (context == null) {
            delivery.next();
            return;
        }
        try {
            delivery.next();
        } finally {
            end(delivery.message(), context);
        }
    }

    private boolean isTaken(DeliveryContext<Object> delivery) {
        try {
            return statusDeliveries.isTaken(delivery);
        } catch (RuntimeException | LinkageError | AssertionError e) {
            Quietly.failed(DELIVERED_UNOBSERVED, e);
            return false;
        }
    }

    /** Observes a message that is about to be handled, in a context that this thread has entered; null without one. */
    private @Nullable ContextNode begin(Message<Object> message) {
        try {
            return enter(message);
        } catch (RuntimeException | LinkageError | AssertionError e) {
            Quietly.failed(DELIVERED_UNOBSERVED, e);
            return null;
        }
    }

    private static void end(Message<Object> message, ContextNode context) {
        try {
            handled(message, context);
        } catch (RuntimeException | LinkageError | AssertionError e) {
            Quietly.failed(DELIVERED_UNOBSERVED, e);
        }
    }

    private @Nullable ContextNode enter(Message<Object> message) {
        String sender = inside ? SenderPlace.empty(message) : null;
        String address = message.address();
        if (Addresses.isInternal(address)) {
            awaited.end(address);
            return null;
        }
        ContextNode context = Addresses.isOurs(address) ? null : open(message, sender);
        if (context != null) {
            context.enterThread();
        }
        return context;
    }

    private static void handled(Message<Object> message, ContextNode context) {
        context.leaveThread();
        if (message.replyAddress() == null) {
            // Nobody replies, so it has ended when nothing is left of it.
            Endings.whenNothingIsLeft(context);
        }
    }

    private @Nullable ContextNode open(Message<Object> message, @Nullable String sender) {
        if (!automatic.options().isMessages()) {
            return null;
        }
        ContextInternal here = ContextInternal.current();
        if (here == null || !here.isDuplicate()) {
            return null;
        }
        ContextNode consumer = verticles.hostOf(here.unwrap());
        if (consumer == null) {
            return null;
        }
        String replyAddress = message.replyAddress();
        AwaitedReplies.Awaited asked = replyAddress == null ? null : awaited.of(replyAddress);
        CallerHeader.Caller caller = callerOf(message, sender, asked);
        ContextNode context = automatic.openCounted(
                consumer,
                ContextKind.MESSAGE,
                // Called the same as the operation of who waits, so that the two are found together.
                asked == null ? nameOf(message.address()) : asked.name(),
                caller == null ? null : caller.link(),
                "messages");
        if (context == null) {
            return null;
        }
        try {
            consumer.touch("message");
            ContextSlot.put(here, context);
            if (replyAddress != null) {
                replies.expect(replyAddress, context, caller == null ? null : caller.key());
                if (caller != null && cancellation.isCancelled(caller, asked)) {
                    // It has waited for its turn, and was not found when its caller was cancelled.
                    PendingReplies.cancelFor(caller.link(), context);
                }
            }
            return context;
        } catch (RuntimeException | LinkageError | AssertionError e) {
            // Nobody else would end it.
            context.close();
            throw e;
        }
    }

    private CallerHeader.@Nullable Caller callerOf(
            Message<Object> message, @Nullable String sender, AwaitedReplies.@Nullable Awaited asked) {
        if (sender != null) {
            return headers.readSender(sender, runtime.node());
        }
        if (inside && asked != null) {
            return headers.caller(asked.caller(), runtime.node());
        }
        String header = message.headers().get(CallerHeader.NAME);
        if (header == null) {
            return null;
        }
        CallerHeader.Caller caller = headers.read(header, runtime.node(), message.replyAddress() != null);
        if (caller == null) {
            runtime.misuse("a message had a \"" + CallerHeader.NAME + "\" header that is none; it was ignored");
        }
        return caller;
    }
}
