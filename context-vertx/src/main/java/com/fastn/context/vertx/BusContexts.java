package com.fastn.context.vertx;

import com.fastn.context.ContextEngine;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextKind;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.internal.ContextInternal;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of event bus messages, and the caller link that goes with them.
 *
 * <p>A message's context is a child of the verticle that consumes it. It ends with its reply; where none is expected, when
 * the handler has returned and its operations are done; then it is remembered. Interceptors do it, because they are
 * unlimited and removable, while a Vertx has one tracer only.
 */
final class BusContexts {
    private static final String DELIVERED_UNOBSERVED = "a message was delivered unobserved";

    private final EngineRuntime runtime;
    private final VerticleContexts verticles;
    private final AutomaticContexts automatic;
    private final CalleeCancellation cancellation;
    private final PendingReplies replies;
    private final AwaitedReplies awaited;
    private final StatusDeliveries statusDeliveries;
    private final PathTexts paths = new PathTexts();

    BusContexts(
            EngineRuntime runtime,
            VerticleContexts verticles,
            AutomaticContexts automatic,
            CalleeCancellation cancellation,
            PendingReplies replies,
            AwaitedReplies awaited,
            StatusDeliveries statusDeliveries) {
        this.runtime = runtime;
        this.verticles = verticles;
        this.automatic = automatic;
        this.cancellation = cancellation;
        this.replies = replies;
        this.awaited = awaited;
        this.statusDeliveries = statusDeliveries;
    }

    void install(EventBus bus) {
        bus.addOutboundInterceptor(this::sent);
        bus.addInboundInterceptor(this::delivered);
    }

    // --- out

    private void sent(DeliveryContext<Object> delivery) {
        if (Boolean.TRUE.equals(Quietly.get("a message was sent unobserved", () -> isAnswered(delivery)))) {
            return;
        }
        try {
            delivery.next();
        } catch (Throwable t) {
            // It was not sent, for want of a codec perhaps, and nobody tells the tracer so.
            String replyAddress = delivery.message().replyAddress();
            if (replyAddress != null) {
                awaited.end(replyAddress);
            }
            throw t;
        }
    }

    /** Observes a message that is about to leave, and says whether it need not. */
    private boolean isAnswered(DeliveryContext<Object> delivery) {
        Message<Object> message = delivery.message();
        String address = message.address();
        if (Addresses.isInternal(address)) {
            replied(address, delivery.body());
            return false;
        }
        if (Addresses.isOurs(address)) {
            return statusDeliveries.isAnsweredHere(delivery);
        }
        nameCaller(message);
        return false;
    }

    /** Before the reply goes out: whoever sees it sees the tree without the message. */
    private void replied(String address, @Nullable Object body) {
        ContextNode answered = replies.take(address);
        if (answered != null) {
            if (body instanceof ReplyException failure) {
                answered.incrementTotal("failed_messages");
                answered.failed(failure);
            } else {
                answered.incrementTotal("successful_messages");
            }
            answered.closeWhenDone();
        }
    }

    private void nameCaller(Message<Object> message) {
        if (ContextEngine.get().currentOrNull() instanceof ContextNode caller
                && caller.runtime() == runtime
                && caller.parent() != null) {
            // Not add: the headers may be those of delivery options that the application uses again and again.
            String key = message.replyAddress() == null ? null : cancellation.keyOf(caller);
            message.headers()
                    .set(
                            CallerHeader.NAME,
                            CallerHeader.write(runtime.node(), key, caller.id(), paths.of(caller.path())));
        } else if (message.headers().contains(CallerHeader.NAME)) {
            message.headers().remove(CallerHeader.NAME);
        }
    }

    // --- in

    private void delivered(DeliveryContext<Object> delivery) {
        if (Boolean.TRUE.equals(Quietly.get(DELIVERED_UNOBSERVED, () -> statusDeliveries.isTaken(delivery)))) {
            return;
        }
        ContextNode context = Quietly.get(DELIVERED_UNOBSERVED, () -> begin(delivery.message()));
        if (context == null) {
            delivery.next();
            return;
        }
        try {
            delivery.next();
        } finally {
            Quietly.run(DELIVERED_UNOBSERVED, () -> handled(delivery.message(), context));
        }
    }

    /** Observes a message that is about to be handled, in a context that this thread has entered; null without one. */
    private @Nullable ContextNode begin(Message<Object> message) {
        String address = message.address();
        cancellation.listen();
        if (Addresses.isInternal(address)) {
            awaited.end(address);
            return null;
        }
        ContextNode context = Addresses.isOurs(address) ? null : open(message);
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

    private @Nullable ContextNode open(Message<Object> message) {
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
        CallerHeader.Caller caller = caller(message);
        ContextNode context =
                automatic.open(consumer, ContextKind.MESSAGE, message.address(), caller == null ? null : caller.link());
        if (context == null) {
            return null;
        }
        context.persist();
        context.incrementTotal("messages");
        context.incrementLive("messages");
        consumer.touch("message");
        ContextSlot.put(here, context);
        String replyAddress = message.replyAddress();
        if (replyAddress != null) {
            replies.expect(replyAddress, context, caller == null ? null : caller.key());
        }
        return context;
    }

    private CallerHeader.@Nullable Caller caller(Message<Object> message) {
        String header = message.headers().get(CallerHeader.NAME);
        if (header == null) {
            return null;
        }
        CallerHeader.Caller caller = CallerHeader.read(header, runtime.node());
        if (caller == null) {
            runtime.misuse("a message had a \"" + CallerHeader.NAME + "\" header that is none; it was ignored");
        }
        return caller;
    }
}
