package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Timeout.ThreadMode.SEPARATE_THREAD;

import com.fastn.context.ContextScope;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who runs in a context: a few or many, also when one leaves it that never entered. */
class RunningThreadsTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private final Thread first = thread("first");
    private final Thread second = thread("second");
    private final Thread third = thread("third");
    private final Thread stranger = thread("stranger");

    private static Thread thread(String name) {
        return new Thread(() -> {}, name);
    }

    private ContextNode entered(Thread... threads) {
        ContextNode node = tree.open("node");
        for (Thread thread : threads) {
            node.enter(thread);
        }
        return node;
    }

    private List<Thread> left(Thread gone, Thread... threads) {
        ContextNode node = entered(threads);
        node.leave(gone);
        return node.threads();
    }

    @Test
    void whoeverLeavesTheOthersAreStillThere() {
        assertThat(left(first, first, second, third)).containsExactly(third, second);
        assertThat(left(second, first, second, third)).containsExactly(third, first);
        assertThat(left(third, first, second, third)).containsExactly(second, first);
    }

    @Test
    void whoAsksIsNoOtherThreadAndNobodyIsThereWhoDidNotEnter() {
        Thread mine = Thread.currentThread();
        assertThat(entered().isOnOtherThread()).isFalse();
        assertThat(entered(mine).isOnOtherThread()).isFalse();
        assertThat(entered(mine, mine).isOnOtherThread()).isFalse();
        assertThat(entered(first).isOnOtherThread()).isTrue();
        assertThat(entered(first, mine).isOnOtherThread()).isTrue();
        assertThat(entered(mine, first).isOnOtherThread()).isTrue();

        assertThat(entered(first, second).isOn(first)).isTrue();
        assertThat(entered(first, second).isOn(stranger)).isFalse();
    }

    @Test
    void aThreadThatEnteredTwiceIsThereUntilItHasLeftTwice() {
        ContextNode node = entered(first, second, first);
        node.leave(first);
        assertThat(node.threads()).containsExactly(second, first);
        node.leave(first);
        assertThat(node.threads()).containsExactly(second);
    }

    @Test
    void leavingOnAThreadThatNeverEnteredTakesTheLastOneSoThatNobodyIsShownForEver() {
        ContextNode node = entered(first, second);
        node.leave(stranger);
        assertThat(node.threads()).containsExactly(first);
        node.leave(stranger);
        assertThat(node.isOnThread()).isFalse();
        node.leave(stranger);
        assertThat(node.threads()).isEmpty();
    }

    @Test
    void leavingACrowdOnAThreadThatNeverEnteredTakesSomebodyToo() {
        ContextNode node = tree.open("node");
        for (int i = 0; i < 20; i++) {
            node.enter(thread("t" + i));
        }
        for (int i = 19; i >= 0; i--) {
            node.leave(stranger);
            assertThat(node.threads()).hasSize(i);
        }
        assertThat(node.isOnThread()).isFalse();
    }

    @Test
    void aFewOrManyAreThereAsOftenAsTheyEntered() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<Thread> pool = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            pool.add(thread("t" + i));
        }
        ContextNode node = tree.open("node");
        List<Thread> inside = new ArrayList<>();
        int most = 20;
        for (int step = 0; step < 20_000; step++) {
            // Back and forth over the number from which on there is a crowd.
            boolean enters = inside.isEmpty() || (inside.size() < most && random.nextInt(100) < 50);
            if (enters) {
                Thread thread = pool.get(random.nextInt(pool.size()));
                inside.add(thread);
                node.enter(thread);
            } else {
                Thread gone = inside.get(random.nextInt(inside.size()));
                inside.remove(inside.lastIndexOf(gone));
                node.leave(gone);
            }
            assertThat(node.threads())
                    .as("seed %d, step %d", seed, step)
                    .containsExactlyInAnyOrderElementsOf(new LinkedHashSet<>(inside));
            assertThat(node.isOnThread()).isEqualTo(!inside.isEmpty());
        }
    }

    @Test
    void aCrowdThatTheLastHasLeftTakesNobodyInAnyMore() {
        ThreadCrowd crowd = new ThreadCrowd();
        assertThat(crowd.leave(stranger)).isFalse();
        assertThat(crowd.enter(first)).isTrue();
        assertThat(crowd.enter(second)).isTrue();
        assertThat(crowd.leave(first)).isFalse();
        assertThat(crowd.leave(second)).isTrue();
        assertThat(crowd.enter(third)).isFalse();
        assertThat(crowd.leave(third)).isFalse();
        assertThat(crowd.list()).isEmpty();
    }

    @Test
    void threadsThatComeAndGoAtOnceAreAllSeenAndLeaveNothing() throws Exception {
        // Few threads that enter again and again: a crowd begins and is over in every round. Many: there is one all the
        // time.
        comeAndGo(2, 14, 30_000);
        comeAndGo(24, 3, 2_000);
    }

    private void comeAndGo(int threads, int deepest, int rounds) throws Exception {
        ContextNode node = tree.open("node");
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            CyclicBarrier start = new CyclicBarrier(threads);
            AtomicReference<String> wrong = new AtomicReference<>();
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int number = t;
                all.add(pool.submit(() -> {
                    Random random = new Random(number);
                    start.await();
                    for (int i = 0; i < rounds; i++) {
                        int depth = 1 + random.nextInt(deepest);
                        for (int d = 0; d < depth; d++) {
                            node.enterThread();
                        }
                        for (int d = 0; d < depth; d++) {
                            if (!node.threads().contains(Thread.currentThread())) {
                                wrong.set("thread " + number + " is not seen in round " + i);
                            }
                            node.leaveThread();
                        }
                        if (node.threads().contains(Thread.currentThread())) {
                            wrong.set("thread " + number + " is still seen in round " + i);
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> each : all) {
                each.get(2, TimeUnit.MINUTES);
            }
            assertThat(wrong).hasValue(null);
            assertThat(node.threads()).isEmpty();
            assertThat(node.isOnThread()).isFalse();
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    @Timeout(value = 60, threadMode = SEPARATE_THREAD)
    void tensOfThousandsOfThreadsComeAndGoInAnyOrder() {
        List<Thread> many = new ArrayList<>();
        for (int i = 0; i < 200_000; i++) {
            many.add(thread("t"));
        }
        ContextNode node = tree.open("node");
        // A list that is copied by each that leaves would be 10^10 steps.
        many.forEach(node::enter);
        assertThat(node.threads()).hasSize(many.size());
        many.forEach(node::leave);
        assertThat(node.isOnThread()).isFalse();
    }

    @Test
    void aThreadWithAnEqualsOfItsOwnIsItself() {
        class Same extends Thread {
            @Override
            public boolean equals(Object other) {
                throw new IllegalStateException("broken");
            }

            @Override
            public int hashCode() {
                throw new IllegalStateException("broken");
            }
        }
        ContextNode node = tree.open("node");
        List<Thread> many = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            many.add(new Same());
        }
        many.subList(0, 5).forEach(node::enter);
        assertThat(node.threads()).hasSize(5);
        many.subList(5, 20).forEach(node::enter);
        assertThat(node.threads()).hasSize(20);
        many.forEach(node::leave);
        assertThat(node.isOnThread()).isFalse();
    }

    @Test
    void theUsualThreadIsTheOnlyThingThatIsKept() {
        assertThat(RunningThreads.with(null, first)).isSameAs(first);
        ContextNode node = tree.open("node");
        try (ContextScope ignored = node.makeCurrent()) {
            assertThat(node.threads()).containsExactly(Thread.currentThread());
        }
        assertThat(node.isOnThread()).isFalse();
    }

    @Test
    void aThreadThatHasEndedRunsInNoContext() throws Exception {
        ContextNode node = tree.open("node");
        runsAndEnds(node);
        assertThat(node.threads()).isEmpty();
        assertThat(node.isOnThread()).isFalse();

        node.enter(stranger);
        for (int i = 0; i < 20; i++) {
            runsAndEnds(node);
        }
        assertThat(node.threads()).containsExactly(stranger);
        assertThat(node.isOnThread()).isTrue();
    }

    private static void runsAndEnds(ContextNode node) throws InterruptedException {
        Thread thread = new Thread(() -> node.enter(Thread.currentThread()));
        thread.start();
        thread.join();
    }
}
