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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The contexts of event bus messages, and the caller link that goes with them.
 *
 * <p>A message's context is a child of the verticle that consumes it. It ends with its reply; where none is expected, when
 * the handler has returned and its operations are done; then it is remembered. Interceptors do it, because they are unlimited and removable, while
 * a Vertx has one tracer only.
 */
final class BusContexts {
    private static final Logger LOG = LoggerFactory.getLogger(BusContexts.class);

    private final EngineRuntime runtime;
    private final VerticleContexts verticles;
    private final AutomaticContexts automatic;
    private final CalleeCancellation cancellation;
    private final PendingReplies replies;
    private final AwaitedReplies awaited;
    private final StatusDeliveries statusDeliveries;

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
        try {
            Message<Object> message = delivery.message();
            String address = message.address();
            if (Addresses.isInternal(address)) {
                replied(address, delivery.body());
            } else if (!Addresses.isOurs(address)) {
                nameCaller(message);
            } else if (statusDeliveries.isAnsweredHere(delivery)) {
                return;
            }
        } catch (RuntimeException e) {
            LOG.error("a message was sent unobserved", e);
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
            message.headers().set(CallerHeader.NAME, CallerHeader.write(runtime.node(), cancellation.key(), caller));
        } else if (message.headers().contains(CallerHeader.NAME)) {
            message.headers().remove(CallerHeader.NAME);
        }
    }

    // --- in

    private void delivered(DeliveryContext<Object> delivery) {
        ContextNode context = null;
        boolean mine = false;
        try {
            String address = delivery.message().address();
            cancellation.listen();
            if (statusDeliveries.isTaken(delivery)) {
                mine = true;
            } else if (Addresses.isInternal(address)) {
                awaited.end(address);
            } else if (!Addresses.isOurs(address)) {
                context = open(delivery.message());
            }
        } catch (RuntimeException e) {
            LOG.error("a message was delivered unobserved", e);
        }
        if (mine) {
            return;
        }
        if (context == null) {
            delivery.next();
            return;
        }
        context.enterThread();
        try {
            delivery.next();
        } finally {
            context.leaveThread();
            if (delivery.message().replyAddress() == null) {
                // Nobody replies, so it has ended when nothing is left of it.
                Endings.whenNothingIsLeft(context);
            }
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
        CallerHeader.Caller caller = CallerHeader.read(header);
        if (caller == null) {
            runtime.misuse("a message had a \"" + CallerHeader.NAME + "\" header that is none; it was ignored");
        }
        return caller;
    }
}
