package com.fastn.context.engine;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The service behind the static methods of the API: where the current context is, and the default runtime. */
public final class Engine implements ContextEngine {
    private static final CurrentContext CURRENT = CurrentContext.load();

    // Written under this object's monitor.
    private volatile @Nullable EngineRuntime defaultRuntime;

    @GuardedBy("this")
    private boolean claimed;

    // Which runtime took the place of which, the first one first.
    @GuardedBy("this")
    private final List<Replaced> replaced = new ArrayList<>(0);

    // One for all runtimes: it has a thread, which lives as long as a handle is known to it. Written under this
    // object's monitor.
    private volatile @Nullable Cleaner cleaner;

    /** Made once, by the service loader. */
    public Engine() {}

    /**
     * Gives a runtime to a Vertx: the default one for the first that asks, a new one for others (one runtime per Vertx).
     *
     * @param alias the node's name, or {@code null} for the default
     * @return the runtime, to be given back with {@link #release}
     */
    public static EngineRuntime claim(@Nullable String alias) {
        return instance().claimRuntime(alias);
    }

    /**
     * Takes a runtime back. A runtime of its own is closed; the default one lives on, with what was below its root
     * cancelled.
     *
     * @param runtime what {@link #claim} gave
     */
    public static void release(EngineRuntime runtime) {
        instance().releaseRuntime(runtime);
    }

    static Engine instance() {
        if (ContextEngine.get() instanceof Engine engine) {
            return engine;
        }
        throw new IllegalStateException("another ContextEngine service is installed: "
                + ContextEngine.get().getClass().getName() + "; remove it from the class path");
    }

    /** Tells of what was collected; made by the first runtime in strict mode. */
    Cleaner cleaner() {
        Cleaner known = cleaner;
        return known == null ? makeCleaner() : known;
    }

    private synchronized Cleaner makeCleaner() {
        Cleaner known = cleaner;
        if (known == null) {
            known = Cleaner.create();
            cleaner = known;
        }
        return known;
    }

    CurrentContext currentContext() {
        return CURRENT;
    }

    @Override
    public FastnContext current() {
        FastnContext context = CURRENT.get();
        return context != null ? context : defaultRuntime().root();
    }

    @Override
    public @Nullable FastnContext currentOrNull() {
        return CURRENT.get();
    }

    @Override
    public EngineRuntime defaultRuntime() {
        EngineRuntime runtime = defaultRuntime;
        return runtime != null && !runtime.isClosed() ? runtime : makeDefaultRuntime();
    }

    private synchronized EngineRuntime makeDefaultRuntime() {
        EngineRuntime runtime = defaultRuntime;
        if (runtime == null || runtime.isClosed()) {
            runtime = new EngineRuntime(new Settings("global", "Global Context", null, Ticker.system()), CURRENT);
            defaultRuntime = runtime;
            claimed = false;
        }
        return runtime;
    }

    @Override
    public ContextRuntime newRuntime(Settings settings) {
        return new EngineRuntime(settings, CURRENT);
    }

    @Override
    public synchronized Registration useAsDefault(ContextRuntime runtime) {
        Replaced former = new Replaced(defaultRuntime, claimed);
        defaultRuntime = mine(runtime);
        claimed = false;
        replaced.add(former);
        return () -> bringBack(former);
    }

    /** In any order: whoever comes after the one that ends brings back what that one would have. */
    private synchronized void bringBack(Replaced former) {
        int at = replaced.indexOf(former);
        if (at < 0) {
            return;
        }
        replaced.remove(at);
        if (at < replaced.size()) {
            Replaced later = replaced.get(at);
            later.runtime = former.runtime;
            later.claimed = former.claimed;
        } else {
            defaultRuntime = former.runtime;
            claimed = former.claimed;
        }
    }

    /** What was the default one before another was used instead; compared by identity. */
    private static final class Replaced {
        private @Nullable EngineRuntime runtime;
        private boolean claimed;

        Replaced(@Nullable EngineRuntime runtime, boolean claimed) {
            this.runtime = runtime;
            this.claimed = claimed;
        }
    }

    @Override
    public LockScope takeScope(ContextRuntime runtime, Object code) {
        ThreadLocal<@Nullable Scope> scopes = mine(runtime).scopes();
        Scope scope = scopes.get();
        if (scope == null) {
            throw new IllegalStateException("the thread runs no work of a withLock; take the scope inside of one");
        }
        scope.taken(code);
        scopes.remove();
        return scope;
    }

    @Override
    public @Nullable LockScope enterScope(ContextRuntime runtime, @Nullable LockScope scope) {
        ThreadLocal<@Nullable Scope> scopes = mine(runtime).scopes();
        Scope before = scopes.get();
        scopes.set((Scope) scope);
        return before;
    }

    private static EngineRuntime mine(ContextRuntime runtime) {
        if (runtime instanceof EngineRuntime mine) {
            return mine;
        }
        throw new IllegalArgumentException(
                "the runtime is a " + runtime.getClass().getName()
                        + ", which this engine did not make; take one of ContextRuntime.builder()");
    }

    private synchronized EngineRuntime claimRuntime(@Nullable String alias) {
        EngineRuntime runtime = defaultRuntime();
        if (claimed) {
            return new EngineRuntime(new Settings("global", "Global Context", alias, Ticker.system()), CURRENT);
        }
        claimed = true;
        if (alias != null) {
            runtime.rename(alias);
        }
        return runtime;
    }

    private void releaseRuntime(EngineRuntime runtime) {
        if (runtime != defaultRuntime) {
            runtime.close();
            return;
        }
        // First end what is there, then let others in: they must not find their own contexts ended.
        runtime.endChildren();
        synchronized (this) {
            if (runtime == defaultRuntime) {
                claimed = false;
            }
        }
    }
}
