package com.fastn.context;

import static java.util.Objects.requireNonNull;

import com.fastn.context.event.ContextListener;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.FoldableTree;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.OperationBaseline;
import com.fastn.context.status.Redactor;
import com.fastn.context.status.SnapshotLimits;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.status.WaitEpisode;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
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
     * Finds the open context of an id.
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
     * {@return the contexts that ended last, of those that were marked with {@link FastnContext#persist}, the newest first} Of
     * those that failed or were cancelled, as many as half of what is remembered stay however many complete after them.
     */
    List<FinishedContext> recent();

    /** {@return a snapshot of the whole tree, with the contexts that ended last} */
    StatusSnapshot statusWithRecent();

    /**
     * Takes a snapshot that is no larger than asked for, with the contexts that ended last; see {@link
     * #status(SnapshotLimits)}.
     *
     * @param limits how large it may be; the list of what ended may take a part of the bytes
     * @return the snapshot
     */
    StatusSnapshot statusWithRecent(SnapshotLimits limits);

    /**
     * Takes a snapshot of the whole tree that is no larger than asked for (rule M10). What is left out is counted in the
     * nearest context above it that is shown; a context in trouble is left out last, and counted as such. Where these need the
     * room, contexts with much to tell come without their values, and lists lose their ends: a warning says so. Contexts
     * that are left out are looked at but cost no record.
     *
     * @param limits how large it may be
     * @return the snapshot
     */
    StatusSnapshot status(SnapshotLimits limits);

    /**
     * Explains why a context is stuck: the chain from it to the context that everybody waits for, with the stack of the thread
     * that this one runs on, if it is known to run on one. It costs a snapshot.
     *
     * @param contextId the context's id
     * @return the explanation, also where it waits for nobody, or {@code null} when no such context is open
     */
    @Nullable
    Explanation explain(long contextId);

    /**
     * Explains why a context is stuck.
     *
     * @param path the context's path; of several contexts the one that waits for the longest is meant
     * @return the explanation, or {@code null} when no context is open there
     * @see #explain(long)
     */
    @Nullable
    Explanation explain(ContextPath path);

    /**
     * Explains why a context is stuck.
     *
     * @param path the path in dotted form, or a short name as the status shows it, such as {@code alice/stdout-handler}
     * @return the explanation, or {@code null} when no context is open there
     * @see #explain(long)
     */
    @Nullable
    Explanation explain(String path);

    /**
     * {@return why contexts are stuck, those whose root holds up the most first; empty when nothing is stuck} Whoever is busy
     * for no longer than is usual for it is not stuck.
     */
    List<Explanation> explainAll();

    /**
     * {@return the times in which contexts were stuck, the newest first: those that last, and the last 50 that have ended}
     * They are found when somebody asks for an explanation, and once in a while as long as something waits. A slow operation
     * that holds up nobody but its own context is one of them once it has ended, and not before.
     */
    List<WaitEpisode> episodes();

    /**
     * Writes a snapshot of the whole tree as UTF-8 and flushes; the stream stays open. It is what {@link StatusJson} writes of
     * {@link #status()}, without all of its records in memory at once.
     *
     * @param out where to
     * @throws UncheckedIOException if the stream fails
     */
    void writeStatus(OutputStream out);

    /**
     * {@return the contexts that are open now, to be read one by one} No record is made of a context before it is asked for, so
     * this is for who tells a tree of any size in parts. A context that has ended meanwhile can be read too. What it holds is
     * not given back before it is let go of. Its ages are those of this moment.
     */
    FoldableTree tree();

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
     * Says what is to be done when the tree changes for the first time since somebody asked for its {@link #version()}, as
     * each snapshot does. Until somebody asks again nothing is made and nobody is told, however much changes: whoever only wants
     * to know that there is something to look at takes this rather than a {@link #addListener listener}, for which the application
     * makes and tells each event. What changed before is not told either, so look once behind this.
     *
     * @param hook runs in the thread that made the change, perhaps before whoever asked for it goes on, so it has to return at
     *     once, and neither looks at the tree nor changes it; what it throws is logged
     * @return closing it takes the hook back
     */
    Registration onFirstChange(Runnable hook);

    /**
     * Says where snapshots take their system metrics from.
     *
     * @param source gives the latest figures without blocking, or {@code null} when there are none
     * @return closing it takes the source back
     */
    Registration setSystemMetrics(Supplier<@Nullable SystemMetrics> source);

    /**
     * Says which secrets are taken out of what status shows of data, metrics and messages; those of {@link
     * Redactor#standard} unless said. What looks like a secret in a name is taken out before the name is given to anything,
     * whatever this says. {@link FastnContext#getData} gives what was stored.
     *
     * @param filter counts for all that is taken from now on
     */
    void setRedactor(Redactor filter);

    /** {@return what is usual for the operations of each name, of those names of which any has ended; a copy} */
    Map<String, OperationBaseline> operationBaselines();

    /** {@return how often the library was used in a way that it had to repair, by what was done} */
    List<String> misuses();

    /**
     * {@return what was opened and not closed yet, the oldest first, with the place in the code} Contexts that were opened,
     * guards, live counts and operations are there; a context that a task runs in is not, as it closes by itself. Empty
     * unless this runtime is {@link Builder#strict strict}.
     */
    List<Unclosed> unclosed();

    /**
     * Cancels everything and closes the root. Contexts that are still open stay visible as closing. A handler that does not
     * return holds up this call, but for a few seconds only those who wait for the end of the runtime, such as streams.
     */
    @Override
    void close();

    /** A runtime that is being described. */
    final class Builder {
        private String rootName = "global";
        private @Nullable String rootLabel;
        private @Nullable String alias;
        private Ticker ticker = Ticker.system();
        private @Nullable Integer maxDepth;
        private @Nullable Integer recentContexts;
        private @Nullable DeadlockPolicy deadlockPolicy;
        private @Nullable Boolean strict;

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
         * Bounds the depth of the tree. A context beyond it is closed and cancelled from the start, which is counted as
         * misuse; so is the first at a depth of 1,000. As the system property {@code fastn.context.max-depth} says, which is
         * 10,000, unless said.
         *
         * @param ancestors how many ancestors a context may have
         * @return this builder
         * @throws IllegalArgumentException if it is not positive
         */
        @CanIgnoreReturnValue
        public Builder maxDepth(int ancestors) {
            if (ancestors < 1) {
                throw new IllegalArgumentException("maxDepth has to be at least 1, not " + ancestors
                        + "; leave it out for the default of " + ContextEngine.Settings.DEFAULT_MAX_DEPTH);
            }
            this.maxDepth = ancestors;
            return this;
        }

        /**
         * Says how many contexts that ended are remembered, of those that were marked with {@link FastnContext#persist}.
         * When there are more, the oldest are forgotten. As the system property {@code fastn.context.recent-contexts} says,
         * which is 100, unless said.
         *
         * @param most at most so many; 0 remembers none, and still counts them
         * @return this builder
         * @throws IllegalArgumentException if it is negative or above 10,000
         */
        @CanIgnoreReturnValue
        public Builder recentContexts(int most) {
            if (most < 0 || most > RuntimeProperties.MOST_RECENT_CONTEXTS) {
                throw new IllegalArgumentException("recentContexts takes a number from 0, which remembers none, to "
                        + RuntimeProperties.MOST_RECENT_CONTEXTS + ", and was given " + most);
            }
            this.recentContexts = most;
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

        /**
         * Says what is done about deadlocks. As the system property {@code fastn.context.deadlock-policy} says, which is
         * {@link DeadlockPolicy#REPORT}, unless said.
         *
         * @param policy what is done
         * @return this builder
         */
        @CanIgnoreReturnValue
        public Builder deadlockPolicy(DeadlockPolicy policy) {
            this.deadlockPolicy = requireNonNull(policy, "policy");
            return this;
        }

        /** {@return a new runtime with an open root} */
        public ContextRuntime build() {
            String label = rootLabel != null ? rootLabel : rootName.equals("global") ? "Global Context" : rootName;
            return ContextEngine.get()
                    .newRuntime(new ContextEngine.Settings(
                            rootName,
                            label,
                            alias,
                            ticker,
                            maxDepth != null ? maxDepth : RuntimeProperties.maxDepth(),
                            recentContexts != null ? recentContexts : RuntimeProperties.recentContexts(),
                            strict != null ? strict : RuntimeProperties.strict(),
                            deadlockPolicy != null ? deadlockPolicy : RuntimeProperties.deadlockPolicy()));
        }
    }
}
