package com.fastn.context;

import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/**
 * The implementation behind the static methods of this package, found once as a service. Not for applications.
 */
public interface ContextEngine {

    /** {@return the engine of this process} */
    static ContextEngine get() {
        return Holder.ENGINE;
    }

    /** {@return the context that the caller runs in, or the root of the default runtime} */
    FastnContext current();

    /** {@return the context that the caller runs in, or {@code null} off any context} */
    @Nullable
    FastnContext currentOrNull();

    /** {@return the runtime that serves whoever runs off any context} */
    ContextRuntime defaultRuntime();

    /**
     * Makes a runtime.
     *
     * @param settings what the builder was told
     * @return a new runtime with an open root
     */
    ContextRuntime newRuntime(Settings settings);

    /**
     * Makes a runtime the default one for a time, such as that of a test. Such times may overlap and end in any order: the
     * default one is that of the last which has not ended, and after all of them it is the one of before.
     *
     * @param runtime a runtime of this engine
     * @return closing it ends that time
     */
    Registration useAsDefault(ContextRuntime runtime);

    /**
     * Takes the work of the innermost {@code withLock} off the calling thread, for a binding whose work moves from thread to
     * thread. From then on the thread does not say any more what is inside of that work; the binding does, by {@link
     * #enterScope}.
     *
     * @param runtime the lock's runtime
     * @param code the work as the application gave it
     * @return what the work is inside of
     * @throws IllegalStateException if the thread runs no such work
     */
    LockScope takeScope(ContextRuntime runtime, Object code);

    /**
     * Lets the calling thread ask for one lock inside of a scope that was taken. Whoever does so vouches that the work of the
     * scope goes on only after the lock was granted, or not given.
     *
     * @param runtime the runtime
     * @param scope what it is inside of, or {@code null} for nothing
     * @return what it was inside of before, to be entered again after the question
     */
    @Nullable
    LockScope enterScope(ContextRuntime runtime, @Nullable LockScope scope);

    /** One running of a {@code withLock}, for a binding to hand on. Only the engine knows what is in it. */
    interface LockScope {}

    /**
     * What a runtime is made from.
     *
     * @param rootName the root's name
     * @param rootLabel the root's name for people
     * @param alias the node's name, or {@code null} for the default
     * @param ticker the source of time
     * @param maxDepth how many ancestors a context may have
     * @param recentContexts how many contexts that ended are remembered
     * @param strict whether it is recorded where things are opened
     * @param deadlockPolicy what is done about deadlocks
     */
    record Settings(
            String rootName,
            String rootLabel,
            @Nullable String alias,
            Ticker ticker,
            int maxDepth,
            int recentContexts,
            boolean strict,
            DeadlockPolicy deadlockPolicy) {
        /** How many ancestors a context may have unless somebody says. */
        public static final int DEFAULT_MAX_DEPTH = 10_000;
        /** How many contexts that ended are remembered unless somebody says. */
        public static final int DEFAULT_RECENT_CONTEXTS = 100;

        /**
         * Makes settings of a runtime that reports deadlocks.
         *
         * @param rootName the root's name
         * @param rootLabel the root's name for people
         * @param alias the node's name, or {@code null} for the default
         * @param ticker the source of time
         * @param maxDepth how many ancestors a context may have
         * @param recentContexts how many contexts that ended are remembered
         * @param strict whether it is recorded where things are opened
         */
        public Settings(
                String rootName,
                String rootLabel,
                @Nullable String alias,
                Ticker ticker,
                int maxDepth,
                int recentContexts,
                boolean strict) {
            this(rootName, rootLabel, alias, ticker, maxDepth, recentContexts, strict, DeadlockPolicy.REPORT);
        }

        /**
         * Makes settings of a runtime that is as the system properties {@code fastn.context.max-depth}, {@code
         * fastn.context.recent-contexts}, {@code fastn.context.strict} and {@code fastn.context.deadlock-policy} say, and
         * otherwise as usual.
         *
         * @param rootName the root's name
         * @param rootLabel the root's name for people
         * @param alias the node's name, or {@code null} for the default
         * @param ticker the source of time
         */
        public Settings(String rootName, String rootLabel, @Nullable String alias, Ticker ticker) {
            this(
                    rootName,
                    rootLabel,
                    alias,
                    ticker,
                    RuntimeProperties.maxDepth(),
                    RuntimeProperties.recentContexts(),
                    RuntimeProperties.strict(),
                    RuntimeProperties.deadlockPolicy());
        }
    }

    /** Loads the engine at first use. */
    final class Holder {
        private static final ContextEngine ENGINE = load();

        private Holder() {}

        private static ContextEngine load() {
            return ServiceLoader.load(ContextEngine.class, ContextEngine.class.getClassLoader())
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException(
                            "no ContextEngine service was found; if the jars were repackaged into one, merge their"
                                    + " META-INF/services files"));
        }
    }
}
