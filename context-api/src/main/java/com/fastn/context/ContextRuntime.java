package com.fastn.context;

import static java.util.Objects.requireNonNull;

import com.fastn.context.event.ContextListener;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.SystemMetrics;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.List;
import java.util.concurrent.Flow;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One tree of contexts with its counters and locks: one per process, or one per Vertx.
 *
 * <p>The process-wide default runtime exists from the first use on; {@link #defaultRuntime} gives it.
 */
public interface ContextRuntime extends AutoCloseable {

    /** {@return a description of a new runtime} */
    static Builder builder() {
        return new Builder();
    }

    /** {@return the runtime that serves whoever runs off any context} */
    static ContextRuntime defaultRuntime() {
        return ContextEngine.get().defaultRuntime();
    }

    /** {@return the root of the tree} */
    FastnContext root();

    /** {@return who this node is} */
    NodeIdentity node();

    /**
     * Finds the oldest open context of a path.
     *
     * @param path the path from the root down
     * @return the context, or {@code null} when none is open there
     */
    @Nullable
    FastnContext find(ContextPath path);

    /**
     * Finds the open contexts of an id.
     *
     * @param contextId the id
     * @return the context, or {@code null} when it is not open
     */
    @Nullable
    FastnContext find(long contextId);

    /** {@return the counters of all paths, those of ended contexts too} */
    Counters counters();

    /** {@return a snapshot of the whole tree} */
    StatusSnapshot status();

    /**
     * {@return snapshots as the tree changes: the first at once, later ones when something changed and at most one per
     * second} Passing time is no change. A subscriber that asks for nothing is sent nothing and costs nothing; one that
     * is slow gets the newest when it asks again.
     */
    Flow.Publisher<StatusSnapshot> statusStream();

    /** {@return a number that rises with every change of the tree} */
    long version();

    /**
     * Registers a listener, which is told of every change after it happened and outside of locks.
     *
     * @param listener what to tell
     * @return closing it takes the listener back
     */
    Registration addListener(ContextListener listener);

    /**
     * Says where snapshots take their system metrics from.
     *
     * @param source gives the latest figures without blocking, or {@code null} when there are none
     * @return closing it takes the source back
     */
    Registration setSystemMetrics(Supplier<@Nullable SystemMetrics> source);

    /** {@return how often the library was used in a way that it had to repair, by what was done} */
    List<String> misuses();

    /**
     * {@return what was opened and not closed yet, the oldest first, with the place in the code} Contexts that were opened,
     * guards, live counts and operations are there; a context that a task runs in is not, as it closes by itself. Empty
     * unless this runtime is {@link Builder#strict strict}.
     */
    List<Unclosed> unclosed();

    /** Cancels everything and closes the root. Contexts that are still open stay visible as closing. */
    @Override
    void close();

    /** A runtime that is being described. */
    final class Builder {
        private String rootName = "global";
        private @Nullable String rootLabel;
        private @Nullable String alias;
        private Ticker ticker = Ticker.system();

        private boolean strict = Boolean.getBoolean("fastn.context.strict");

        private Builder() {}

        /**
         * Names the root; {@code global} unless said.
         *
         * @param name the name
         * @return this builder
         */
        @CanIgnoreReturnValue
        public Builder rootName(String name) {
            this.rootName = requireNonNull(name, "name");
            return this;
        }

        /**
         * Names the root for people; "Global Context" or the root's name unless said.
         *
         * @param label the label
         * @return this builder
         */
        @CanIgnoreReturnValue
        public Builder rootLabel(String label) {
            this.rootLabel = requireNonNull(label, "label");
            return this;
        }

        /**
         * Names the node; the environment's {@code FASTN_ALIAS}, or host and process id, unless said.
         *
         * @param name what operators call the node
         * @return this builder
         */
        @CanIgnoreReturnValue
        public Builder alias(String name) {
            this.alias = requireNonNull(name, "name");
            return this;
        }

        /**
         * Gives the source of time; the system's unless said.
         *
         * @param source the source
         * @return this builder
         */
        @CanIgnoreReturnValue
        public Builder ticker(Ticker source) {
            this.ticker = requireNonNull(source, "source");
            return this;
        }

        /**
         * Says whether it is recorded where contexts, guards, live counts and operations are opened, so that {@link
         * ContextRuntime#unclosed} can tell, and whether a handle that is garbage collected unclosed is reported. Each
         * opening then walks the stack: for tests and for the search of a leak. As the system property
         * {@code fastn.context.strict} says, which is off, unless said.
         *
         * @param on whether
         * @return this builder
         */
        @CanIgnoreReturnValue
        public Builder strict(boolean on) {
            this.strict = on;
            return this;
        }

        /** {@return a new runtime with an open root} */
        public ContextRuntime build() {
            String label = rootLabel != null ? rootLabel : rootName.equals("global") ? "Global Context" : rootName;
            return ContextEngine.get().newRuntime(new ContextEngine.Settings(rootName, label, alias, ticker, strict));
        }
    }
}
