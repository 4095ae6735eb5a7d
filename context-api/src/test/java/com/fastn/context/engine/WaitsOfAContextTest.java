package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import com.fastn.context.Registration;
import com.fastn.context.event.ContextEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The waits of a context for locks: what is asked of them for each wait, and what ends while it is told of. */
class WaitsOfAContextTest {
    private static final long SEED = 20260112;

    @RegisterExtension
    final TestTree tree = new TestTree();

    /** The list of waits is changed at random, in its middle too, and asked after each change. */
    @Test
    void L14_whetherItWaitsForAnotherLockIsKnownWithoutLookingAtItsWaits() {
        Random random = new Random(SEED);
        ContextNode one = tree.open("one");
        List<ContextMutex<Object>> locks = new ArrayList<>();
        List<LockGuard<Object>> held = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            locks.add(tree.root.mutex("m" + i, (Object) "v"));
            held.add(locks.get(i).lock().toCompletableFuture().join());
        }
        List<CompletableFuture<LockGuard<Object>>> waits = new ArrayList<>();
        for (int step = 0; step < 3_000; step++) {
            if (waits.isEmpty() || (waits.size() < 8 && random.nextBoolean())) {
                ContextMutex<Object> lock = locks.get(random.nextInt(random.nextInt(3) + 1));
                try (var ignored = one.makeCurrent()) {
                    waits.add(lock.lock().toCompletableFuture());
                }
            } else {
                waits.remove(random.nextInt(waits.size())).cancel(false);
            }
            List<Waiter<?>> now = one.waits();
            assertThat(now).hasSameSizeAs(waits);
            for (ContextMutex<Object> lock : locks) {
                assertThat(one.isWaitingForLock((FifoLock<?>) lock))
                        .as("seed %d, step %d", SEED, step)
                        .isEqualTo(now.stream().anyMatch(wait -> wait.lock != lock));
            }
            assertThat(one.isWaitingForLock(null)).isEqualTo(!now.isEmpty());
            assertThat(one.locksWaitedFor())
                    .isEqualTo(now.stream().map(wait -> wait.lock).collect(Collectors.toSet()));
        }
        waits.forEach(wait -> wait.cancel(false));
        held.forEach(LockGuard::close);
    }

    @Test
    void L14_whoWaitsForThousandsOfLocksIsLookedAtInPart() {
        ContextNode one = tree.open("one");
        List<LockGuard<Integer>> held = new ArrayList<>();
        for (int i = 0; i < 1_100; i++) {
            ContextMutex<Integer> lock = tree.root.mutex("m" + i, 1);
            held.add(lock.lock().toCompletableFuture().join());
            var unused = ask(one, lock);
        }
        assertThat(one.waits()).hasSize(1_100);
        assertThat(one.locksWaitedFor()).hasSize(1_000);
        one.cancel();
        held.forEach(LockGuard::close);
    }

    private CompletableFuture<LockGuard<Integer>> ask(ContextNode context, ContextMutex<Integer> lock) {
        try (var ignored = context.makeCurrent()) {
            return lock.lock().toCompletableFuture();
        }
    }

    @Test
    void L1_whoIsToldOfTheEndOfAWaitFindsItGone() {
        ContextNode one = tree.open("one");
        ContextMutex<Integer> lock = tree.root.mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> wait = ask(one, lock);
        assertThat(one.waits()).hasSize(1);
        List<Integer> found = new ArrayList<>();
        Registration listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.WaitEnded) {
                found.add(one.waits().size());
            }
        });
        wait.cancel(false);
        listening.close();
        held.close();

        assertThat(found).containsExactly(0);
    }

    @Test
    void L10_aContextThatIsCancelledOrEndsAsItsWaitIsToldOfWaitsNoLonger() {
        ContextMutex<Integer> lock = tree.root.mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        for (Consumer<ContextNode> end : List.<Consumer<ContextNode>>of(ContextNode::cancel, ContextNode::close)) {
            ContextNode one = tree.open("one");
            Registration listening = tree.runtime.addListener(event -> {
                if (event instanceof ContextEvent.WaitStarted) {
                    end.accept(one);
                }
            });
            CompletableFuture<LockGuard<Integer>> wait = ask(one, lock);
            listening.close();
            assertThat(wait).isCompletedExceptionally();
            assertThat(lock.waiters()).isZero();
            assertThat(one.waits()).isEmpty();
        }
        held.close();
    }

    @Test
    void aWaitThatIsOverAsItIsToldOfIsNotKept() {
        ContextNode one = tree.open("one");
        ContextMutex<Integer> lock = tree.root.mutex("orders", 1);
        LockGuard<Integer> held = lock.lock().toCompletableFuture().join();
        Registration listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.WaitStarted) {
                held.close();
            }
        });
        CompletableFuture<LockGuard<Integer>> wait = ask(one, lock);
        listening.close();

        assertThat(wait).isCompleted();
        assertThat(one.waits()).isEmpty();
        wait.join().close();
    }

    @Test
    void L10_whatEndsWithItsContextIsReleasedAlsoWhereThatEndsAsTheGrantIsToldOf() {
        ContextNode one = tree.open("one");
        ContextMutex<Integer> lock = tree.root.mutex("orders", 1);
        lock.setAutoReleaseOnEnd(true);
        Registration listening = tree.runtime.addListener(event -> {
            if (event instanceof ContextEvent.LockHeld) {
                one.close();
            }
        });
        var unused = ask(one, lock);
        listening.close();

        assertThat(one.isClosed()).isTrue();
        assertThat(lock.holders()).isEmpty();
    }
}
