package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.internal.deployment.DeploymentContext;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of deployed verticles: one service for each deployment, however many instances it has.
 *
 * <p>Vert.x tells nobody when it deploys a verticle, so one is noticed when something happens in it for the first time, when
 * a snapshot is taken, or when the status verticle looks: with each hello, soon after something has changed, and once a second
 * while somebody consumes status. Its duration begins then. It ends after the verticle's {@code stop()}: its work is cancelled,
 * and has a grace time to end in.
 */
final class VerticleContexts {
    private final VertxInternal vertx;
    private final EngineRuntime runtime;
    private final AutomaticContexts automatic;
    private final Listeners listeners;
    private final Endings endings;
    private final ConcurrentHashMap<String, Service> services = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<ContextNode, Service> byNode = new ConcurrentHashMap<>();
    private volatile boolean closed;

    VerticleContexts(
            VertxInternal vertx,
            EngineRuntime runtime,
            AutomaticContexts automatic,
            Listeners listeners,
            Endings endings) {
        this.automatic = automatic;
        this.vertx = vertx;
        this.runtime = runtime;
        this.listeners = listeners;
        this.endings = endings;
    }

    /** The context that a root Vert.x context stands for: its verticle's, or the root of the tree. */
    ContextNode of(ContextInternal root) {
        ContextNode known = ContextSlot.get(root);
        return known != null ? known : notice(root);
    }

    /** The context under which a request or message is opened, or null when the Vertx or the verticle is ending. */
    @Nullable
    ContextNode hostOf(ContextInternal root) {
        if (closed) {
            return null;
        }
        ContextNode host = of(root);
        return host.state() == ContextState.ACTIVE ? host : null;
    }

    /** From now on nothing more is opened. */
    void close() {
        closed = true;
    }

    /** Makes sure that every verticle that is deployed by now is in the tree, and the one that calls, which may be about to. */
    void noticeAll() {
        ContextInternal here = ContextInternal.current();
        if (here != null && here.owner() == vertx) {
            of(here.unwrap());
        }
        for (DeploymentContext deployment : vertx.deploymentManager().deployments()) {
            for (Context instance : deployment.deployment().contexts()) {
                of((ContextInternal) instance);
            }
        }
    }

    private ContextNode notice(ContextInternal root) {
        DeploymentContext deployment = root.deployment();
        if (deployment == null || closed) {
            if (root.deploymentID() == null) {
                ContextSlot.put(root, runtime.root());
            }
            return runtime.root();
        }
        // Not computeIfAbsent: opening a context tells listeners, which is nothing to do inside of a map.
        Service service = services.get(deployment.id());
        if (service == null) {
            service = open(deployment);
        }
        ContextNode joined = service.join(root);
        if (joined != null) {
            return joined;
        }
        var unused = service.endIfEmpty(root);
        return runtime.root();
    }

    /** Opens a service, under no monitor: its opening is told to listeners. Of several that open it at once one wins. */
    private Service open(DeploymentContext deployment) {
        String name = automatic.nameOf(
                ContextKind.SERVICE, name(deployment.deployment().identifier()));
        Service made = new Service(deployment.id(), runtime.root().openChild(name, ContextKind.SERVICE, null));
        byNode.put(made.node, made);
        Service known = services.putIfAbsent(deployment.id(), made);
        if (known == null) {
            return made;
        }
        byNode.remove(made.node);
        made.node.close();
        return known;
    }

    /** {@code java:com.example.Front} is {@code Front}; what is no class name stays as it is. */
    static String name(String identifier) {
        String name = identifier.startsWith("java:") ? identifier.substring("java:".length()) : identifier;
        if (name.endsWith(".java")) {
            name = name.substring(0, name.length() - ".java".length());
        }
        int lambda = name.indexOf("$$Lambda");
        if (lambda >= 0) {
            name = name.substring(0, lambda) + "-lambda";
        }
        boolean className = name.indexOf('/') < 0 && name.indexOf(':') < 0;
        int dot = name.lastIndexOf('.');
        return className && dot >= 0 && dot < name.length() - 1 ? name.substring(dot + 1) : name;
    }

    /** A root Vert.x context of the nearest service at or above a context, the present one if it is of them, or null. */
    @Nullable
    ContextInternal placeOf(ContextNode context) {
        for (ContextNode node = context; node != null; node = node.parent()) {
            Service service = byNode.get(node);
            if (service != null) {
                return service.place();
            }
        }
        return null;
    }

    /** Whether a context belongs to a verticle whose one instance lives on a Vert.x context. */
    boolean isOnlyOn(ContextNode context, ContextInternal root) {
        for (ContextNode node = context; node != null; node = node.parent()) {
            Service service = byNode.get(node);
            if (service != null) {
                return service.instances.equals(List.of(root));
            }
        }
        return false;
    }

    /** One deployment. */
    private final class Service {
        final String deploymentId;
        final ContextNode node;
        final List<ContextInternal> instances = new CopyOnWriteArrayList<>();

        Service(String deploymentId, ContextNode node) {
            this.deploymentId = deploymentId;
            this.node = node;
        }

        /** Gives the context, or null when the instance was undeployed a moment ago and something of it still runs. */
        synchronized @Nullable ContextNode join(ContextInternal root) {
            ContextNode known = ContextSlot.get(root);
            if (known != null) {
                return known;
            }
            boolean open = root.closeFuture().add(done -> leave(root).onComplete(ended -> done.complete(null, null)));
            if (open) {
                instances.add(root);
                ContextSlot.put(root, node);
                return node;
            }
            return null;
        }

        @Nullable
        ContextInternal place() {
            ContextInternal here = ContextInternal.current();
            if (here != null && instances.contains(here.unwrap())) {
                return here.unwrap();
            }
            for (ContextInternal instance : instances) {
                return instance;
            }
            return null;
        }

        private Future<Void> leave(ContextInternal root) {
            instances.remove(root);
            return endIfEmpty(root);
        }

        /**
         * Completes when what was open has ended or had its time.
         *
         * @param last the instance that was undeployed last
         */
        Future<Void> endIfEmpty(ContextInternal last) {
            synchronized (this) {
                if (!instances.isEmpty() || !services.remove(deploymentId, this)) {
                    return Future.succeededFuture();
                }
                byNode.remove(node);
            }
            return endings.cancel(
                            runtime,
                            List.of(node),
                            "the verticle was undeployed",
                            () -> endings.ran(last).compose(ran -> {
                                listeners.endAll(node);
                                node.close();
                                return endings.await(List.of(node));
                            }))
                    .onComplete(ended -> listeners.forget(node));
        }
    }
}
