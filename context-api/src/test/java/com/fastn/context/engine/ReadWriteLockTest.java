package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.tuple;

import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.ReadGuard;
import com.fastn.context.status.LockMode;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockType;
import com.fastn.context.status.LockWaiter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ReadWriteLockTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private ContextReadWriteLock<String> prices() {
        return tree.root.readWriteLock("prices", "old");
    }

    private CompletableFuture<ReadGuard<String>> read(FastnContext asker) {
        try (ContextScope ignored = asker.makeCurrent()) {
            return prices().readLock().toCompletableFuture();
        }
    }

    private CompletableFuture<LockGuard<String>> write(FastnContext asker) {
        try (ContextScope ignored = asker.makeCurrent()) {
            return prices().writeLock().toCompletableFuture();
        }
    }

    @Test
    void readersShareAndAWriterIsAlone() {
        ReadGuard<String> one = read(tree.open("one")).join();
        ReadGuard<String> two = read(tree.open("two")).join();
        CompletableFuture<LockGuard<String>> writer = write(tree.open("writer"));
        assertThat(prices().holders()).extracting(FastnContext::name).containsExactly("one", "two");
        one.close();
        assertThat(writer).isNotDone();
        two.close();

        assertThat(writer).isCompleted();
        assertThat(read(tree.open("late"))).isNotDone();
        writer.join().set("new");
        assertThat(prices().holders()).extracting(FastnContext::name).containsExactly("writer");
        writer.join().close();
        assertThat(prices().waiters()).isZero();
        assertThat(prices().holders()).extracting(FastnContext::name).containsExactly("late");
    }

    @Test
    void L6_readersQueueBehindAWriterThatWaits() {
        ReadGuard<String> first = read(tree.open("first")).join();
        CompletableFuture<LockGuard<String>> writer = write(tree.open("writer"));
        CompletableFuture<ReadGuard<String>> behind = read(tree.open("behind"));
        assertThat(behind).as("it would starve the writer").isNotDone();
        try (ReadGuard<String> tried = prices().tryReadLock()) {
            assertThat(tried).isNull();
        }
        first.close();
        assertThat(writer).isCompleted();
        assertThat(behind).isNotDone();
        writer.join().close();
        behind.join().close();
    }

    @Test
    void L6_cancellingAQueuedWriterServesTheReadersBehindItAtOnce() {
        ReadGuard<String> first = read(tree.open("first")).join();
        ContextNode impatient = tree.open("impatient");
        CompletableFuture<LockGuard<String>> writer = write(impatient);
        List<CompletableFuture<ReadGuard<String>>> behind = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            behind.add(read(tree.open("reader")));
        }
        CompletableFuture<LockGuard<String>> second = write(tree.open("second"));
        CompletableFuture<ReadGuard<String>> last = read(tree.open("last"));
        impatient.cancel();

        assertThat(writer).isCompletedExceptionally();
        assertThat(behind).allMatch(CompletableFuture::isDone);
        assertThat(second).isNotDone();
        assertThat(last).isNotDone();
        assertThat(prices().holders()).hasSize(4);
        behind.forEach(reader -> reader.join().close());
        first.close();
        second.join().close();
        last.join().close();
        assertThat(prices().holders()).isEmpty();
    }

    @Test
    void L6_aQueuedWriterWhoseTimeRunsOutServesThemToo() {
        ReadGuard<String> first = read(tree.open("first")).join();
        CompletableFuture<LockGuard<String>> writer =
                prices().writeLock(Duration.ofMillis(1)).toCompletableFuture();
        CompletableFuture<ReadGuard<String>> behind = read(tree.open("behind"));
        // Those behind it are served before it hears of its own end.
        await().until(() -> behind.isDone() && writer.isDone());

        assertFailure(writer)
                .isInstanceOf(LockTimeoutException.class)
                .hasMessageContaining(
                        "rwlock \"prices\" was not given to app within PT0.001S; it is held by app.first");
        first.close();
        behind.join().close();
    }

    @Test
    void whatAWriterSetsTheReadersSee() {
        assertThat(prices().withWriteLock(guard -> {
                    guard.set("new");
                    return CompletableFuture.completedFuture(guard.update(v -> v + "est"));
                }))
                .isCompletedWithValue("newest");
        assertThat(prices().withReadLock(CompletableFuture::completedFuture)).isCompletedWithValue("newest");
        assertThat(prices().holders()).isEmpty();
        ReadGuard<String> guard = read(tree.root).join();
        guard.close();
        assertThatIllegalStateException()
                .isThrownBy(guard::value)
                .withMessage("this guard of rwlock \"prices\", given to app, is closed; lock again to reach the value");
    }

    @Test
    @SuppressWarnings("MustBeClosedChecker") // a lock that is held gives none
    void oneWithoutAValueIsOneForEachName() {
        ContextReadWriteLock<?> plain = tree.root.readWriteLock("plain");
        assertThat(tree.root.readWriteLock("plain")).isSameAs(plain);
        try (ReadGuard<?> reading = plain.tryReadLock()) {
            assertThat(requireNonNull(reading, "it is free").value()).isNull();
            assertThat(plain.tryWriteLock()).isNull();
        }
        ContextReadWriteLock<Integer> valued = tree.root.readWriteLock("valued", 7);
        assertThat(tree.root.readWriteLock("valued")).as("whatever it protects").isSameAs(valued);
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void eachGrantHasAFenceOfItsOwnThatOnlyRises() {
        long last = 0;
        for (int i = 0; i < 10; i++) {
            try (LockGuard<String> writer =
                    prices().writeLock().toCompletableFuture().join()) {
                assertThat(writer.fence()).isGreaterThan(last);
                last = writer.fence();
            }
            try (ReadGuard<String> one =
                            prices().readLock().toCompletableFuture().join();
                    ReadGuard<String> two =
                            prices().readLock().toCompletableFuture().join()) {
                assertThat(one.fence()).isGreaterThan(last);
                assertThat(two.fence()).isGreaterThan(one.fence());
                last = two.fence();
            }
        }
    }

    @Test
    void eachHolderIsShownWithItsModeAndEachWaiterWithItsPlaceInTheQueue() {
        ReadGuard<String> one = read(tree.open("one")).join();
        ReadGuard<String> two = read(tree.open("two")).join();
        CompletableFuture<LockGuard<String>> writer = write(tree.open("writer"));
        CompletableFuture<ReadGuard<String>> behind = read(tree.open("behind"));

        assertThat(tree.runtime.status().activeLocks())
                .extracting(LockStatus::heldByContext, LockStatus::lockType, LockStatus::mode, LockStatus::waiters)
                .containsExactly(
                        tuple("one", LockType.RW_LOCK, LockMode.READ, 2),
                        tuple("two", LockType.RW_LOCK, LockMode.READ, 2));
        assertThat(tree.runtime.status().lockWaiters())
                .extracting(LockWaiter::contextName, LockWaiter::mode, LockWaiter::position)
                .containsExactly(tuple("writer", LockMode.WRITE, 1), tuple("behind", LockMode.READ, 2));
        assertThat(tree.runtime.status().toString())
                .contains(
                        "\"prices\" held by one (0s, read), 2 waiting",
                        "writer waiting for \"prices\" (0s, to write)",
                        "WAITING \"prices\" (0s waiting, to read)");
        one.close();
        two.close();
        writer.join().close();
        behind.join().close();
        assertThat(tree.runtime.status().activeLocks()).isEmpty();
    }

    @Test
    void L13_anotherKindUnderTheSameNameIsRefused() {
        prices();
        assertThatIllegalStateException()
                .isThrownBy(() -> tree.root.mutex("prices"))
                .withMessage(
                        "rwlock \"prices\" of app was asked for as a mutex by app; give that one a name of its own");
        assertThatIllegalStateException().isThrownBy(() -> tree.root.mutex("prices", "old"));
        ContextNode pays = tree.open("pay");
        try (ContextScope ignored = pays.makeCurrent()) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> tree.root.semaphore("prices", 1))
                    .withMessageContaining("was asked for as a semaphore by app.pay;");
        }
        assertThat(tree.runtime.misuses()).isEmpty();
        tree.root.readWriteLock("prices", "other");
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .contains("which has a java.lang.String, with a java.lang.String at "
                        + ReadWriteLockTest.class.getName());
    }

    @Test
    void L4_workThatIsNotGrantedTheLockInTimeIsNeverRun() {
        LockGuard<String> held = write(tree.root).join();
        CompletableFuture<String> reads = prices().<String>withReadLock(Duration.ofMillis(1), value -> {
                    throw new AssertionError("read");
                })
                .toCompletableFuture();
        CompletableFuture<String> writes = prices().<String>withWriteLock(Duration.ofMillis(1), guard -> {
                    throw new AssertionError("written");
                })
                .toCompletableFuture();
        await().until(() -> reads.isDone() && writes.isDone());
        assertFailure(reads).isInstanceOf(LockTimeoutException.class);
        assertFailure(writes).isInstanceOf(LockTimeoutException.class);
        assertThat(prices().waiters()).isZero();
        held.close();

        assertThat(prices().<String>withWriteLock(
                                Duration.ofHours(1),
                                guard -> CompletableFuture.completedFuture(guard.update(v -> "new"))))
                .isCompletedWithValue("new");
        assertThat(prices().<String>withReadLock(Duration.ofHours(1), CompletableFuture::completedFuture))
                .isCompletedWithValue("new");
        assertThat(prices().holders()).isEmpty();
        // None of the waits. A look for deadlocks may be about to come, since one who had the lock waited for it.
        await().until(() -> tree.runtime.timers().pending() == 0);
    }

    /** By that a deadlock is proven: nothing but the end of the work gives the lock back. */
    @Test
    void L14_workThatClosesTheGuardOfItsWriteLockDoesNotReleaseIt() {
        ContextReadWriteLock<String> prices = prices();
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> done = prices.<String>withWriteLock(guard -> {
                    guard.set("new");
                    guard.close();
                    assertThat(guard.value()).isEqualTo("new");
                    return work;
                })
                .toCompletableFuture();
        assertThat(prices.holders()).hasSize(1);
        try (var stillHeld = prices.tryReadLock()) {
            assertThat(stillHeld).isNull();
        }
        work.complete("done");
        assertThat(done).isCompletedWithValue("done");
        assertThat(prices.holders()).isEmpty();
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .contains("closed its guard, which had no effect", "ReadWriteLockTest.java:");
    }
}
