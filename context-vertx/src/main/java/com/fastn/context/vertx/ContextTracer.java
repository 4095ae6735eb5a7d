package com.fastn.context.vertx;

import com.fastn.context.Operation;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.ContextKind;
import io.vertx.core.Context;
import io.vertx.core.eventbus.Message;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.spi.tracing.SpanKind;
import io.vertx.core.spi.tracing.TagExtractor;
import io.vertx.core.spi.tracing.VertxTracer;
import io.vertx.core.tracing.TracingPolicy;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a context of each HTTP request that is served, and an operation of each call that a client of Vert.x makes: HTTP,
 * SQL, Redis, a request on the bus. The user's tracer, if there is one, is told everything that it would be told without us.
 *
 * <p>What we do never throws into Vert.x. What the user's tracer throws goes where it would go without us.
 */
final class ContextTracer implements VertxTracer<Object, Object> {
    private static final Logger LOG = LoggerFactory.getLogger(ContextTracer.class);
    private static final String UNOBSERVED = "a request or call was not observed";

    // Vert.x tells of the end also where no payload was made.
    private static final Received NOT_RECEIVED = new Received(null, null, null);
    private static final Sent NOT_SENT = new Sent(null, null);

    private final @Nullable VertxTracer<Object, Object> users;
    private volatile @Nullable FastnVertx fastn;

    @SuppressWarnings("unchecked") // each payload goes back to the tracer that made it
    ContextTracer(@Nullable VertxTracer<?, ?> users) {
        this.users = (VertxTracer<Object, Object>) users;
    }

    /** Begins to observe; until then, and after {@code null}, only the user's tracer is told. */
    void bind(@Nullable FastnVertx owner) {
        fastn = owner;
    }

    @Override
    public <R> @Nullable Object receiveRequest(
            Context context,
            SpanKind kind,
            TracingPolicy policy,
            R request,
            String operation,
            Iterable<Map.Entry<String, String>> headers,
            TagExtractor<R> tagExtractor) {
        if (isOurs(request)) {
            return null;
        }
        Object usersPayload = users == null
                ? null
                : users.receiveRequest(context, kind, policy, request, operation, headers, tagExtractor);
        if (request instanceof Message) {
            // Messages have interceptors, which also see what no tracer does.
            if (usersPayload == null) {
                return null;
            }
            ContextNode consumed = fastn == null ? null : ContextSlot.get((ContextInternal) context);
            if (consumed != null && consumed.kind() == ContextKind.MESSAGE) {
                keepTraceIds(context, consumed);
            }
            return new Received(usersPayload, null, null);
        }
        FastnVertx owner = fastn;
        HttpContexts.Exchange served = null;
        if (owner != null) {
            try {
                served = owner.requests()
                        .begin((ContextInternal) context, request, operation, path(request, tagExtractor));
            } catch (RuntimeException | LinkageError | AssertionError e) {
                Quietly.failed(UNOBSERVED, e);
            }
        }
        if (usersPayload != null && served != null) {
            keepTraceIds(context, served.served());
        }
        return usersPayload == null && served == null ? null : new Received(usersPayload, served, owner);
    }

    private static void keepTraceIds(Context context, ContextNode node) {
        Quietly.run(UNOBSERVED, () -> TraceIds.keep((ContextInternal) context, node));
    }

    @Override
    public <R> void sendResponse(
            Context context,
            @Nullable R response,
            @Nullable Object payload,
            @Nullable Throwable failure,
            TagExtractor<R> tagExtractor) {
        Received received = payload instanceof Received ours ? ours : NOT_RECEIVED;
        try {
            if (users != null && (payload == null || received.usersPayload() != null)) {
                users.sendResponse(context, response, received.usersPayload(), failure, tagExtractor);
            }
        } finally {
            HttpContexts.Exchange served = received.served();
            FastnVertx owner = received.owner();
            if (served != null && owner != null) {
                try {
                    owner.requests().end(served, response, failure, status(response, tagExtractor));
                } catch (RuntimeException | LinkageError | AssertionError e) {
                    Quietly.failed(UNOBSERVED, e);
                }
            }
        }
    }

    @Override
    public <R> @Nullable Object sendRequest(
            Context context,
            SpanKind kind,
            TracingPolicy policy,
            R request,
            String operation,
            BiConsumer<String, String> headers,
            TagExtractor<R> tagExtractor) {
        if (isOurs(request)) {
            return null;
        }
        Object usersPayload = users == null
                ? null
                : users.sendRequest(context, kind, policy, request, operation, headers, tagExtractor);
        FastnVertx owner = fastn;
        Runnable end = null;
        if (owner != null) {
            try {
                if (request instanceof Message<?> message) {
                    end = ask(owner, message);
                    // The last thing: who looks at it before sees it as it was sent.
                    owner.bus().leaves(message);
                } else if (owner.automatic().options().isClientCalls()) {
                    end = call(owner, (ContextInternal) context, request, operation, tagExtractor);
                }
            } catch (RuntimeException | LinkageError | AssertionError e) {
                Quietly.failed(UNOBSERVED, e);
            }
        }
        return usersPayload == null && end == null ? null : new Sent(usersPayload, end);
    }

