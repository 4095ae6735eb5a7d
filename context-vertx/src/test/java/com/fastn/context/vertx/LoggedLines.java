package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.AppenderBase;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A Logback of its own, set up as the guide says, and what its lines look like. */
final class LoggedLines implements AutoCloseable {
    /** As an application writes it. */
    private static final String PATTERN = "%X{fastn.ctx} %X{fastn.path} %X{user}";

    final LogbackMDCAdapter applications = new LogbackMDCAdapter();

    private final LoggerContext logback = new LoggerContext();
    private final Logger direct;
    private final Logger later;
    private final ConcurrentHashMap<String, String> lines = new ConcurrentHashMap<>();
    private final AtomicLong number = new AtomicLong();

    LoggedLines() {
        logback.setMDCAdapter(applications);
        logback.setMDCAdapter(new ContextMdc(requireNonNull(logback.getMDCAdapter())));
        PatternLayout layout = new PatternLayout();
        layout.setContext(logback);
        layout.setPattern(PATTERN);
        layout.start();
        AppenderBase<ILoggingEvent> kept = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                lines.put(event.getMessage(), layout.doLayout(event));
            }
        };
        kept.setContext(logback);
        kept.start();
        AsyncAppender byAnotherThread = new AsyncAppender();
        byAnotherThread.setContext(logback);
        byAnotherThread.addAppender(kept);
        byAnotherThread.start();
        logback.start();
        direct = logback.getLogger("direct");
        direct.addAppender(kept);
        later = logback.getLogger("later");
        later.addAppender(byAnotherThread);
    }

    /** What a line that is logged here looks like. */
    String line() {
        String message = message();
        direct.info(message);
        return requireNonNull(lines.remove(message));
    }

    /** Logs a line here that another thread writes; {@link #written} tells how it looks. */
    String hand() {
        String message = message();
        later.info(message);
        return message;
    }

    @Nullable
    String written(String message) {
        return lines.get(message);
    }

    private String message() {
        return Long.toString(number.incrementAndGet());
    }

    @Override
    public void close() {
        logback.stop();
    }
}
