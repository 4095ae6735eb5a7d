package com.fastn.context.engine;

import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.LiveCount;
import com.fastn.context.event.ContextEvent.CounterChanged;
import com.fastn.context.status.ContextPath;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The order of events about one counter, which threads tell that count at once. */
class CounterEventsTest {
    @RegisterExtension
    final TestTree tree = new TestTree(new CounterStore.Caps(2_000, 40, 40));

    @Test
    @Timeout(60)
    void theNumberOfAnEventTellsWhichOneIsOlderThoughItIsToldLater() throws InterruptedException {
        CountDownLatch go = new CountDownLatch(1);
        List<CounterChanged> heard = new ArrayList<>();
        Thread slow = new Thread(() -> tree.root.incrementTotal("requests"), "slow");
        tree.runtime.addListener(event -> {
            if (Thread.currentThread() == slow) {
                awaitQuietly(go);
            }
        });
        tree.runtime.addListener(event -> {
            if (event instanceof CounterChanged changed) {
                heard.add(changed);
            }
        });
        slow.start();
        await().until(() -> tree.root.getTotal("requests") == 1 && slow.getState() == Thread.State.WAITING);
        tree.root.incrementTotal("requests");
        go.countDown();
        slow.join();

        assertThat(heard).extracting(CounterChanged::total).containsExactly(2L, 1L);
        assertThat(heard.get(0).sequence()).isGreaterThan(heard.get(1).sequence());
        Map<String, CounterChanged> kept = new HashMap<>();
        heard.forEach(event -> kept.merge(event.counter(), event, CounterEventsTest::newer));
        assertThat(kept.get("requests")).extracting(CounterChanged::total).isEqualTo(2L);
    }

    @Test
    @Timeout(120)
    void M9_inTheOrderOfTheirNumbersTotalsNeverFallAndTheLastOneSaysHowItStands() throws InterruptedException {
        Queue<CounterChanged> heard = new ConcurrentLinkedQueue<>();
        tree.runtime.addListener(event -> {
            if (event instanceof CounterChanged changed) {
                heard.add(changed);
            }
        });
        ContextNode worker = tree.open("worker");
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 5_000; i++) {
                    try (LiveCount ignored = worker.trackLive("jobs")) {
                        worker.touch();
                    }
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        List<CounterChanged> inOrder = heard.stream()
                .sorted(Comparator.comparingLong(CounterChanged::sequence))
                .toList();
        assertThat(inOrder).hasSize(40_000);
        assertThat(inOrder).extracting(CounterChanged::sequence).doesNotHaveDuplicates();
        assertThat(inOrder).extracting(CounterChanged::total).isSorted();
        assertThat(inOrder).allMatch(event -> event.live() <= event.total());
        CounterChanged last = inOrder.get(inOrder.size() - 1);
        assertThat(last.total()).isEqualTo(20_000);
        assertThat(last.live()).isZero();
    }

    @Test
    void M4_aPathThatComesBackAfterItWasFoldedIsToldBehindItsEnd() {
        Map<ContextPath, CounterChanged> kept = new HashMap<>();
        tree.runtime.addListener(event -> {
            if (event instanceof CounterChanged changed) {
                kept.merge(changed.path(), changed, CounterEventsTest::newer);
            }
        });
        count("first", 7);
        for (int i = 0; i < 100; i++) {
            tree.pass(Duration.ofSeconds(1));
            count("job-" + i, 1);
        }
        ContextPath first = ContextPath.of("app", "first");
        assertThat(kept.get(first)).extracting(CounterChanged::total).isEqualTo(0L);
        count("first", 2);
        assertThat(kept.get(first)).extracting(CounterChanged::total).isEqualTo(2L);
        assertThat(kept.values().stream().mapToLong(CounterChanged::total).sum())
                .isEqualTo(109);
    }

    @Test
    void M1_anOverflowThatIsFoundWhereACountIsToldIsSaidAtOnce() {
        tree.root.addTotal("bytes", Long.MAX_VALUE);
        tree.runtime.addListener(event -> {});
        tree.root.addTotal("bytes", 1);

        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .contains("a total counter reached " + Long.MAX_VALUE);
    }

    private void count(String name, long n) {
        ContextNode context = tree.open(name);
        context.addTotal("n", n);
        context.close();
    }

    private static CounterChanged newer(CounterChanged one, CounterChanged other) {
        return one.sequence() >= other.sequence() ? one : other;
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