    @Override
    public <R> void receiveResponse(
            Context context,
            @Nullable R response,
            @Nullable Object payload,
            @Nullable Throwable failure,
            TagExtractor<R> tagExtractor) {
        Sent sent = payload instanceof Sent ours ? ours : NOT_SENT;
        try {
            if (users != null && (payload == null || sent.usersPayload() != null)) {
                users.receiveResponse(context, response, sent.usersPayload(), failure, tagExtractor);
            }
        } finally {
            Runnable end = sent.end();
            if (end != null) {
                Quietly.run(UNOBSERVED, end);
            }
        }
    }

    @Override
    public void close() {
        if (users != null) {
            users.close();
        }
    }

    /** Begins the operation of a client call; what ends it is run when the response comes. */
    @SuppressWarnings("MustBeClosedChecker") // closed when the response comes
    private static <R> @Nullable Runnable call(
            FastnVertx owner, ContextInternal context, R request, String operation, TagExtractor<R> tagExtractor) {
        ContextNode caller = owner.at(context);
        if (caller.parent() == null) {
            return null;
        }
        return caller.operation(clientCall(owner, request, operation, tagExtractor))::close;
    }

    /**
     * Begins the wait for a reply. Where client calls are no operations it is one nonetheless: the end of who waits is that of
     * who works on it.
     */
    @SuppressWarnings("MustBeClosedChecker") // closed when the reply comes
    private static @Nullable Runnable ask(FastnVertx owner, Message<?> message) {
        ContextNode caller = owner.bus().caller();
        String replyAddress = message.replyAddress();
        // Vert.x never tells of the end of a question that is asked by a reply.
        if (caller == null || replyAddress == null || Addresses.isInternal(message.address())) {
            return null;
        }
        String name = owner.bus().nameOf(message.address());
        AwaitedReplies replies = owner.awaitedReplies();
        long now = caller.runtime().ticker().nanos();
        Operation running =
                owner.automatic().options().isClientCalls() ? caller.operation(replies.operationOf(name), now) : null;
        Runnable end = replies.expect(replyAddress, caller, name, running, now);
        if (caller.isCancelled()) {
            // Nobody is told of that any more.
            owner.cancellation().waitsInVain(caller);
        }
        return end;
    }

    /** Whether it is a message that would not be there without us: nobody wants to find it in his traces. */
    private static boolean isOurs(Object request) {
        return request instanceof Message<?> message && Addresses.isOurs(message.address());
    }

    private static <R> String clientCall(FastnVertx owner, R request, String operation, TagExtractor<R> tagExtractor) {
        String url = tag(request, tagExtractor, "url.full", "http.url");
        if (url != null) {
            return owner.requests().callNames().call(method(request, operation, tagExtractor), url);
        }
        String sql = tag(request, tagExtractor, "db.query.text", "db.statement");
        if (sql != null) {
            return owner.databaseCalls().statement(sql);
        }
        String command = tag(request, tagExtractor, "db.operation.name");
        return command == null
                ? operation
                : owner.databaseCalls().command(tag(request, tagExtractor, "db.system"), command);
    }

    /** A method is any word that somebody sent on; a name that the application gave to the operation is its own. */
    private static <R> String method(R request, String operation, TagExtractor<R> tagExtractor) {
        String known = HttpNames.method(operation);
        return known.equals(operation)
                        || operation.equals(tag(request, tagExtractor, "http.request.method", "http.method"))
                ? known
                : operation;
    }

    private static <R> String path(R request, TagExtractor<R> tagExtractor) {
        String path = tag(request, tagExtractor, "url.path");
        if (path != null) {
            return path;
        }
        String url = tag(request, tagExtractor, "url.full", "http.url");
        return url == null ? "" : HttpNames.pathOf(url);
    }

    private static <R> int status(@Nullable R response, TagExtractor<R> tagExtractor) {
        String status =
                response == null ? null : tag(response, tagExtractor, "http.response.status_code", "http.status_code");
        if (status == null || status.length() != 3) {
            return 0;
        }
        try {
            return Integer.parseInt(status);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** Reads one tag, without computing the others; one that cannot be read is none. */
    private static <R> @Nullable String tag(R request, TagExtractor<R> tagExtractor, String... names) {
        try {
            int count = tagExtractor.len(request);
            for (String name : names) {
                for (int i = 0; i < count; i++) {
                    if (name.equals(tagExtractor.name(request, i))) {
                        return tagExtractor.value(request, i);
                    }
                }
            }
        } catch (RuntimeException e) {
            LOG.debug("a request or response does not tell of itself", e);
        }
        return null;
    }

    private record Received(
            @Nullable Object usersPayload,
            HttpContexts.@Nullable Exchange served,
            @Nullable FastnVertx owner) {}

    private record Sent(
            @Nullable Object usersPayload, @Nullable Runnable end) {}
}
