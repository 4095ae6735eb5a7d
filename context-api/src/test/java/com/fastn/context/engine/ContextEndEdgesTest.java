package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.FinishedContext;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a context gives up when it ends, in which order, and what a failure with one of these keeps. */
@SuppressWarnings("MustBeClosedChecker") // closed by hand, in an order that matters
class ContextEndEdgesTest {
    /** A clock that is moved by hand, and fails once within a method. */
    private static final class Clock implements Ticker {
        private long nanos;
        private @Nullable String failsIn;

        @Override
        public long nanos() {
            String planted = failsIn;
            if (planted != null && isWithin(planted)) {
                failsIn = null;
                throw new IllegalStateException("planted");
            }
            return nanos;
        }

        private static boolean isWithin(String method) {
            return StackWalker.getInstance()
                    .walk(frames ->
                            frames.anyMatch(frame -> frame.getMethodName().equals(method)));
        }

        @Override
        public Instant wallTime() {
            return TestTree.START;
        }
    }

    /** Their times never come; to call one off may fail. */
    private static final class NoTimers extends Timers {
        private boolean broken;
        private int running;

        NoTimers() {
            super(() -> Runnable::run);
        }

        @Override
        Registration after(Duration delay, Runnable task) {
            running++;
            return () -> {
                if (broken) {
                    broken = false;
                    throw new IllegalStateException("planted");
                }
                running--;
            };
        }

        @Override
        boolean tick(Duration delay, Runnable task) {
            return false;
        }
    }

    private final Clock clock = new Clock();
    private final NoTimers timers = new NoTimers();
    private final EngineRuntime runtime = new EngineRuntime(
            new ContextEngine.Settings("app", "App", "alice", clock),
            new CurrentContext(null),
            CounterStore.Caps.DEFAULT,
            timers);
    private final ContextNode server = open(runtime.root(), "server");

    @AfterEach
    void close() {
        runtime.close();
    }

    private static ContextNode open(ContextNode parent, String name) {
        return parent.openChild(name, ContextKind.TASK, null);
    }

    private static LockGuard<Integer> own(ContextNode asker, ContextMutex<Integer> lock) {
        lock.setAutoReleaseOnEnd(true);
        return MutexTest.ask(asker, lock).join();
    }

    // --- failures

    @Test
    void C8_aTimeThatCannotBeCalledOffKeepsNoContextInTheTreeAndNoLock() {
        ContextNode request = open(server, "request");
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        own(request, orders);
        request.cancelAfter(Duration.ofHours(1));
        server.close();
        timers.broken = true;
        String log = CapturedLog.of(request::close);

        assertThat(log).contains("the end of a context met a failure; some of what it had is kept", "planted");
        assertThat(request.state()).isEqualTo(ContextState.CLOSED);
        assertThat(server.state()).isEqualTo(ContextState.CLOSED);
        assertThat(runtime.root().isChildless()).isTrue();
        assertThat(orders.holder()).as("who had the lock").isNull();
    }

    @Test
    void C3_aTimeThatCannotBeCalledOffKeepsNoOtherContextAlive() {
        ContextNode request = open(server, "request");
        List<String> ran = new ArrayList<>();
        server.onCancel(reason -> ran.add("server"));
        request.onCancel(reason -> ran.add("request"));
        server.cancelAfter(Duration.ofHours(1));
        request.cancelAfter(Duration.ofHours(2));
        timers.broken = true;
        String log = CapturedLog.of(server::cancel);

        assertThat(log).contains("a cancellation met a failure");
        assertThat(ran).containsExactly("server", "request");
        assertThat(timers.running).as("the one that failed").isEqualTo(1);
        assertThat(runtime.isCancelling()).isFalse();
    }

    @Test
    void L10_aLockThatCannotBeReleasedWithItsContextKeepsNoOtherOne() {
        ContextNode request = open(server, "request");
        ContextMutex<Integer> one = runtime.root().mutex("one", 1);
        ContextMutex<Integer> other = runtime.root().mutex("other", 1);
        own(request, one);
        own(request, other);
        clock.failsIn = "releaseAtEnd";
        String log = CapturedLog.of(request::close);

        assertThat(clock.failsIn).isNull();
        assertThat(log).contains("the end of a context met a failure at a lock that it held");
        assertThat(other.holder()).isNull();
        assertThat(request.isClosed()).isTrue();
        assertThat(server.isChildless()).isTrue();
    }

    @Test
    void L1_aWaitThatFailsToEndIsLogged() {
        ContextMutex<Integer> lock = runtime.root().mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        CompletableFuture<?> wait = MutexTest.ask(server, lock);
        clock.failsIn = "endWithContext";
        assertThat(CapturedLog.of(server::close)).contains("the end of a context met a failure at a wait for a lock");
        assertThat(wait).isNotDone();
        held.close();
        assertThat(wait).isCompletedExceptionally();
    }

    /** What throws is the clock, as each end of an operation looks at it. */
    @Test
    void C8_anOperationThatFailsToEndKeepsNoContextInTheTree() {
        ContextNode request = open(server, "request");
        var unused = request.operation("query");
        var unusedToo = request.trackLive("jobs");
        request.cancelAfter(Duration.ofHours(1));
        clock.failsIn = "endWork";
        try {
            request.close();
        } catch (IllegalStateException planted) {
            assertThat(planted).hasMessage("planted");
        }
        assertThat(clock.failsIn).isNull();
        assertThat(request.isClosed()).isTrue();
        assertThat(server.isChildless()).isTrue();
        assertThat(timers.running).isZero();
    }

