package com.fastn.context.vertx;

import com.fastn.context.Operation;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.Sanitizer;
import io.vertx.core.VertxException;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.core.internal.threadchecker.BlockedThreadChecker;
import io.vertx.core.internal.threadchecker.BlockedThreadEvent;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The warnings of Vert.x about blocked threads, with what runs there: the same lines of the same logger as without us, and
 * behind them the paths of the contexts that are known to run on the thread, each with the operation that it is inside of.
 */
final class BlockedThreadWarnings {
    private static final int MOST_CONTEXTS = 3;
    private static final int LONGEST_TEXT = 300;

    private final Logger log = LoggerFactory.getLogger(BlockedThreadChecker.LOGGER_NAME);
    private final EngineRuntime runtime;

    BlockedThreadWarnings(EngineRuntime runtime) {
        this.runtime = runtime;
    }

    /** A handler that somebody sets later takes the place of this one, as it would take that of Vert.x. */
    void install(VertxInternal vertx) {
        vertx.blockedThreadChecker().setThreadBlockedHandler(this::warn);
    }

    private void warn(BlockedThreadEvent blocked) {
        String text = "Thread " + blocked.thread().getName() + " has been blocked for "
                + blocked.duration() / 1_000_000 + " ms, time limit is " + blocked.maxExecTime() / 1_000_000 + " ms"
                + running(blocked.thread());
        if (blocked.duration() <= blocked.warningExceptionTime()) {
            log.warn(text);
        } else {
            VertxException stack = new VertxException("Thread blocked");
            stack.setStackTrace(blocked.thread().getStackTrace());
            log.warn(text, stack);
        }
        runtime.noticeStall();
    }

    /** What is known to run on a thread, as the end of a sentence; nothing where nothing is known. */
    String running(Thread thread) {
        try {
            List<ContextNode> contexts = runtime.contextsOn(Set.of(thread)).getOrDefault(thread, List.of());
            return contexts.isEmpty()
                    ? ""
                    : contexts.stream()
                            .limit(MOST_CONTEXTS)
                            .map(BlockedThreadWarnings::text)
                            .collect(Collectors.joining("; ", "; it runs ", ""));
        } catch (RuntimeException e) {
            // The warning itself matters more.
            return "";
        }
    }

    private static String text(ContextNode context) {
        String where = Sanitizer.line(context.path() + "#" + context.id(), LONGEST_TEXT);
        Operation inside = context.latestOperation();
        return inside == null
                ? where
                : where + " inside of \"" + Sanitizer.line(inside.name(), LONGEST_TEXT) + "\" for "
                        + HumanText.duration(inside.elapsed());
    }
}
