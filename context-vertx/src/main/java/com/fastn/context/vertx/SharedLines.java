package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import com.fastn.context.ContextMutex;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.engine.ContextNode;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The lines of this Vertx for locks of Vert.x, one for each name in the status that somebody has or wants at this moment. */
final class SharedLines {
    private final ContextNode root;
    private final ConcurrentHashMap<String, Line> lines = new ConcurrentHashMap<>();

    @SuppressWarnings("ThreadLocalUsage") // one a Vertx; null outside of work that runs with a lock
    private final ThreadLocal<@Nullable Inside> inside = new ThreadLocal<>();

    SharedLines(ContextNode root) {
        this.root = root;
    }

    /** The work of the calling thread that runs with such a lock, the innermost first. */
    ThreadLocal<@Nullable Inside> inside() {
        return inside;
    }

    /** One who has or wants a lock, until {@link Line#leave}. */
    Line enter(String name) {
        return requireNonNull(
                lines.compute(name, (key, known) -> {
                    Line line = known != null ? known : new Line(key, root.mutex(key));
                    line.users++;
                    return line;
                }),
                "line");
    }

    /** The mutex of a line, or null while nobody has or wants the lock. */
    @Nullable
    ContextMutex<?> of(String name) {
        Line line = lines.get(name);
        return line == null ? null : line.mutex;
    }

    /** A piece of work that runs with a lock, as far as it runs in the thread that began it. */
    record Inside(
            String lineName, FastnContext holder, @Nullable Inside around) {}

    /** A line and those who are in it. */
    final class Line {
        final ContextMutex<?> mutex;
        private final String name;

        /** Written and read only while the map computes the entry. */
        private int users;

        Line(String name, ContextMutex<?> mutex) {
            this.name = name;
            this.mutex = mutex;
        }

        /** Ends the holding of the line, and forgets a line that nobody is in any longer. */
        void leave(@Nullable LockGuard<?> guard) {
            try {
                if (guard != null) {
                    guard.close();
                }
            } finally {
                lines.compute(name, (key, line) -> {
                    users--;
                    if (users > 0) {
                        return line;
                    }
                    root.forgetLock(key);
                    return null;
                });
            }
        }
    }
}
