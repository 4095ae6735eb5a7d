package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.CancelReport;
import com.fastn.context.status.ContextKind;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What is made by itself in a Vertx, and how it is called. For one thread; {@link FastnVertx.Builder#options} takes a copy.
 *
 * <p>What a system property {@link #PROPERTY_PREFIX} with the name of a part turns off ({@code
 * -Dfastn.context.requests=false}) is off in new options; a setter has the last word.
 */
public final class VertxContextOptions {
    /** What the names of the system properties begin with that turn a part off. */
    public static final String PROPERTY_PREFIX = "fastn.context.";

    /** How long a verticle or Vertx that ends waits for the work in it, unless said. */
    public static final Duration DEFAULT_GRACE = Duration.ofSeconds(1);

    private final Map<ContextKind, Double> shares = new EnumMap<>(ContextKind.class);
    private boolean requests = isOn("requests");
    private boolean messages = isOn("messages");
    private boolean listeners = isOn("listeners");
    private boolean sessions = isOn("sessions");
    private boolean clientCalls = isOn("client-calls");
    private boolean cancelCallees = isOn("cancel-callees");
    private boolean eventsAcrossCluster = "true".equals(System.getProperty(PROPERTY_PREFIX + "events-across-cluster"));
    private Duration grace = DEFAULT_GRACE;
    private ContextNames names = (kind, name) -> name;
    private RoutePatterns routes = RoutePatterns.NONE;
    private Consumer<CancelReport> unstopped = report -> {};

    /** Makes options in which everything is on that no system property turns off. */
    public VertxContextOptions() {}

    /**
     * Copies options.
     *
     * @param other the options
     */
    public VertxContextOptions(VertxContextOptions other) {
        shares.putAll(other.shares);
        requests = other.requests;
        messages = other.messages;
        listeners = other.listeners;
        sessions = other.sessions;
        clientCalls = other.clientCalls;
        cancelCallees = other.cancelCallees;
        eventsAcrossCluster = other.eventsAcrossCluster;
        grace = other.grace;
        names = other.names;
        routes = other.routes;
        unstopped = other.unstopped;
    }

    private static boolean isOn(String part) {
        return !"false".equals(System.getProperty(PROPERTY_PREFIX + part));
    }

    /** {@return whether each HTTP request that is served has a context} */
    public boolean isRequests() {
        return requests;
    }

    /**
     * Says whether each HTTP request that is served has a context. Property {@code requests}.
     *
     * @param on whether it has
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setRequests(boolean on) {
        requests = on;
        return this;
    }

    /** {@return whether each event bus message that is consumed has a context} */
    public boolean isMessages() {
        return messages;
    }

    /**
     * Says whether each event bus message that is consumed has a context. Property {@code messages}.
     *
     * @param on whether it has
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setMessages(boolean on) {
        messages = on;
        return this;
    }

    /** {@return whether each port that is listened on has a context, with the requests and sessions in it} */
    public boolean isListeners() {
        return listeners;
    }

    /**
     * Says whether each port that is listened on has a context, in which the requests and sessions are; otherwise they are
     * those of the verticle. Property {@code listeners}.
     *
     * @param on whether it has
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setListeners(boolean on) {
        listeners = on;
        return this;
    }

    /** {@return whether each WebSocket and each socket of {@link FastnVertx#sessions} has a context} */
    public boolean isSessions() {
        return sessions;
    }

    /**
     * Says whether each WebSocket and each socket of {@link FastnVertx#sessions} has a context. Property {@code sessions}.
     *
     * @param on whether it has
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setSessions(boolean on) {
        sessions = on;
        return this;
    }

    /** {@return whether each call that a client of Vert.x makes is an operation of its caller} */
    public boolean isClientCalls() {
        return clientCalls;
    }

    /**
     * Says whether each call that a client of Vert.x makes is an operation of its caller. Property {@code client-calls}.
     *
     * @param on whether it is
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setClientCalls(boolean on) {
        clientCalls = on;
        return this;
    }

    /** {@return whether the cancellation of a caller reaches who works on its requests on the bus} */
    public boolean isCancelCallees() {
        return cancelCallees;
    }

