package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextRuntime;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.status.system.SamplerThread;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** This node's own status, read from its runtime directly. Taking it may block, so it belongs on a worker. */
final class LocalStatus {
    /** How long another node's question waits for the first reading of the machine: well below what it waits for us. */
    static final Duration BUS_WAIT = Duration.ofMillis(400);
    /** How long a person at this machine waits for it. */
    static final Duration HTTP_WAIT = Duration.ofMillis(1_500);

    private final ContextRuntime runtime;
    private final @Nullable SamplerThread sampler;

    LocalStatus(ContextRuntime runtime, @Nullable SamplerThread sampler) {
        this.runtime = requireNonNull(runtime, "runtime");
        this.sampler = sampler;
    }

    /**
     * Takes a snapshot.
     *
     * @param query which part of the tree
     * @param wait how long to wait for fresh readings of the machine
     * @return the snapshot
     * @throws BadQueryException if nothing is open at the path that is asked for
     */
    StatusSnapshot take(StatusQuery query, Duration wait) {
        if (sampler != null) {
            sampler.refresh(wait);
        }
        int levels = query.depth() == null ? SnapshotView.DEEPEST : Math.min(query.depth(), SnapshotView.DEEPEST);
        if (query.path() == null) {
            return runtime.status(SnapshotView.limits(levels, Answers.MOST_CONTEXTS));
        }
        StatusSnapshot snapshot = SnapshotView.at(runtime.status(), query.path());
        if (snapshot == null) {
            throw new BadQueryException(
                    BadQueryException.NOT_FOUND,
                    "nothing is open at \"" + Printable.line(query.path().toString()) + "\" on "
                            + Printable.line(runtime.node().alias())
                            + "; a path begins with the root's name, as in \""
                            + Printable.line(runtime.root().name()) + "."
                            + "checkout\"");
        }
        return SnapshotView.folded(snapshot, levels, Answers.MOST_CONTEXTS);
    }

    /** {@return a snapshot of everything, with the readings of the machine as they are known} */
    StatusSnapshot glance() {
        return runtime.status();
    }

    /** {@return a number that rises with every change} */
    long version() {
        return runtime.version();
    }
}
