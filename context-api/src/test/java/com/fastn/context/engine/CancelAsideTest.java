package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fastn.context.ContextEngine;
import com.fastn.context.Registration;
import com.fastn.context.event.ContextEvent;
import com.fastn.context.status.CancelReason;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Cancellation for somebody who must not be held up by what others have registered for it. */
class CancelAsideTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    @RegisterExtension
    final TestTree tree = new TestTree();

    private final ContextNode one = (ContextNode) tree.root.child("one").open();
    private final ContextNode other = (ContextNode) tree.root.child("other").open();

    private CompletableFuture<Boolean> cancel(Duration patience) {
        CompletableFuture<Boolean> told = new CompletableFuture<>();
        tree.runtime.cancelAside(List.of(one, other), CancelReason.Kind.SHUTDOWN, "over", patience, told::complete);
        return told;
    }

    private static <T> T result(CompletableFuture<T> future) {
        return future.orTimeout(LONG.toSeconds(), TimeUnit.SECONDS).join();
    }

    @Test
    void C5_theyAreMarkedAtOnceAndTheirHandlersRunInAnotherThread() {
        ContextNode below = (ContextNode) other.child("below").open();
        CompletableFuture<Thread> first = new CompletableFuture<>();
        CompletableFuture<CancelReason> last = new CompletableFuture<>();
        CountDownLatch marked = new CountDownLatch(1);
        var unused = one.onCancel(reason -> {
            await(marked);
            first.complete(Thread.currentThread());
        });
        var unusedToo = below.onCancel(last::complete);
        CompletableFuture<Boolean> told = cancel(LONG);
        assertThat(one.isCancelled()).isTrue();
        assertThat(other.isCancelled()).isTrue();
        assertThat(requireNonNull(other.cancelReason()))
                .isEqualTo(new CancelReason(
                        CancelReason.Kind.SHUTDOWN, "over", other.path().toString()));
        assertThat(told).isNotDone();
        marked.countDown();
        assertThat(result(told)).isTrue();
        assertThat(result(first)).isNotSameAs(Thread.currentThread());
        assertThat(last.getNow(null)).isNotNull();
        assertThat(below.isCancelled()).isTrue();
        assertThat(tree.runtime.isCancelling()).isFalse();
    }

    @Test
    void C3_aHandlerThatDoesNotReturnIsWaitedForNoLongerThanWasSaid() {
        CountDownLatch release = new CountDownLatch(1);
        CompletableFuture<CancelReason> behind = new CompletableFuture<>();
        var unused = one.onCancel(reason -> await(release));
        var unusedToo = other.onCancel(behind::complete);
        try {
            assertThat(result(cancel(Duration.ofMillis(1)))).isFalse();
            // Another thread does what is left.
            assertThat(result(behind).kind()).isEqualTo(CancelReason.Kind.SHUTDOWN);
        } finally {
            release.countDown();
        }
    }

    /** Nobody else looks after it here: the thread that sees to the time is not there. */
    @Test
    void C3_whatIsLeftIsHandedOnBeforeWhoeverAskedGoesOn() {
        CompletableFuture<Runnable> outOfPatience = new CompletableFuture<>();
        ExecutorService pool = TaskExecutors.make();
        Timers timers = new Timers(() -> pool) {
            @Override
            Registration after(Duration delay, Runnable task) {
                outOfPatience.complete(task);
                return () -> {};
            }

            @Override
            boolean tick(Duration delay, Runnable task) {
                return false;
            }
        };
        EngineRuntime runtime = new EngineRuntime(
                new ContextEngine.Settings("app", "App", "bob", tree.ticker, Integer.MAX_VALUE, 100, false),
                Engine.instance().currentContext(),
                CounterStore.Caps.DEFAULT,
                timers);
        ContextNode blocks = (ContextNode) runtime.root().child("blocks").open();
        ContextNode waits = (ContextNode) runtime.root().child("waits").open();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        CompletableFuture<CancelReason> behind = new CompletableFuture<>();
        var unused = blocks.onCancel(reason -> {
            begun.countDown();
            await(release);
        });
        var unusedToo = waits.onCancel(behind::complete);
        try {
            CompletableFuture<Boolean> told = new CompletableFuture<>();
            runtime.cancelAside(List.of(blocks, waits), CancelReason.Kind.SHUTDOWN, "over", LONG, told::complete);
            await(begun);
            assertThat(told).isNotDone();
            result(outOfPatience).run();
            assertThat(told).isCompletedWithValue(false);
            assertThat(result(behind).kind()).isEqualTo(CancelReason.Kind.SHUTDOWN);
        } finally {
            release.countDown();
            runtime.close();
            pool.shutdown();
        }
    }

    /** A listener may block as a handler may. */
    @Test
    void C5_aListenerIsToldInAnotherThreadToo() {
        CompletableFuture<Thread> heard = new CompletableFuture<>();
        Registration listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.Cancelled) {
                heard.complete(Thread.currentThread());
            }
        });
        assertThat(result(cancel(LONG))).isTrue();
        listening.close();
        assertThat(result(heard)).isNotSameAs(Thread.currentThread());
    }

    @Test
    void whereThereIsNobodyToTellNothingIsWaitedFor() {
        assertThat(cancel(LONG)).isCompletedWithValue(true);
        assertThat(one.isCancelled()).isTrue();
        assertThat(other.isCancelled()).isTrue();
    }

    @Test
    void whatWasCancelledBeforeKeepsItsReason() {
        var unused = one.onCancel(reason -> {});
        one.cancel("enough");
        assertThat(result(cancel(LONG))).isTrue();
        assertThat(requireNonNull(one.cancelReason()).message()).isEqualTo("enough");
        assertThat(requireNonNull(other.cancelReason()).message()).isEqualTo("over");
    }

    /** It may be that of a verticle, which is loaded anew, and the thread lives on. */
    @Test
    void aThreadOfThePoolKeepsNobodysClassLoader() throws Exception {
        Thread mine = Thread.currentThread();
        ClassLoader before = mine.getContextClassLoader();
        ExecutorService pool = TaskExecutors.make();
        try (URLClassLoader reloaded = new URLClassLoader(new URL[0], before)) {
            mine.setContextClassLoader(reloaded);
            Thread worker = pool.submit(Thread::currentThread).get();
            assumeFalse(worker.getClass() != Thread.class, "a virtual thread does not live on");
            assertThat(worker.getContextClassLoader()).isSameAs(TaskExecutors.class.getClassLoader());
        } finally {
            mine.setContextClassLoader(before);
            pool.shutdown();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
