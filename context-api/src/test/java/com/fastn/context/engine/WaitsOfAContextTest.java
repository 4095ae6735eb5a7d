package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextMutex;
import com.fastn.context.LockGuard;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is asked of a context for each wait: whether it waits for another lock too. */
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
        }
        waits.forEach(wait -> wait.cancel(false));
        held.forEach(LockGuard::close);
    }
}
