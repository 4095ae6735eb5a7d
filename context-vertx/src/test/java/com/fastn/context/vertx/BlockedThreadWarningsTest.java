package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.Operation;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.WaitEpisode;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.threadchecker.BlockedThreadChecker;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** What Vert.x writes about a blocked thread. */
@ExtendWith(OwnTree.class)
class BlockedThreadWarningsTest {
    private static final long EXCEPTION_MILLIS = 200;
    private static final Pattern BLOCKED_MILLIS = Pattern.compile("has been blocked for (\\d+) ms");

    private final CountDownLatch atEnd = new CountDownLatch(1);
    private final List<ILoggingEvent> lines = new CopyOnWriteArrayList<>();
    private final Logger log = (Logger) LoggerFactory.getLogger(BlockedThreadChecker.LOGGER_NAME);
    private final AppenderBase<ILoggingEvent> kept = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            lines.add(event);
        }
    };
    private Vertx vertx;

    @BeforeEach
    void start() {
        kept.setContext((LoggerContext) LoggerFactory.getILoggerFactory());
        kept.start();
        log.addAppender(kept);
        vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(4)
                .setMaxEventLoopExecuteTime(20)
                .setMaxEventLoopExecuteTimeUnit(TimeUnit.MILLISECONDS)
                .setBlockedThreadCheckInterval(10)
                .setBlockedThreadCheckIntervalUnit(TimeUnit.MILLISECONDS)
                .setWarningExceptionTime(EXCEPTION_MILLIS)
                .setWarningExceptionTimeUnit(TimeUnit.MILLISECONDS));
    }

    @AfterEach
    void stop() {
        atEnd.countDown();
        log.detachAppender(kept);
        Waiting.result(vertx.close());
    }

    private ILoggingEvent line(String text) {
        return line((ILoggingEvent line) -> line.getFormattedMessage().contains(text));
    }

    private ILoggingEvent line(Predicate<ILoggingEvent> wanted) {
        Waiting.until(() -> lines.stream().anyMatch(wanted));
        return lines.stream().filter(wanted).findFirst().orElseThrow();
    }

    private static boolean hasStackOf(String method, ILoggingEvent line) {
        return line.getThrowableProxy() != null
                && Stream.of(line.getThrowableProxy().getStackTraceElementProxyArray())
                        .anyMatch(
                                frame -> requireNonNull(frame.getSTEAsString()).contains(method));
    }

    private static long blockedMillis(ILoggingEvent line) {
        Matcher millis = BLOCKED_MILLIS.matcher(line.getFormattedMessage());
        return millis.find() ? Long.parseLong(millis.group(1)) : Long.MAX_VALUE;
    }

    private void holdUp() {
        try {
            atEnd.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Nobody has asked: what is kept is read, and nothing is looked at for it. */
    @Test
    void aBlockedLoopLeavesAnEpisodeThatNobodyAskedFor() {
        EngineRuntime runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        Front front = Front.deploy(vertx);
        FastnContext report = runtime.root().child("report").open();
        front.place().runOnContext(now -> {
            try (ContextScope ignored = report.makeCurrent()) {
                holdUp();
            }
        });
        Supplier<List<WaitEpisode>> kept =
                () -> runtime.statusWithRecent().causes().episodes();
        // Others may be held up for 20 ms on a busy machine.
        Supplier<List<WaitEpisode>> ofReport = () -> kept.get().stream()
                .filter(episode -> episode.root().shortName().equals("report"))
                .toList();
        Waiting.until(() -> !ofReport.get().isEmpty());
        assertThat(ofReport.get().get(0).text()).contains("report: event loop blocked");
        atEnd.countDown();
        Waiting.until(() -> ofReport.get().stream().anyMatch(episode -> !episode.isOpen()));
    }

    @Test
    void theyNameTheContextsThatRunThereAndTheirOperations() {
        EngineRuntime runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        Waiting.result(vertx.deployVerticle(new VerticleBase() {
            @Override
            public Future<?> start() {
                return vertx.eventBus()
                        .consumer("bank.pay", message -> {
                            try (Operation settling = FastnContext.current().operation("settle\r\nFAKE")) {
                                holdUp();
                                assertThat(settling.name()).isNotEmpty();
                            }
                        })
                        .completion();
            }
        }));
        vertx.eventBus().send("bank.pay", 1);
        // On a busy machine a loop may be held up before the operation has begun.
        assertThat(line(" inside of ").getFormattedMessage())
                .matches("Thread vert\\.x-eventloop-thread-\\d+ has been blocked for \\d+ ms, time limit is 20 ms"
                        + "; it runs global\\..*bank\\\\\\.pay#\\d+ inside of \"settle.*FAKE\" for .*s")
                .doesNotContain("\r")
                .doesNotContain("\n");
        ILoggingEvent withStack = line(line -> hasStackOf("holdUp", line));
        assertThat(withStack.getFormattedMessage()).contains("bank\\.pay");
        assertThat(withStack.getThrowableProxy().getMessage()).isEqualTo("Thread blocked");
        // As without us: first without a stack, then with one.
        assertThat(lines)
                .filteredOn(line -> blockedMillis(line) < EXCEPTION_MILLIS)
                .allSatisfy(line -> assertThat(line.getThrowableProxy()).isNull());
        assertThat(runtime.misuses()).isEmpty();
    }

    @Test
    void whereNothingIsKnownTheyAreThoseOfVertx() {
        vertx.runOnContext(now -> holdUp());
        assertThat(line("time limit is 20 ms").getFormattedMessage()).endsWith("time limit is 20 ms");
    }
}
