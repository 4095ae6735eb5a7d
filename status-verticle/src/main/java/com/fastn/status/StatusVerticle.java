package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.system.OshiMachine;
import com.fastn.status.system.SamplerThread;
import com.fastn.status.system.SystemSampler;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.shareddata.LocalMap;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells what this node and its cluster are doing: over the event bus, over HTTP on this machine, and to applications that
 * consume {@code fastn.status}. Deploy one per Vertx.
 *
 * <p>It asks for nothing else: the tree of contexts is there by itself. When its deployment has succeeded, the nodes of the
 * cluster know each other.
 *
 * <pre>{@code
 * vertx.deployVerticle(new StatusVerticle(new StatusOptions().setAlias("alice")));
 * vertx.eventBus().request("fastn.status", new JsonObject().put("format", "text"))
 *     .onSuccess(reply -> System.out.println(reply.body()));
 * }</pre>
 *
 * <p>A bad option, an address that is taken or a second status verticle in one Vertx fails the deployment, with a message
 * that says what to do.
 */
public final class StatusVerticle extends VerticleBase {
    private static final String DEPLOYED = "com.fastn.status.deployed";
    private static final int WORKERS = 2;
    /** Of a cluster manager that is busy with a merge; a usual one needs some milliseconds. */
    private static final long LONGEST_REGISTRATION_MILLIS = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(StatusVerticle.class);

    private final @Nullable StatusOptions given;
    private final PortTempo tempo;
    private final Ticker ticker = Ticker.system();

    // Mutable state: what was started, in this order, and is stopped in the opposite one.
    private boolean deployed;
    private @Nullable WorkerExecutor worker;
    private @Nullable Registry registry;
    private @Nullable Registry checkRegistry;
    private @Nullable SamplerThread samplerThread;
    private @Nullable Registration metrics;
    private @Nullable BusService bus;
    private @Nullable StreamService streams;
    private @Nullable HelloExchange hellos;
    private @Nullable StatusPublisher publisher;
    private @Nullable ClusterPublisher clusterPublisher;
    private @Nullable DeadlockWatch deadlocks;
    private volatile @Nullable StatusPort port;
    private @Nullable NodeDescriptor descriptor;
    private boolean stopping;

    /** Makes a verticle that takes its options from the deployment's configuration, in their JSON form. */
    public StatusVerticle() {
        this.given = null;
        this.tempo = PortTempo.USUAL;
    }

    /**
     * Makes a verticle.
     *
     * @param options how it behaves; the deployment's configuration is not looked at
     */
    public StatusVerticle(StatusOptions options) {
        this(options, PortTempo.USUAL);
    }

    StatusVerticle(StatusOptions options, PortTempo tempo) {
        this.given = new StatusOptions(options);
        this.tempo = tempo;
    }

    /** {@return where the status port listens, such as {@code http://127.0.0.1:40123}, or {@code null} while it does not} */
    public @Nullable String url() {
        StatusPort open = port;
        return open == null ? null : open.url();
    }

    @Override
    public Future<?> start() {
        StatusOptions options = given != null ? given : new StatusOptions(config());
        options.check();
        claimVertx();
        return startParts(options).recover(failure -> stop().transform(stopped -> Future.failedFuture(failure)));
    }

    /** Two in one Vertx would answer twice, and each take the other for a stranger with its own name. */
    private void claimVertx() {
        LocalMap<String, String> map = vertx.sharedData().getLocalMap(DEPLOYED);
        String other = map.putIfAbsent(DEPLOYED, deploymentID());
        if (other != null) {
            throw new IllegalStateException("a status verticle is deployed in this Vertx already, as " + other
                    + "; one answers for all of its verticles, so deploy it once, with one instance");
        }
        deployed = true;
    }

