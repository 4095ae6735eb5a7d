package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.Engine;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeWaits;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.internal.http.HttpServerRequestInternal;
import io.vertx.core.metrics.Measured;
import io.vertx.core.net.NetSocket;
import io.vertx.core.shareddata.LocalMap;
import io.vertx.core.shareddata.Shareable;
import io.vertx.core.spi.metrics.Metrics;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of one {@link Vertx}: its runtime, and what makes contexts of verticles, requests and messages by itself.
 *
 * <p>With the jar on the class path every new Vertx has one, unless the system property {@link AutoInstall#PROPERTY} is
 * {@code false}. The first Vertx of a process adopts the default runtime, so that {@link FastnContext#global} in {@code main}
 * and in a verticle are the same tree; each further one has a runtime of its own. When the Vertx closes, everything in its
 * tree is cancelled and closed.
 */
public final class FastnVertx implements Shareable {
    private static final String KEY = "com.fastn.context.vertx";
    private static final Set<ContextKind> REQUESTS = Set.of(ContextKind.REQUEST, ContextKind.SESSION);
    private static final Set<ContextKind> MESSAGES = Set.of(ContextKind.MESSAGE);

    private final VertxInternal vertx;
    private final EngineRuntime runtime;
    private final ContextInternal home;
    private final VerticleContexts verticles;
    private final AutomaticContexts automatic = new AutomaticContexts();
    private final Listeners listeners = new Listeners(automatic);
    private final Sessions sessions = new Sessions(automatic, listeners);
    private final Endings endings;
    private final HttpContexts requests;
    private final PendingReplies pendingReplies;
    private final RemoteWaits remoteWaits;
    private final AwaitedReplies awaitedReplies;
    private final CalleeCancellation cancellation;
    private final StatusDeliveries deliveries;
    private final BusContexts bus;
    private final EventPublisher events;
    private final WorkerQueue workerQueue = new WorkerQueue();
    private final WorkerThreads workerThreads;
    private final SharedLines sharedLines;
    private final ConcurrentHashMap<ContextInternal, WorkerDeliveries> workerDeliveries = new ConcurrentHashMap<>();
    // Of Vert.x contexts that end with the Vertx, as those of no verticle do: there may be any number of them. And the
    // tasks that
    // wait for a thread of a pool that ends with it.
    private final WorkerDeliveries lastingDeliveries = new WorkerDeliveries();
    private final PoolWatches poolWatches = new PoolWatches();
    private final EventLoopDelays loopDelays;
    private final DatabaseCalls databaseCalls = new DatabaseCalls();

    private FastnVertx(VertxInternal vertx, EngineRuntime runtime, boolean atStart) {
        this.vertx = vertx;
        // What we do by ourselves is done here, on a context that belongs to no verticle and ends with the Vertx.
        this.home = vertx.createEventLoopContext();
        this.runtime = runtime;
        this.endings = new Endings(automatic, home);
        this.verticles = new VerticleContexts(vertx, runtime, automatic, listeners, endings);
        this.requests = new HttpContexts(
                verticles, automatic, listeners, sessions, new UntoldRequests(runtime, home, workerQueue));
        this.pendingReplies = new PendingReplies(runtime, home, workerQueue);
        this.remoteWaits = new RemoteWaits(runtime, home, workerQueue, pendingReplies);
        this.awaitedReplies = remoteWaits.replies();
        this.cancellation = new CalleeCancellation(vertx, runtime, home, automatic, awaitedReplies, pendingReplies);
        this.deliveries = new StatusDeliveries(vertx, home, () -> runtime.node().incarnation());
        this.bus = new BusContexts(
                runtime,
                verticles,
                automatic,
                cancellation,
                pendingReplies,
                awaitedReplies,
                deliveries,
                vertx.isClustered(),
                atStart && vertx.tracer() instanceof ContextTracer);
        this.events = new EventPublisher(vertx, runtime, deliveries, home, workerQueue);
        this.workerThreads = WorkerThreads.of(vertx.workerPool().executor());
        this.sharedLines = new SharedLines(runtime.root());
        this.loopDelays = new EventLoopDelays(vertx, home, runtime.ticker());
    }

    /**
     * Installs contexts in a Vertx, or gives what is installed already. Nothing needs to be called where the jar is on the
     * class path.
     *
     * @param vertx the Vertx
     * @return its contexts
     * @throws IllegalStateException if this Vertx was made before the jar was found, or without looking for services
     */
    @CanIgnoreReturnValue
    public static FastnVertx install(Vertx vertx) {
        requireNonNull(vertx, "vertx");
        FastnVertx known = installedIn(vertx);
        return known != null ? known : installFirst((VertxInternal) vertx, false);
    }

    /** The same for a Vertx that is being made, so that nobody has had it in his hands. */
    static void installAtStart(Vertx vertx) {
        if (installedIn(vertx) == null) {
            var unused = installFirst((VertxInternal) vertx, true);
        }
    }

    /** {@return a builder that installs contexts with options and an alias} */
    public static Builder builder() {
        return new Builder();
    }

    private static synchronized FastnVertx installFirst(VertxInternal vertx, boolean atStart) {
        FastnVertx known = installedIn(vertx);
        if (known != null) {
            return known;
        }
        if (!ContextSlot.isIn(vertx.createEventLoopContext())) {
            throw new IllegalStateException("this Vertx has no place for contexts, because it was made before"
                    + " fastn-context-vertx was found as a VertxServiceProvider; put the jar on the class path from the"
                    + " start, merge META-INF/services when repackaging, or make the Vertx after loading "
                    + ContextSlot.class.getName());
        }
        EngineRuntime runtime = Engine.claim(null);
        Deque<Registration> begun = new ArrayDeque<>();
        boolean whole = false;
        try {
            FastnVertx fastn = new FastnVertx(vertx, runtime, atStart);
            map(vertx).put(KEY, fastn);
            fastn.start(atStart, begun);
            whole = true;
            return fastn;
        } finally {
            if (!whole) {
                takeBack(vertx, runtime, begun);
            }
        }
    }

    /** Leaves nothing of contexts that could not be installed as a whole. */
    private static void takeBack(VertxInternal vertx, EngineRuntime runtime, Deque<Registration> begun) {
        map(vertx).remove(KEY);
        begun.forEach(each -> Quietly.run("what was begun was not taken back", each::close));
        runtime.attach(null);
        Engine.release(runtime);
    }

    static @Nullable FastnVertx installedIn(Vertx vertx) {
        return map(vertx).get(KEY);
    }

    private static LocalMap<String, FastnVertx> map(Vertx vertx) {
        return vertx.sharedData().getLocalMap(KEY);
    }

    /** Begins, and says of each thing that is begun how it is ended, the last first. */
    private void start(boolean atStart, Deque<Registration> begun) {
        runtime.attach(this);
        begun.push(workerThreads::close);
        Registration noticing = runtime.beforeSnapshot(this::noticeVerticles);
        begun.push(noticing);
        Registration cancelling = runtime.onCancelled(cancellation::cancelled);
        begun.push(cancelling);
        begun.push(bus.install(vertx.eventBus()));
        vertx.eventBus().registerDefaultCodec(EventFrame.class, new EventFrameCodec());
        begun.push(() -> vertx.eventBus().unregisterDefaultCodec(EventFrame.class));
        if (vertx.tracer() instanceof ContextTracer tracer) {
            tracer.bind(this);
            begun.push(() -> tracer.bind(null));
            if (!Metrics.METRICS_ENABLED) {
                TracerSlot.isNotToldOfRequests();
            }
        } else {
            TracerSlot.isLost(vertx.tracer());
        }
        Registration places = runtime.setBlockedPlaces(
                new BlockedPlaces(vertx, runtime, verticles, workerQueue, workerThreads)::list);
        begun.push(places);
        if (atStart) {
            // Later the application may have set a handler of its own, and Vert.x tells of none.
            new BlockedThreadWarnings(runtime).install(vertx);
        }
        events.start();
        begun.push(events::stop);
        cancellation.listen();
        vertx.addCloseHook(done -> {
            cancellation.stop();
            events.stop();
            noticing.close();
            places.close();
            workerThreads.close();
            if (vertx.tracer() instanceof ContextTracer tracer) {
                tracer.bind(null);
            }
            verticles.close();
            cancelAll().onComplete(ended -> {
                cancelling.close();
                Runnable end = () -> {
                    lastingDeliveries.close();
                    runtime.attach(null);
                    endAll();
                    Engine.release(runtime);
                    done.succeed();
                };
                if (lastingDeliveries.isEmpty()) {
                    end.run();
                } else {
                    // Whoever is told by it may block, and this may be an event loop, with the monitor of the Vertx.
                    runtime.aside(end);
                }
            });
        });
    }

    /** Completes when what is open has ended or had its time; what a verticle left behind has had it. */
    private Future<Void> cancelAll() {
        List<ContextNode> cancelled = new ArrayList<>();
        for (FastnContext open : runtime.root().children()) {
            ContextNode top = (ContextNode) open;
            if (!top.isCancelled()) {
                cancelled.add(top);
            }
        }
        return endings.cancel(runtime, cancelled, "the Vertx closes", () -> {
            cancelled.forEach(listeners::endAll);
            return endings.await(cancelled);
        });
    }

    /** Nobody is left to close what is still open. */
    private void endAll() {
        List<FastnContext> open = new ArrayList<>(runtime.root().children());
        for (int i = 0; i < open.size(); i++) {
            open.addAll(open.get(i).children());
        }
        // The deepest first, so that none waits for its children.
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    /**
     * Makes a Vertx that has no contexts and is no node: for code that observes, and must not observe itself.
     *
     * @param maker makes the Vertx, not clustered; it is called once, on another thread
     * @return the Vertx
     * @throws IllegalStateException if the maker throws
     */
    public static Vertx withoutContexts(Supplier<Vertx> maker) {
        return UnobservedThread.make(requireNonNull(maker, "maker"));
    }

    /** {@return the tree of this Vertx with its counters and locks} */
    public ContextRuntime runtime() {
        return runtime;
    }

    /** {@return who this node is} */
    public NodeIdentity node() {
        return runtime.node();
    }

    /**
     * Names this node. Its incarnation stays.
     *
     * @param alias what operators call it
     * @return this
     */
    @CanIgnoreReturnValue
    public FastnVertx alias(String alias) {
        runtime.rename(requireNonNull(alias, "alias"));
        return this;
    }

    /**
     * Gives the context of an HTTP request that is being served, from any thread and inside of any scope; once it has become a
     * WebSocket, the session.
     *
     * @param request the request
     * @return its context, or the one that its server runs in when it has none of its own
     * @throws IllegalArgumentException if it does not tell its Vert.x context, as a wrapper that is none of Vert.x's own
     */
    public FastnContext context(HttpServerRequest request) {
        requireNonNull(request, "request");
        if (request instanceof HttpServerRequestInternal internal) {
            ContextNode mine = ContextSlot.served(internal.context(), REQUESTS);
            return mine != null ? mine : verticles.of(internal.context().unwrap());
        }
        throw new IllegalArgumentException("a " + request.getClass().getName()
                + " does not tell its Vert.x context; take FastnContext.current() in its handler");
    }

    /**
     * Gives the context of an event bus message that is being consumed: asked in its handler, or in what follows on the same
     * Vert.x context.
     *
     * @param message the message
     * @return its context, or the one that its consumer runs in when it has none of its own
     * @throws IllegalStateException off a Vert.x context
     */
    public FastnContext context(Message<?> message) {
        requireNonNull(message, "message");
        ContextInternal here = ContextInternal.current();
        String replyAddress = message.replyAddress();
        ContextNode answering = replyAddress == null ? null : pendingReplies.of(replyAddress);
        if (answering != null) {
            return answering;
        }
        if (here == null) {
            throw new IllegalStateException("the message to \"" + message.address()
                    + "\" wants no reply, so its context is known in its handler only; call this there");
        }
        ContextNode mine = ContextSlot.served(here, MESSAGES);
        return mine != null ? ContextSlot.stillOpen(mine) : verticles.of(here.unwrap());
    }

    /**
     * Gives the context of a WebSocket that was accepted, from any thread; over a Unix domain socket in its handlers only.
     *
     * @param socket the WebSocket
     * @return its session, or the context that its server runs in when it has none
     */
    public FastnContext context(ServerWebSocket socket) {
        requireNonNull(socket, "socket");
        ContextNode mine = sessions.of(socket.remoteAddress(), socket.localAddress());
        return mine != null ? mine : sessionHere();
    }

    /**
     * Gives the context of a socket that came through {@link #sessions}, from any thread.
     *
     * @param socket the socket, as the handler got it
     * @return its session, or the context of the verticle that the caller runs in when it has none
     */
    public FastnContext context(NetSocket socket) {
        requireNonNull(socket, "socket");
        ContextNode ours = SessionSocket.sessionOf(socket);
        ContextNode mine = ours != null ? ours : sessions.of(socket.remoteAddress(), socket.localAddress());
        return mine != null ? mine : sessionHere();
    }

    private FastnContext sessionHere() {
        ContextInternal here = ContextInternal.current();
        if (here == null) {
            return runtime.root();
        }
        ContextNode mine = ContextSlot.served(here, REQUESTS);
        return mine != null ? ContextSlot.stillOpen(mine) : verticles.of(here.unwrap());
    }

    /**
     * Gives each socket of a net server a context, {@code session-<peer>}: {@code
     * server.connectHandler(FastnVertx.sessions(socket -> ..))}. Vert.x runs all sockets of a verticle on the verticle's own
     * context, and tells nobody when one is connected: so this is needed, and {@code connectHandler} alone is not observed.
     *
     * @param handler is given the socket; its handlers and futures run in the session, which ends with the connection
     * @return what the server is given
     */
    public static Handler<NetSocket> sessions(Handler<NetSocket> handler) {
        requireNonNull(handler, "handler");
        return socket -> {
            ContextInternal here = ContextInternal.current();
            FastnVertx fastn = here == null ? null : installedIn(here.owner());
            if (here == null || fastn == null) {
                handler.handle(socket);
            } else {
                SessionSocket.accept(fastn, here, socket, handler);
            }
        };
    }

    /**
     * Shows the port of a server from its {@code listen()} on: {@code
     * server.listen(8080).onSuccess(FastnVertx.listening())}, for HTTP servers and net servers alike. Vert.x tells nobody that a
     * server listens, so without this a port is noticed with its first connection, and that of a net server only where its
     * sockets come through {@link #sessions}.
     *
     * <p>The context, {@code http:8080} or {@code net:8080}, is the one that the first connection would have made, in the verticle
     * that listens. It ends with its verticle, or when the server is closed, which is noticed when somebody looks at the tree; of
     * several servers that a verticle has on one port, when the last one of those that were told is. Nothing happens where
     * contexts, or those of ports, are not wanted, and on the module path with Vert.x 5.0.
     *
     * @return what is to be told of a server that listens, on the Vert.x context that asked it to
     */
    public static Handler<Measured> listening() {
        return server -> {
            ContextInternal here = ContextInternal.current();
            FastnVertx fastn = here == null ? null : installedIn(here.owner());
            if (here != null && fastn != null) {
                Quietly.run("a port that is listened on is not shown", () -> fastn.listens(here, server));
            }
        };
    }

    private void listens(ContextInternal here, Measured server) {
        ContextNode verticle = verticles.hostOf(here.unwrap());
        ListeningServer listening = verticle == null ? null : ListeningServer.of(server);
        if (verticle != null && listening != null) {
            listeners.listens(verticle, listening);
        }
    }

    /**
     * Shows the connections of an HTTP server from their begin on: {@code
     * server.connectionHandler(FastnVertx.connections())}. Vert.x tells nobody else of those of HTTP/2, so without this they
     * are not counted, and their requests are children of the verticle and not of the port.
     *
     * <p>The requests of HTTP/2 then also last until their response has ended, where Vert.x itself tells no more than its head.
     *
     * @return what the server is given
     */
    public static Handler<HttpConnection> connections() {
        return connections(connection -> {});
    }

    /**
     * The same for a server that has a handler of connections already.
     *
     * @param handler is given the connection, as without this
     * @return what the server is given
     */
    public static Handler<HttpConnection> connections(Handler<HttpConnection> handler) {
        requireNonNull(handler, "handler");
        return connection -> {
            ContextInternal here = ContextInternal.current();
            FastnVertx fastn = here == null ? null : installedIn(here.owner());
            if (here != null && fastn != null) {
                Quietly.run("a connection was not observed", () -> fastn.requests.connected(here, connection));
            }
            handler.handle(connection);
        };
    }

    /**
     * Has questions about status answered here: those that are asked in this Vertx at {@link Addresses#STATUS}, {@link
     * Addresses#STATUS_QUERY} and {@link Addresses#STATUS_SUBSCRIBE}, which then never depend on another node; and those of other
     * nodes that fall to an application's consumer of {@link Addresses#STATUS}, which hears of changes and never of questions.
     * Called by the status verticle; there is one answerer at a time.
     *
     * @param answer is given each such question, on the Vert.x context that this is called on
     * @return closing it takes the answerer back
     * @throws IllegalStateException off a Vert.x context
     */
    public Registration answerStatus(StatusAnswerer answer) {
        return deliveries.answer(requireNonNull(answer, "answer"));
    }

    /**
     * Counts the consumers that an address of this library has in this Vertx, those of the answerer of {@link #answerStatus}
     * left out. They see nothing of it.
     *
     * @param address an address of {@link Addresses}
     * @return completes within a third of a second; a consumer whose thread is busy longer is not counted
     * @throws IllegalArgumentException if the address is not one of this library
     */
    public Future<Integer> consumers(String address) {
        requireNonNull(address, "address");
        if (!Addresses.isOurs(address)) {
            throw new IllegalArgumentException("consumers of \"" + address
                    + "\" cannot be counted, because they would see the probe; only those of " + Addresses.STATUS
                    + " and the like can");
        }
        return deliveries.count(address);
    }

    /**
     * Registers what is to run soon after something in the tree has changed, at most ten times a second, on an event loop of this
     * Vertx. Unlike a listener of the runtime it costs the one who makes a change nothing.
     *
     * @param listener what to run; it must not block, and not throw
     * @return closing it takes the listener back
     */
    public Registration onChanges(Runnable listener) {
        return events.onChanges(requireNonNull(listener, "listener"));
    }

    /**
     * Reads who waits for whom, of those who may be part of a circle of waits that leads over other nodes: contexts that hold
     * something and wait, for locks, for locks of the cluster, and for replies on the event bus. It walks over the tree, so it
     * belongs on a worker.
     *
     * @param least waits that are shorter are left out
     * @return who waits for whom
     */
    public NodeWaits waits(Duration least) {
        return remoteWaits.read(requireNonNull(least, "least"));
    }

    /** {@return how long each of the waits for replies and for locks of the cluster lasts at this moment, in no order} */
    public List<Duration> waitsForOthers() {
        return remoteWaits.ages();
    }

    /**
     * Registers what is to run when the next wait for a reply or for a lock of the cluster begins, once. At most one such hook is
     * kept.
     *
     * @param hook runs in the thread that begins to wait, so it has to return at once and must not throw
     * @return closing it takes the hook back
     */
    public Registration onNextWaitForOthers(Runnable hook) {
        return remoteWaits.onNext(requireNonNull(hook, "hook"));
    }

    /**
     * Begins to measure how late the event loops are that verticles run on: each is given an empty task once a second. Nothing is
     * measured while nobody has asked for it; the status verticle does while somebody watches.
     *
     * @return closing it ends it
     */
    public Registration measureEventLoops() {
        return loopDelays.measure();
    }

    /** {@return how late the event loops are that verticles run on; empty while nobody measures} */
    public List<EventLoopDelay> eventLoopDelays() {
        return loopDelays.list();
    }

    /** The context that is current at a place of this Vertx. */
    ContextNode at(ContextInternal place) {
        if (!Context.isOnEventLoopThread()
                && place == ContextInternal.current()
                && ContextEngine.get().currentOrNull() instanceof ContextNode here
                && here.runtime() == runtime) {
            return here;
        }
        ContextNode mine = ContextSlot.get(place);
        return mine != null ? ContextSlot.stillOpen(mine) : verticles.of(place.unwrap());
    }

    /**
     * Makes sure that every deployed verticle is in the tree by now, and the one that calls. Vert.x tells nobody when it
     * deploys a verticle: without this, one is noticed when something happens in it, or when a snapshot is taken, and its
     * duration begins then. The status verticle calls it with each hello, and soon after something has changed. Ports of {@link
     * #listening} whose servers were closed end with it.
     */
    public void noticeVerticles() {
        verticles.noticeAll();
        Quietly.run("ports whose servers were closed were not ended", listeners::endClosed);
    }

    Vertx vertx() {
        return vertx;
    }

    /** A Vert.x context that belongs to no verticle and ends with the Vertx. */
    ContextInternal home() {
        return home;
    }

    WorkerQueue workerQueue() {
        return workerQueue;
    }

    /** What is on its way to a Vert.x context that is not on an event loop. */
    WorkerDeliveries deliveriesTo(ContextInternal root) {
        if (root.closeFuture() == vertx.closeFuture()) {
            return lastingDeliveries;
        }
        WorkerDeliveries known = workerDeliveries.get(root);
        if (known != null) {
            return known;
        }
        WorkerDeliveries made = new WorkerDeliveries();
        WorkerDeliveries first = workerDeliveries.putIfAbsent(root, made);
        if (first != null) {
            return first;
        }
        boolean open = root.closeFuture().add(done -> {
            workerDeliveries.remove(root, made);
            made.close();
            done.succeed();
        });
        if (!open) {
            workerDeliveries.remove(root, made);
            made.close();
        }
        return made;
    }

    /** What is on its way until the Vertx closes. */
    WorkerDeliveries lastingDeliveries() {
        return lastingDeliveries;
    }

    /** Runs what may tell others, who may block, in a thread that does nothing else; here while the Vertx closes. */
    void aside(Runnable task) {
        if (runtime.environment() == this) {
            runtime.aside(task);
        } else {
            task.run();
        }
    }

    PoolWatches poolWatches() {
        return poolWatches;
    }

    SharedLines sharedLines() {
        return sharedLines;
    }

    VerticleContexts verticles() {
        return verticles;
    }

    BusContexts bus() {
        return bus;
    }

    CalleeCancellation cancellation() {
        return cancellation;
    }

    AwaitedReplies awaitedReplies() {
        return awaitedReplies;
    }

    RemoteWaits remoteWaits() {
        return remoteWaits;
    }

    AutomaticContexts automatic() {
        return automatic;
    }

    Listeners listeners() {
        return listeners;
    }

    Sessions sessions() {
        return sessions;
    }

    PendingReplies pendingReplies() {
        return pendingReplies;
    }

    HttpContexts requests() {
        return requests;
    }

    /** The names of what is asked of databases. */
    DatabaseCalls databaseCalls() {
        return databaseCalls;
    }

    /** The root Vert.x context on which new tasks of a context run. */
    ContextInternal placeOf(ContextNode context) {
        ContextInternal place = verticles.placeOf(context);
        if (place != null) {
            return place;
        }
        ContextInternal here = ContextInternal.current();
        return here != null && here.owner() == vertx ? here.unwrap() : home;
    }

    /**
     * The explicit form of installing: with options, and a name for the node. For one thread.
     *
     * <p>{@code FastnVertx.builder().alias("alice").options(options).install(vertx)}
     */
    public static final class Builder {
        private VertxContextOptions options = new VertxContextOptions();
        private @Nullable String alias;

        private Builder() {}

        /**
         * Names the node.
         *
         * @param name what operators call it
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder alias(String name) {
            alias = requireNonNull(name, "name");
            return this;
        }

        /**
         * Says what is made by itself, and how it is called.
         *
         * @param wanted the options; copied
         * @return this
         */
        @CanIgnoreReturnValue
        public Builder options(VertxContextOptions wanted) {
            options = new VertxContextOptions(wanted);
            return this;
        }

        /**
         * Installs contexts in a Vertx. Where they are installed already, as by the jar alone, the options count from now on.
         *
         * @param vertx the Vertx
         * @return its contexts
         * @throws IllegalStateException if this Vertx was made before the jar was found, or without looking for services
         */
        @CanIgnoreReturnValue
        public FastnVertx install(Vertx vertx) {
            FastnVertx fastn = FastnVertx.install(vertx);
            fastn.automatic.configure(options);
            fastn.events.setAcrossCluster(options.isEventsAcrossCluster());
            if (alias != null) {
                fastn.alias(alias);
            }
            return fastn;
        }
    }
}