    // --- the order

    @Test
    void ofOperationsThatAreLeftTheInnerOnesEndFirst() {
        List<String> ended = new ArrayList<>();
        for (String name : List.of("outer", "middle", "inner")) {
            Operation unused = server.operation(name);
        }
        Registration listening = runtime.addListener(event -> {
            if (event instanceof ContextEvent.OperationEnded end) {
                ended.add(end.operation());
            }
        });
        server.close();
        listening.close();
        assertThat(ended).containsExactly("inner", "middle", "outer");
    }

    @Test
    void whatAContextCountedAndRanEndsWithItsOwnWorkAndNotWithItsLastChild() {
        open(server, "request");
        Operation running = server.operation("query");
        var unused = server.trackLive("jobs");
        server.closeWhenDone();
        assertThat(server.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(server.getLive("jobs")).isEqualTo(1);
        server.close();
        assertThat(server.state()).isEqualTo(ContextState.CLOSING);
        assertThat(server.isInOperation()).isFalse();
        assertThat(server.getLive("jobs")).isZero();
        running.close();
    }

    @Test
    void whatEndsWithALastChildGivesUpWhatItHad() {
        ContextNode middle = open(server, "middle");
        ContextNode request = open(middle, "request");
        ContextMutex<Integer> lock = runtime.root().mutex("orders", 1);
        own(server, lock);
        server.cancelAfter(Duration.ofHours(1));
        server.onCancel(reason -> {});
        server.persist();
        middle.close();
        server.close();
        assertThat(lock.holder()).isSameAs(server);
        assertThat(timers.running).isEqualTo(1);
        clock.nanos += 1_000_000_000;
        assertThat(runtime.root().idleDuration()).isEqualTo(Duration.ofSeconds(1));
        request.close();
        assertThat(server.isClosed()).isTrue();
        assertThat(lock.holder()).isNull();
        assertThat(timers.running).isZero();
        assertThat(server.cancelHandlers()).isZero();
        assertThat(runtime.recent()).extracting(FinishedContext::path).containsExactly(server.path());
        assertThat(runtime.root().idleDuration()).as("a child has left it").isEqualTo(Duration.ZERO);
        assertThat(runtime.openContexts()).isEqualTo(1);
    }

    @Test
    void whatIsRememberedHasItsCallerItsTraceAndItsFailure() {
        CallerLink caller = new CallerLink("bob", "1-2", 7, "app.caller");
        ContextNode request = runtime.root().openChild("request", ContextKind.REQUEST, caller);
        request.setData(FinishedContext.TRACE_ID, "4bf92f3577b34da6a3ce929d0e0e4736");
        request.persist();
        request.failed(new IllegalStateException("planted"));
        request.close();
        assertThat(runtime.recent()).singleElement().satisfies(ended -> {
            assertThat(ended.caller()).isEqualTo(caller);
            assertThat(ended.traceId()).isEqualTo("4bf92f3577b34da6a3ce929d0e0e4736");
            assertThat(ended.outcome()).isInstanceOf(FinishedContext.Failed.class);
        });
    }

    // --- the last child

    @Test
    void allWhoseLastChildLeftAreToldOnceAndNoneAboveThem() {
        ContextNode middle = open(server, "middle");
        ContextNode request = open(middle, "request");
        List<String> told = new ArrayList<>();
        runtime.root().whenChildless(() -> told.add("root"));
        server.whenChildless(() -> told.add("server"));
        middle.whenChildless(() -> told.add("middle"));
        middle.close();
        assertThat(told).isEmpty();
        request.close();
        assertThat(told).containsExactly("middle", "server");
        ContextNode another = open(server, "another");
        another.close();
        assertThat(told).containsExactly("middle", "server");
        server.close();
        assertThat(told).containsExactly("middle", "server", "root");
    }

    @Test
    void whereAnotherChildStaysNobodyIsTold() {
        ContextNode one = open(server, "one");
        ContextNode other = open(server, "other");
        List<String> told = new ArrayList<>();
        server.whenChildless(() -> told.add("server"));
        one.close();
        assertThat(told).isEmpty();
        assertThat(server.isWatched()).isTrue();
        other.close();
        assertThat(told).containsExactly("server");
        assertThat(server.isWatched()).isFalse();
    }

    @Test
    void eachContextThatEndsIsAChange() {
        ContextNode request = open(server, "request");
        long before = runtime.version();
        server.close();
        long closing = runtime.version();
        assertThat(closing).isGreaterThan(before);
        request.close();
        assertThat(runtime.version()).isGreaterThan(closing);
        long closed = runtime.version();
        request.close();
        server.close();
        assertThat(runtime.version()).as("it had ended").isEqualTo(closed);
    }

    @Test
    void aContextThatIsBornCancelledIsToldToTheHookToo() {
        List<ContextNode> cancelled = new ArrayList<>();
        server.cancel();
        Registration hook = runtime.onCancelled(cancelled::add);
        ContextNode born = open(server, "born");
        hook.close();
        assertThat(cancelled).containsExactly(born);
    }
}