    private Future<?> startParts(StatusOptions options) {
        FastnVertx fastn = FastnVertx.install(vertx);
        if (options.getAlias() != null) {
            fastn.alias(options.getAlias());
        }
        fastn.noticeVerticles();
        NodeIdentity self = fastn.node();
        WorkerExecutor workers = vertx.createSharedWorkerExecutor("fastn-status-" + deploymentID(), WORKERS);
        worker = workers;
        Registry known = Registry.of(vertx, deploymentID());
        registry = known;
        // What others ask for and is not answered must not keep the node from looking for itself.
        Registry checked = Registry.of(vertx, deploymentID() + "-check");
        checkRegistry = checked;
        if (options.isSystemMetrics()) {
            SystemSampler sampler = new SystemSampler(OshiMachine::new, Path.of("/"), ticker);
            samplerThread = new SamplerThread(sampler);
            metrics = fastn.runtime().setSystemMetrics(sampler::latest);
        }
        LocalStatus local =
                new LocalStatus(fastn.runtime(), samplerThread, StandingWarnings.of(options, fastn.runtime()));
        Duration forgetAfter = Duration.ofMillis(options.getForgetAfter());
        NodeDirectory directory = options.getHelloInterval() == 0
                ? NodeDirectory.withoutHellos(self, BootTime.of(self), forgetAfter, ticker)
                : new NodeDirectory(self, BootTime.of(self), forgetAfter, ticker);
        ClusterTrust trust = ClusterTrust.of(vertx, options.isTrustCluster());
        local.addWarning(trust::warning);
        local.addWarning(directory::warning);
        local.addWarning(new LateEventLoops(fastn::eventLoopDelays)::warning);
        PeerBytes bytes = new PeerBytes(ticker);
        local.addWarning(bytes::warning);
        Watches watches = new Watches(vertx, workers, local, directory, bytes, ticker);
        watches.whileWatched(fastn::measureEventLoops);
        StreamService subscribed = new StreamService(vertx, workers, self, local, watches, trust, ticker);
        streams = subscribed;
        ClusterQuery cluster =
                new ClusterQuery(vertx, workers, local, directory, trust, options.getQueryTimeout(), bytes, ticker);
        boolean publishes = options.getPublish() == StatusPublication.CLUSTER;
        StatusPublisher status = publishes
                ? StatusPublisher.ofCluster(vertx, fastn, workers, this::speak, ticker)
                : StatusPublisher.ofNode(vertx, fastn, workers, watches, ticker);
        publisher = status;
        ClusterPublisher everywhere = publishes
                ? new ClusterPublisher(
                        vertx,
                        known,
                        fastn,
                        workers,
                        directory,
                        watches,
                        trust,
                        status::isConsumed,
                        this::sayHello,
                        ticker)
                : null;
        clusterPublisher = everywhere;
        DeadlockWatch circles = new DeadlockWatch(
                vertx,
                fastn,
                workers,
                directory,
                options.getDeadlockSearchAfter(),
                options.getQueryTimeout(),
                ticker,
                watches::turned);
        deadlocks = circles;
        local.addDeadlocks(circles::reports);
        local.addWarning(circles::warning);
        local.addWarning(circles::notSearched);
        BusService service = new BusService(
                vertx,
                workers,
                circles,
                local,
                cluster,
                subscribed,
                trust,
                new TreePages(fastn.runtime(), trust, ticker),
                new ToldSince(ticker),
                new RemoteCancel(vertx, workers, fastn.runtime(), options.isAllowRemoteCancel(), trust));
        bus = service;
        SelfCheck check = new SelfCheck(
                vertx,
                checked,
                () -> addresses().stream().map(KeptAddress::address).toList(),
                self.incarnation(),
                () -> KeptAddress.registerAnew(addresses()));
        local.addWarning(check::warning);
        local.addWarning(check::forgotten);
        HelloExchange exchange = new HelloExchange(
                vertx,
                known,
                workers,
                local,
                directory,
                watches::isClusterWatched,
                publishes,
                new HelloExchange.Listener() {
                    @Override
                    public void telling() {
                        status.look();
                        check.look();
                        heard();
                    }

                    @Override
                    public void heard() {
                        if (everywhere != null) {
                            everywhere.look();
                        }
                    }
                });
        hellos = exchange;
        return soon(service.start(fastn, self))
                .compose(answering -> soon(check.start()))
                .compose(witnessed -> soon(exchange.start(options.getHelloInterval())))
                .compose(met -> {
                    status.start();
                    if (everywhere != null) {
                        everywhere.start();
                    }
                    circles.start();
                    NodeChecks checks =
                            new NodeChecks(vertx, known, fastn, directory, options.getQueryTimeout(), ticker);
                    return openPort(options, local, directory, new VerticleDoor(context, cluster, watches, checks));
                })
                .compose(open -> writeDescriptor(options, self, workers));
    }

    /**
     * {@return completes when the cluster manager knows what was registered, or after a while} A node that is not found yet is of use
     * all the same, and registers itself anew later, unless hellos are off; one whose registration is refused is not. What is refused
     * later than that is only logged.
     */
    private Future<Void> soon(Future<Void> registered) {
        Promise<Void> told = SelfCheck.promise(vertx);
        long late = vertx.setTimer(LONGEST_REGISTRATION_MILLIS, id -> {
            if (told.tryComplete()) {
                LOG.warn(
                        "the cluster manager did not say within {} s that it knows the addresses of this node; other nodes may"
                                + " find it later",
                        LONGEST_REGISTRATION_MILLIS / 1_000);
            }
        });
        registered.onComplete(done -> vertx.cancelTimer(late));
        registered.onSuccess(told::tryComplete).onFailure(failure -> {
            if (!told.tryFail(failure) && !stopping) {
                LOG.warn("the cluster manager refused an address of this node; other nodes may not find it", failure);
            }
        });
        return told.future();
    }

    private void sayHello() {
        if (hellos != null) {
            hellos.speak();
        }
    }

    /** The node that publishes looks who consumes when it hears this. */
    private void speak() {
        sayHello();
        if (clusterPublisher != null) {
            clusterPublisher.look();
        }
    }

