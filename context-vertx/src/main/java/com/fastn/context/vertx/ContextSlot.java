package com.fastn.context.vertx;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxBootstrap;
import io.vertx.core.spi.VertxServiceProvider;
import io.vertx.core.spi.context.storage.ContextLocal;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The place of the current context in a Vert.x context. Vert.x finds this class as a service, before it makes a Vertx; it is
 * not for applications.
 *
 * <p>The slot belongs to the Vert.x context, not to the flow of a program: two branches that wrote it would disturb each
 * other. So a child runs on a duplicate of its own, and what is written on a root is only what its verticle is.
 */
public final class ContextSlot implements VertxServiceProvider {
    // Registered when this class is loaded: a Vertx that is made earlier has no such slot.
    private static final ContextLocal<ContextNode> SLOT = ContextLocal.registerLocal(ContextNode.class);

    // What the slot had before the first scope that was ever opened there.
    private static final ContextLocal<ContextNode> BEFORE_SCOPES = ContextLocal.registerLocal(ContextNode.class);

    // The cancellation that was asked for there last.
    private static final ContextLocal<ShownCancellation> CANCELLATION =
            ContextLocal.registerLocal(ShownCancellation.class);

    /** Made by the service loader. */
    public ContextSlot() {}

    @Override
    public void init(VertxBootstrap bootstrap) {
        if (!UnobservedThread.isCurrent()) {
            TracerSlot.share(bootstrap);
        }
    }

    static @Nullable ContextNode get(ContextInternal context) {
        try {
            return SLOT.get(context);
        } catch (IllegalArgumentException e) {
            // A Vertx without the slot; FastnVertx.install says so to whoever asks for it.
            return null;
        }
    }

    /**
     * The context itself, or its verticle's when it is that of a request or message that has ended. Such a context ends by
     * itself, and what its handler still does then must not be refused for it. One that was cancelled stays, to be noticed.
     */
    static ContextNode stillOpen(ContextNode node) {
        if (node.state() == ContextState.ACTIVE || node.isCancelled()) {
            return node;
        }
        ContextNode above = node.parent();
        boolean endsByItself = node.kind() == ContextKind.REQUEST || node.kind() == ContextKind.MESSAGE;
        return endsByItself && above != null ? above : node;
    }

    /** The cancellation that was asked for at a place last, or null. */
    static @Nullable ShownCancellation cancellation(ContextInternal context) {
        return isIn(context) ? CANCELLATION.get(context) : null;
    }

    static void keep(ContextInternal context, ShownCancellation cancellation) {
        if (isIn(context)) {
            CANCELLATION.put(context, cancellation);
        }
    }

    static void put(ContextInternal context, ContextNode node) {
        SLOT.put(context, node);
    }

    /** Makes a context that of a place from here on: no scope of somebody's, which ends. */
    static void become(ContextInternal context, ContextNode node) {
        SLOT.put(context, node);
        BEFORE_SCOPES.put(context, node);
    }

    /** Makes a context the one in a scope, and gives what was there before. */
    static @Nullable ContextNode enter(ContextInternal context, ContextNode node) {
        ContextNode before = SLOT.get(context);
        if (BEFORE_SCOPES.get(context) == null) {
            // The root stands for none.
            BEFORE_SCOPES.put(context, before != null ? before : node.runtime().root());
        }
        SLOT.put(context, node);
        return before;
    }

    /**
     * What is served at a place, whatever scopes are open there: the context itself that was made for it, or the nearest one
     * above a child that runs there. Null when none of these kinds is.
     */
    static @Nullable ContextNode served(ContextInternal context, Set<ContextKind> kinds) {
        ContextNode beforeScopes = isIn(context) ? BEFORE_SCOPES.get(context) : null;
        ContextNode at = beforeScopes != null ? beforeScopes : get(context);
        while (at != null && !kinds.contains(at.kind())) {
            at = at.parent();
        }
        return at;
    }

    static void restore(ContextInternal context, @Nullable ContextNode before) {
        if (before == null) {
            SLOT.remove(context);
        } else {
            SLOT.put(context, before);
        }
    }

    /** Whether the Vertx of a context was made after this class was loaded. */
    static boolean isIn(ContextInternal context) {
        try {
            SLOT.get(context);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