    /**
     * Says whether the cancellation of a caller reaches the contexts that work on its requests on the event bus, on this node
     * and on others. Property {@code cancel-callees}.
     *
     * @param on whether it does
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setCancelCallees(boolean on) {
        cancelCallees = on;
        return this;
    }

    /** {@return whether consumers on other nodes of the cluster hear of events here} */
    public boolean isEventsAcrossCluster() {
        return eventsAcrossCluster;
    }

    /**
     * Says whether consumers of {@code fastn.events.*} on other nodes of the cluster hear of events here too, as JSON. Off
     * unless said or switched on by the property {@code events-across-cluster}: nobody can be asked whether one is there, so
     * events are made all the time, and nothing slows down who publishes where a consumer is slow. To watch other nodes, open
     * a stream of their status instead.
     *
     * @param across whether they do
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setEventsAcrossCluster(boolean across) {
        eventsAcrossCluster = across;
        return this;
    }

    /** {@return how long a verticle or Vertx that ends waits for the work in it} */
    public Duration getGrace() {
        return grace;
    }

    /**
     * Says how long a verticle or Vertx that ends waits for the work that it has cancelled, before it tells in the log what did
     * not stop. Nothing waits where nothing is open. As long as that, and a second at least, it waits before for handlers of the
     * cancellation that were registered off Vert.x.
     *
     * @param time zero or negative waits for nothing
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setGrace(Duration time) {
        grace = requireNonNull(time, "time");
        return this;
    }

    /**
     * Says how contexts that are made by themselves are called, and which are not made.
     *
     * @param by gives the name of each
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setNames(ContextNames by) {
        names = requireNonNull(by, "by");
        return this;
    }

    /**
     * Has only a share of the contexts of a kind opened. What has none runs in the context around it, and is counted there
     * as {@code unsampled_requests}, {@code unsampled_messages} or {@code unsampled_sessions}.
     *
     * @param kind {@code REQUEST}, {@code MESSAGE} or {@code SESSION}
     * @param share from 0 (none) to 1 (all, as unless said)
     * @return this
     * @throws IllegalArgumentException if the kind or the share is another
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setSampling(ContextKind kind, double share) {
        boolean known = kind == ContextKind.REQUEST || kind == ContextKind.MESSAGE || kind == ContextKind.SESSION;
        if (!known || !(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("a share of " + share + " of " + kind
                    + " cannot be sampled; take REQUEST, MESSAGE or SESSION, and a share from 0 to 1");
        }
        shares.put(kind, share);
        return this;
    }

    /**
     * Names requests after a route: {@code GET /users/:name}, or without a method for all of them. A segment that begins
     * with a colon takes any one segment, a last segment {@code *} all that follow. Of several that fit, the first that was
     * added counts; a request that fits none is named by its folded path. {@link WebContexts#addRoutes} adds those of a
     * vertx-web router.
     *
     * @param route the route
     * @return this
     * @throws IllegalArgumentException if it is none
     */
    @CanIgnoreReturnValue
    public VertxContextOptions addRoute(String route) {
        routes = routes.with(route);
        return this;
    }

    /**
     * Says who is told what did not stop within the grace time; it stands in the log anyway.
     *
     * @param told is given the report, on a thread of Vert.x or of a timer
     * @return this
     */
    @CanIgnoreReturnValue
    public VertxContextOptions setUnstopped(Consumer<CancelReport> told) {
        unstopped = requireNonNull(told, "told");
        return this;
    }

    Consumer<CancelReport> unstopped() {
        return unstopped;
    }

    /** Whether one more context of a kind is opened, by its share. */
    boolean isSampled(ContextKind kind, double random) {
        Double share = shares.get(kind);
        return share == null || random < share;
    }

    boolean samples() {
        return !shares.isEmpty();
    }

    ContextNames names() {
        return names;
    }

    RoutePatterns routes() {
        return routes;
    }
}