    /** What this node registers, and registers anew when it is lost. */
    private List<KeptAddress> addresses() {
        List<KeptAddress> all = new ArrayList<>();
        if (bus != null) {
            all.addAll(bus.addresses());
        }
        if (hellos != null) {
            all.addAll(hellos.addresses());
        }
        if (publisher != null) {
            all.addAll(publisher.addresses());
        }
        return all;
    }

    private Future<Void> openPort(StatusOptions options, LocalStatus local, NodeDirectory directory, BusDoor bus) {
        if (!options.isHttp()) {
            return Future.succeededFuture();
        }
        CompletableFuture<StatusPort> opening = StatusPort.open(options, local, directory, bus, ticker, tempo);
        return Future.fromCompletionStage(opening, context).map(opened -> {
            port = opened;
            return null;
        });
    }

    /** A node that cannot be found by itself is still of use, so this does not fail the deployment. */
    private Future<Void> writeDescriptor(StatusOptions options, NodeIdentity self, WorkerExecutor workers) {
        String url = url();
        if (!options.isDescriptors() || url == null) {
            return Future.succeededFuture();
        }
        Path folder = NodeDescriptor.folder(System::getProperty, System::getenv);
        return workers.executeBlocking(
                        () -> NodeDescriptor.write(
                                folder,
                                self,
                                NodeDescriptor.Access.of(url, options),
                                NodeDescriptor.OwnProcess.current(),
                                ticker.wallTime()),
                        false)
                .onSuccess(written -> {
                    descriptor = written;
                    removeStale(written, workers);
                })
                .onFailure(failure -> LOG.warn(
                        "no node descriptor could be written to {}, so \"fastn status\" does not find this node by"
                                + " itself; set FASTN_RUNTIME_DIR to a folder that this process may write, or ask {} by"
                                + " its address",
                        folder,
                        url,
                        failure))
                .<Void>mapEmpty()
                .otherwiseEmpty();
    }

    /** Nobody waits for it. */
    private static void removeStale(NodeDescriptor written, WorkerExecutor workers) {
        workers.executeBlocking(
                        () -> {
                            written.removeStale(StaleDescriptors.Processes.system());
                            return null;
                        },
                        false)
                .onFailure(failure -> LOG.debug("descriptors of killed nodes were not looked for", failure));
    }

    @Override
    public Future<?> stop() {
        stopping = true;
        List<Supplier<Future<?>>> steps = List.of(
                this::removeDescriptor,
                this::closePort,
                this::stopWatching,
                () -> hellos == null ? Future.succeededFuture() : hellos.stop(),
                () -> bus == null ? Future.succeededFuture() : bus.stop(),
                this::closeMetrics,
                () -> registry == null ? Future.succeededFuture() : registry.close(),
                () -> checkRegistry == null ? Future.succeededFuture() : checkRegistry.close(),
                () -> worker == null ? Future.succeededFuture() : worker.close(),
                this::releaseVertx);
        Future<?> stopped = Future.succeededFuture();
        for (Supplier<Future<?>> step : steps) {
            stopped = stopped.transform(before -> attempt(step));
        }
        return stopped;
    }

    /** A part that does not stop must not keep the others from it. */
    private static Future<Void> attempt(Supplier<Future<?>> step) {
        Future<?> done;
        try {
            done = step.get();
        } catch (RuntimeException e) {
            done = Future.failedFuture(e);
        }
        return done.onFailure(failure -> LOG.warn("a part of the status verticle did not stop cleanly", failure))
                .<Void>mapEmpty()
                .otherwiseEmpty();
    }

    private Future<?> stopWatching() {
        if (deadlocks != null) {
            deadlocks.stop();
        }
        if (publisher != null) {
            publisher.stop();
        }
        if (clusterPublisher != null) {
            clusterPublisher.stop();
        }
        if (streams != null) {
            streams.stop();
        }
        return Future.succeededFuture();
    }

    private Future<?> removeDescriptor() {
        NodeDescriptor written = descriptor;
        WorkerExecutor workers = worker;
        if (written == null || workers == null) {
            return Future.succeededFuture();
        }
        return workers.executeBlocking(
                () -> {
                    written.close();
                    return null;
                },
                false);
    }

    private Future<?> closePort() {
        StatusPort open = port;
        port = null;
        return open == null ? Future.succeededFuture() : Future.fromCompletionStage(open.close(), context);
    }

    private Future<?> closeMetrics() {
        if (metrics != null) {
            metrics.close();
        }
        if (samplerThread != null) {
            samplerThread.close();
        }
        return Future.succeededFuture();
    }

    private Future<?> releaseVertx() {
        if (deployed) {
            vertx.sharedData().<String, String>getLocalMap(DEPLOYED).removeIfPresent(DEPLOYED, deploymentID());
        }
        return Future.succeededFuture();
    }
}
