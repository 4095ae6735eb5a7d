package com.fastn.context.vertx;

import com.fastn.context.Ticker;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.AppFrames;
import com.fastn.context.status.BlockedPlace;
import com.fastn.context.status.CauseKind;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Context;
import io.vertx.core.impl.VertxThread;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.internal.WorkerExecutorInternal;
import io.vertx.core.internal.deployment.DeploymentContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The event loops of a Vertx that are held up at this moment, and its worker pools that are full: what {@link
 * EngineRuntime#setBlockedPlaces} is told. An event loop counts as held up for as long as Vert.x itself allows a handler to
 * take; a pool when each of its threads has been at one task for {@link #POOL_FULL}, and tasks wait.
 */
final class BlockedPlaces {
    static final Duration POOL_FULL = Duration.ofSeconds(2);

    /** Where Vert.x itself has its pools by their names. */
    static final String SHARED_POOLS = "__vertx.shared.workerPools";

    private static final Logger LOG = LoggerFactory.getLogger(BlockedPlaces.class);
    private static final int MOST_CONTEXTS = 50;
    private static final String DEFAULT_POOL = "vert.x-worker-thread";

    private final VertxInternal vertx;
    private final EngineRuntime runtime;
    private final VerticleContexts verticles;
    private final WorkerQueue queue;
    private final WorkerThreads workers;
    private volatile boolean unknown;
    private volatile boolean sharedUnknown;

    BlockedPlaces(
            VertxInternal vertx,
            EngineRuntime runtime,
            VerticleContexts verticles,
            WorkerQueue queue,
            WorkerThreads workers) {
        this.vertx = vertx;
        this.runtime = runtime;
        this.verticles = verticles;
        this.queue = queue;
        this.workers = workers;
    }

    List<BlockedPlace> list() {
        if (unknown) {
            return List.of();
        }
        try {
            return look();
        } catch (LinkageError e) {
            // On the module path that class of Vert.x is not to be seen, and a later Vert.x may not have it.
            unknown = true;
            LOG.debug("blocked event loops and full pools are not known here", e);
            return List.of();
        }
    }

    private List<BlockedPlace> look() {
        List<VertxThread> busy = busyThreads();
        if (busy.isEmpty()) {
            return List.of();
        }
        Map<Thread, String> loops = blockedLoops(busy);
        List<Pool> pools = fullPools(busy);
        if (loops.isEmpty() && pools.isEmpty()) {
            return List.of();
        }
        Map<Thread, List<ContextNode>> running = runtime.contextsOn(new HashSet<>(busy));
        List<BlockedPlace> places = new ArrayList<>();
        for (VertxThread thread : busy) {
            if (loops.containsKey(thread)) {
                places.add(new BlockedPlace(
                        CauseKind.EVENT_LOOP,
                        thread.getName(),
                        since(thread),
                        at(thread),
                        ids(running.getOrDefault(thread, List.of())),
                        livingOn(thread),
                        0,
                        0));
            }
        }
        pools.forEach(pool -> addPool(places, pool, busy, running));
        return places;
    }

    /**
     * A worker pool.
     *
     * @param name as Vert.x names its threads, before their number
     * @param isOne tells its threads from others
     */
    private record Pool(String name, ThreadPoolExecutor executor, Predicate<Thread> isOne) {
        boolean isFull() {
            return !executor.getQueue().isEmpty() && executor.getActiveCount() >= executor.getMaximumPoolSize();
        }
    }

    /** Those of all Vertx of this process that run something, workers and event loops; the one that asks is among them. */
    private static List<VertxThread> busyThreads() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group != null && group.getParent() != null) {
            group = group.getParent();
        }
        if (group == null) {
            return List.of();
        }
        Thread[] all = new Thread[2 * group.activeCount() + 16];
        int count = group.enumerate(all);
        List<VertxThread> busy = new ArrayList<>();
        for (Thread thread : Arrays.copyOf(all, count)) {
            if (thread instanceof VertxThread mine && mine.startTime() != 0) {
                busy.add(mine);
            }
        }
        return busy;
    }

    private Duration since(VertxThread thread) {
        long started = thread.startTime();
        // By the clock of Vert.x, which is not that of the runtime.
        return started == 0
                ? Duration.ZERO
                : Duration.ofNanos(Math.max(0, Ticker.system().nanos() - started));
    }

    private Map<Thread, String> blockedLoops(List<VertxThread> busy) {
        Map<Thread, String> blocked = new LinkedHashMap<>();
        for (VertxThread thread : busy) {
            Duration allowed =
                    Duration.of(thread.maxExecTime(), thread.maxExecTimeUnit().toChronoUnit());
            // Who asks goes on: of an event loop that is the one.
            if (!thread.isWorker()
                    && thread != Thread.currentThread()
                    && since(thread).compareTo(allowed) > 0
                    && isLoopOfThis(thread)) {
                blocked.put(thread, thread.getName());
            }
        }
        return blocked;
    }

    private boolean isLoopOfThis(Thread thread) {
        for (EventExecutor loop : vertx.nettyEventLoopGroup()) {
            if (loop.inEventLoop(thread)) {
                return true;
            }
        }
        return false;
    }

    private static String at(Thread thread) {
        return AppFrames.first(Arrays.stream(thread.getStackTrace())
                .map(StackTraceElement::toString)
                .toList());
    }

    /** The verticles all of whose instances are on this event loop. */
    private List<Long> livingOn(Thread thread) {
        Set<Long> here = new LinkedHashSet<>();
        Set<Long> elsewhere = new HashSet<>();
        for (DeploymentContext deployment : vertx.deploymentManager().deployments()) {
            for (Context instance : deployment.deployment().contexts()) {
                ContextInternal context = (ContextInternal) instance;
                boolean isHere =
                        context.isEventLoopContext() && context.nettyEventLoop().inEventLoop(thread);
                (isHere ? here : elsewhere).add(verticles.of(context).id());
            }
        }
        here.removeAll(elsewhere);
        here.remove(runtime.root().id());
        return here.stream().limit(MOST_CONTEXTS).toList();
    }

    /** Of the default pool, those that deployed verticles have by name, and those of shared worker executors. */
    private List<Pool> fullPools(List<VertxThread> busy) {
        List<Pool> pools = new ArrayList<>();
        Set<Executor> seen = new HashSet<>();
        if (vertx.workerPool().executor() instanceof ThreadPoolExecutor executor && seen.add(executor)) {
            Predicate<Thread> isOne = workers.isComplete() ? workers::has : named(DEFAULT_POOL);
            pools.add(new Pool(DEFAULT_POOL, executor, isOne));
        }
        for (DeploymentContext deployment : vertx.deploymentManager().deployments()) {
            String name = deployment.deployment().options().getWorkerPoolName();
            for (Context instance :
                    name == null ? Set.<Context>of() : deployment.deployment().contexts()) {
                if (((ContextInternal) instance).workerPool().executor() instanceof ThreadPoolExecutor executor
                        && seen.add(executor)) {
                    pools.add(new Pool(name, executor, named(name)));
                }
            }
        }
        for (String name : namesOfBusyPools(busy)) {
            if (sharedPool(name) instanceof ThreadPoolExecutor executor && seen.add(executor)) {
                pools.add(new Pool(name, executor, named(name)));
            }
        }
        pools.removeIf(pool -> !pool.isFull());
        return pools;
    }

    /** Nothing lists the pools of shared worker executors; but one that is full has threads that are named after it. */
    private Set<String> namesOfBusyPools(List<VertxThread> busy) {
        Set<String> names = new LinkedHashSet<>();
        for (VertxThread thread : busy) {
            String name = thread.getName();
            int end = name.lastIndexOf('-');
            if (thread.isWorker()
                    && end > 0
                    && isNumber(name, end + 1)
                    && since(thread).compareTo(POOL_FULL) > 0) {
                names.add(name.substring(0, end));
            }
        }
        names.remove(DEFAULT_POOL);
        return names;
    }

    /** The pool that whoever asks for a shared worker executor of a name gets; null when there is none. */
    private @Nullable Executor sharedPool(String name) {
        if (sharedUnknown
                || !vertx.sharedData().getLocalMap(SHARED_POOLS).keySet().contains(name)) {
            return null;
        }
        try {
            // That of others, which is given back at once; the size is for a pool that has just gone.
            WorkerExecutorInternal shared = vertx.createSharedWorkerExecutor(name, 1, 1, TimeUnit.HOURS);
            try {
                return shared.pool().executor();
            } finally {
                var unused = shared.close();
            }
        } catch (LinkageError e) {
            // Another Vert.x may not have it.
            sharedUnknown = true;
            LOG.debug("full pools of shared worker executors are not known here", e);
            return null;
        } catch (RuntimeException closing) {
            return null;
        }
    }

    private static Predicate<Thread> named(String pool) {
        String prefix = pool + '-';
        return thread -> {
            String name = thread.getName();
            return name.startsWith(prefix) && isNumber(name, prefix.length());
        };
    }

    private static boolean isNumber(String text, int from) {
        return from < text.length() && text.chars().skip(from).allMatch(digit -> digit >= '0' && digit <= '9');
    }

    private void addPool(
            List<BlockedPlace> places, Pool pool, List<VertxThread> busy, Map<Thread, List<ContextNode>> running) {
        List<VertxThread> workers = busy.stream()
                .filter(thread -> thread.isWorker() && pool.isOne.test(thread))
                .sorted(Comparator.comparing(this::since).reversed())
                .toList();
        if (workers.size() < pool.executor.getMaximumPoolSize()) {
            // One was free when the threads were looked at, and has just begun.
            return;
        }
        if (workers.size() > pool.executor.getMaximumPoolSize()) {
            // Some are of another Vertx that has a pool of that name; what runs a context of ours is of ours.
            workers = workers.stream().filter(running::containsKey).toList();
        }
        List<ContextNode> nodes = new ArrayList<>();
        Duration full = null;
        for (VertxThread worker : workers) {
            List<ContextNode> on = running.getOrDefault(worker, List.of());
            nodes.addAll(on);
            full = full == null || since(worker).compareTo(full) < 0 ? since(worker) : full;
        }
        if (full != null && full.compareTo(POOL_FULL) > 0) {
            WorkerQueue.Waiting waiting = queue.waitingFor(pool.executor);
            places.add(new BlockedPlace(
                    CauseKind.POOL,
                    pool.name,
                    full,
                    "",
                    ids(nodes),
                    ids(waiting.contexts()),
                    waiting.tasks(),
                    waiting.unknown()));
        }
    }

    private static List<Long> ids(List<ContextNode> nodes) {
        return nodes.stream()
                .map(ContextNode::id)
                .distinct()
                .limit(MOST_CONTEXTS)
                .toList();
    }
}
