package com.fastn.context.engine;

import com.fastn.context.status.ContextRef;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.WaitEpisode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Why the contexts of a runtime are stuck, asked of its own snapshots and of the threads of this process. */
final class CauseFinder {
    private static final int MOST_FRAMES = 64;

    private final EngineRuntime runtime;
    private final EpisodeLog episodes = new EpisodeLog();

    CauseFinder(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    @Nullable
    Explanation explain(long contextId) {
        return explainer(runtime.status()).explain(contextId);
    }

    @Nullable
    Explanation explain(String path) {
        return explainer(runtime.status()).explain(path);
    }

    List<Explanation> explainAll() {
        StatusSnapshot snapshot = runtime.status();
        List<Explanation> all = explainer(snapshot).explainAll();
        episodes.fold(all, snapshot.timestamp());
        return all;
    }

    List<WaitEpisode> episodes() {
        var unused = explainAll();
        return episodes.list(runtime.ticker().wallTime());
    }

    private Explainer explainer(StatusSnapshot snapshot) {
        return Explainer.of(snapshot, this::stack);
    }

    private List<String> stack(ContextRef context) {
        ContextNode node = runtime.find(context.contextId());
        return node == null ? List.of() : stackOf(node);
    }

    /** The frames of the thread that a context runs on now; none where it is the one that asks. */
    static List<String> stackOf(ContextNode node) {
        for (Thread thread : node.threads()) {
            if (thread == Thread.currentThread()) {
                continue;
            }
            List<String> frames = new ArrayList<>();
            for (StackTraceElement frame : thread.getStackTrace()) {
                if (frames.size() == MOST_FRAMES) {
                    break;
                }
                frames.add(frame.toString());
            }
            // It may have left meanwhile, and then these frames are of something else.
            if (!frames.isEmpty() && node.threads().contains(thread)) {
                return frames;
            }
        }
        return List.of();
    }
}
