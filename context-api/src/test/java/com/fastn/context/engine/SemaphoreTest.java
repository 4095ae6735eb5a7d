package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.FastnContext;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.PermitGuard;
import com.fastn.context.status.LockMode;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SemaphoreTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private ContextSemaphore pool() {
        return tree.root.semaphore("pool", 3);
    }

    private CompletableFuture<PermitGuard> ask(String asker, int permits) {
        try (ContextScope ignored = tree.open(asker).makeCurrent()) {
            return pool().acquire(permits).toCompletableFuture();
        }
    }

    @Test
    void soManyAreServedAsThereArePermits() {
        PermitGuard two = ask("two", 2).join();
        PermitGuard one = ask("one", 1).join();
        CompletableFuture<PermitGuard> next = ask("next", 1);
        assertThat(next).isNotDone();
        assertThat(pool().availablePermits()).isZero();
        assertThat(two.permits()).isEqualTo(2);
        one.close();

        assertThat(next).isCompleted();
        next.join().close();
        two.close();
        assertThat(two.permits()).isZero();
        assertThat(pool().availablePermits()).isEqualTo(3);
        assertThat(pool().permits()).isEqualTo(3);
        assertThat(pool().holders()).isEmpty();
    }

    @Test
    void L5_nobodyPassesALargeRequestAtTheHead() {
        PermitGuard one = ask("one", 1).join();
        CompletableFuture<PermitGuard> large = ask("large", 3);
        CompletableFuture<PermitGuard> small = ask("small", 1);
        assertThat(small).as("two are free, but it came later").isNotDone();
        try (PermitGuard tried = pool().tryAcquire()) {
            assertThat(tried).isNull();
        }
        one.close();
        assertThat(large).isCompleted();
        assertThat(small).isNotDone();
        large.join().close();
        small.join().close();
    }

    @Test
    void L6_whenTheLargeRequestGivesUpTheSmallOnesBehindItAreServedAtOnce() {
        PermitGuard one = ask("one", 1).join();
        CompletableFuture<PermitGuard> large = ask("large", 3);
        CompletableFuture<PermitGuard> small = ask("small", 1);
        CompletableFuture<PermitGuard> another = ask("another", 1);
        CompletableFuture<PermitGuard> tooMany = ask("too many", 1);
        large.cancel(false);

        assertThat(small).isCompleted();
        assertThat(another).isCompleted();
        assertThat(tooMany).isNotDone();
        one.close();
        small.join().close();
        another.join().close();
        tooMany.join().close();
        assertThat(pool().availablePermits()).isEqualTo(3);
    }

    @Test
    void L12_whatCouldNeverBeServedFailsAtOnce() {
        for (int permits : new int[] {4, 0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertFailure(ask("asker", permits))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(permits
                            + " permits of semaphore \"pool\", which has 3, were asked for by app.asker; ask for at least one"
                            + " and at most as many as there are");
            assertThatIllegalArgumentException().isThrownBy(() -> pool().tryAcquire(permits));
            assertThatIllegalArgumentException().isThrownBy(() -> pool().acquireBlocking(permits));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tree.root.semaphore("none", 0))
                .withMessageContaining("make it with at least one");
        assertThat(pool().waiters()).isZero();
        assertThat(pool().availablePermits()).isEqualTo(3);
    }

    @Test
    void L12_permitsNeverExceedWhatThereIs() {
        PermitGuard all = ask("all", 3).join();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> all.release(4))
                .withMessage(
                        "4 permits of semaphore \"pool\" were to be given back by a guard of app.all that holds 3; give back at"
                                + " least one and at most what it holds");
        assertThatIllegalArgumentException().isThrownBy(() -> all.release(0));
        assertThat(pool().availablePermits()).isZero();
        all.release(1);
        assertThat(all.permits()).isEqualTo(2);
        assertThat(pool().availablePermits()).isEqualTo(1);
        all.release(2);
        assertThat(pool().availablePermits()).isEqualTo(3);
        assertThatIllegalArgumentException().isThrownBy(() -> all.release(1));
        all.close();

        assertThat(pool().availablePermits()).isEqualTo(3);
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .startsWith(
                        "1x a guard of semaphore \"pool\" was closed twice; the second time had no effect: close it in one"
                                + " place, such as a try-with-resources, or use withLock; the first was"
                                + " that of app.all, closed again at " + SemaphoreTest.class.getName());
    }

    @Test
    void givingSomeBackServesWhoeverTheySuffice() {
        PermitGuard all = ask("all", 3).join();
        CompletableFuture<PermitGuard> two = ask("two", 2);
        CompletableFuture<PermitGuard> one = ask("one", 1);
        all.release(1);
        assertThat(two).isNotDone();
        all.release(1);
        assertThat(two).isCompleted();
        assertThat(one).isNotDone();
        all.close();
        two.join().close();
        one.join().close();
    }

    @Test
    void withPermitsGivesThemBackWhateverTheWorkDoes() {
        assertThat(pool().withPermit(() -> CompletableFuture.completedFuture(pool().availablePermits())))
                .isCompletedWithValue(2);
        assertThat(pool().withPermits(3, () -> CompletableFuture.completedFuture(pool().availablePermits())))
                .isCompletedWithValue(0);
        CompletableFuture<Object> thrown = pool().withPermit(() -> {
                    throw new IllegalStateException("thrown");
                })
                .toCompletableFuture();
        assertFailure(thrown).hasMessageContaining("thrown");
        assertThat(pool().availablePermits()).isEqualTo(3);
    }

    @Test
    void holdersAndWaitersAreShownWithTheirPermits() {
        PermitGuard two = ask("two", 2).join();
        CompletableFuture<PermitGuard> large = ask("large", 3);
        assertThat(tree.runtime.status().activeLocks())
                .extracting(LockStatus::heldByContext, LockStatus::mode, LockStatus::permits, LockStatus::totalPermits)
                .containsExactly(tuple("two", LockMode.PERMITS, 2, 3));
        assertThat(tree.runtime.status().lockWaiters())
                .extracting(LockWaiter::contextName, LockWaiter::permits, LockWaiter::position)
                .containsExactly(tuple("large", 3, 1));
        assertThat(tree.runtime.status().toString())
                .contains(
                        "\"pool\" held by two (0s, 2 of 3 permits), 1 waiting",
                        "large waiting for \"pool\" (0s, for 3 permits)",
                        "HOLDS \"pool\" (0s held, 2 of 3 permits)");
        two.close();
        large.join().close();
    }

    @Test
    void L13_anotherNumberOfPermitsIsNotTakenAndIsCounted() {
        assertThat(tree.root.semaphore("pool", 3)).isSameAs(pool());
        assertThat(tree.root.semaphore("pool", 5).permits()).isEqualTo(3);
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .startsWith(
                        "1x semaphore \"pool\" was asked for with another number of permits; the first one stays: give"
                                + " the same each time, or take another name; the first was that of app, which has 3, with 5 at "
                                + SemaphoreTest.class.getName());
    }

    @Test
    void L4_aWaitForPermitsThatRunsOutOfTimeLeavesNothingBehind() {
        PermitGuard two = ask("two", 2).join();
        CompletableFuture<PermitGuard> late =
                pool().acquire(2, Duration.ofMillis(1)).toCompletableFuture();
        await().until(late::isDone);
        assertThat(pool().waiters()).isZero();
        assertThat(tree.runtime.timers().pending()).isZero();
        two.close();
        assertThat(pool().holders()).extracting(FastnContext::name).isEmpty();
    }

    @Test
    void L4_workThatIsNotGrantedItsPermitsInTimeIsNeverRun() {
        PermitGuard two = ask("two", 2).join();
        CompletableFuture<String> many = pool().<String>withPermits(2, Duration.ofMillis(1), () -> {
                    throw new AssertionError("granted");
                })
                .toCompletableFuture();
        await().until(many::isDone);
        assertFailure(many).isInstanceOf(LockTimeoutException.class);
        assertThat(pool().<String>withPermit(
                                Duration.ofSeconds(30), () -> CompletableFuture.completedFuture("the third")))
                .isCompletedWithValue("the third");
        two.close();
        assertThat(pool().availablePermits()).isEqualTo(3);
        assertThat(tree.runtime.timers().pending()).isZero();
    }
}
