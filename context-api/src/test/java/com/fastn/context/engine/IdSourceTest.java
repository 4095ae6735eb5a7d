package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class IdSourceTest {
    private final IdSource ids = new IdSource();

    @Test
    void oneThreadGetsThemOneAfterTheOther() {
        for (long expected = 1; expected < 1_000; expected++) {
            assertThat(ids.nextAbove(0)).isEqualTo(expected);
        }
        assertThat(ids.given()).isEqualTo(999);
    }

    @Test
    void severalThreadsGetEachOnceAndAlwaysHigherOnesThanTheyKnow() throws InterruptedException {
        int threads = 4;
        int each = 100_000;
        List<long[]> got = Collections.synchronizedList(new ArrayList<>());
        AtomicLong shown = new AtomicLong();
        CountDownLatch together = new CountDownLatch(threads);
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            all.add(new Thread(() -> {
                long[] mine = new long[each];
                together.countDown();
                try {
                    together.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                for (int i = 0; i < each; i++) {
                    // Now and then one that another thread has just got, as that of a parent is.
                    long known = i % 7 == 0 ? shown.get() : 0;
                    mine[i] = ids.nextAbove(known);
                    if (mine[i] <= known) {
                        throw new IllegalStateException(mine[i] + " is not above " + known);
                    }
                    shown.lazySet(mine[i]);
                }
                got.add(mine);
            }));
        }
        all.forEach(Thread::start);
        for (Thread thread : all) {
            thread.join();
        }

        assertThat(got).as("threads that finished").hasSize(threads);
        Set<Long> distinct = new HashSet<>();
        for (long[] mine : got) {
            long before = 0;
            for (long id : mine) {
                assertThat(id).isGreaterThan(before);
                before = id;
                distinct.add(id);
            }
        }
        assertThat(distinct).hasSize(threads * each);
        assertThat(ids.given()).isEqualTo((long) threads * each);
    }

    /** What a thread that takes this place of the blocks gets; each one is another thread. */
    private long inPlace(int place, long known) throws InterruptedException {
        AtomicLong got = new AtomicLong();
        Thread thread = threadInPlace(place, () -> got.set(ids.nextAbove(known)));
        thread.start();
        thread.join();
        assertThat(got).doesNotHaveValue(0);
        return got.get();
    }

    private static Thread threadInPlace(int place, Runnable task) {
        Thread thread = new Thread(task);
        while (((int) thread.getId() & (Stripes.COUNT - 1)) != place) {
            thread = new Thread(task);
        }
        return thread;
    }

    /** Takes numbers in this thread, and expects one after the other. */
    private void takes(long from, long to) {
        for (long expected = from; expected <= to; expected++) {
            assertThat(ids.nextAbove(0)).isEqualTo(expected);
        }
    }

    @Test
    void aBlockIsUsedUpBeforeTheNextOneIsTaken() throws InterruptedException {
        takes(1, 10);
        ids.spread();
        // The first block is a whole one, so 11 to 64 are left out.
        takes(65, 128);
        int other = (Stripes.mine() + 1) % Stripes.COUNT;
        assertThat(inPlace(other, 0)).isEqualTo(129);
        takes(193, 256);
        for (long expected = 130; expected <= 192; expected++) {
            assertThat(inPlace(other, 0)).as("of the block that was begun").isEqualTo(expected);
        }
        assertThat(inPlace(other, 0)).isEqualTo(257);
        takes(321, 321);
        assertThat(ids.given()).isEqualTo(10 + 64 + 64 + 64 + 1 + 1);
    }

    @Test
    void theFirstBlockBeginsBehindWhatWasGivenBefore() {
        for (int before : new int[] {0, 1, 63, 64, 65, 128}) {
            IdSource source = new IdSource();
            for (int i = 0; i < before; i++) {
                source.nextAbove(0);
            }
            source.spread();
            assertThat(source.given()).as("given").isEqualTo(before);
            assertThat(source.nextAbove(before)).as("behind %d", before).isEqualTo((before + 63) / 64 * 64 + 1);
            assertThat(source.given()).as("given").isEqualTo(before + 1);
        }
    }

    @Test
    void blocksAreGivenFromOnePlaceHoweverOftenTheyAreAskedFor() {
        takes(1, 3);
        IdSource.Blocks blocks = ids.spread();
        takes(65, 66);
        assertThat(ids.spread()).isSameAs(blocks);
        takes(67, 67);
        assertThat(ids.given()).isEqualTo(6);
    }

    @Test
    void eachPlaceHasABlockOfItsOwn() throws InterruptedException {
        ids.spread();
        for (int place = 0; place < Stripes.COUNT; place++) {
            assertThat(inPlace(place, 0)).isEqualTo(place * 64L + 1);
        }
        for (int place = Stripes.COUNT - 1; place >= 0; place--) {
            assertThat(inPlace(place, 0)).isEqualTo(place * 64L + 2);
        }
        assertThat(ids.given()).as("without what is left of the blocks").isEqualTo(2L * Stripes.COUNT);
    }

    @Test
    void whoKnowsAHigherNumberThanTheBlockHasLeavesItForANewOne() throws InterruptedException {
        ids.spread();
        int other = (Stripes.mine() + 1) % Stripes.COUNT;
        takes(1, 5);
        assertThat(inPlace(other, 0)).isEqualTo(65);
        assertThat(inPlace(other, 0)).isEqualTo(66);

        assertThat(ids.nextAbove(5)).as("the last of its own").isEqualTo(6);
        assertThat(ids.nextAbove(66)).as("one of another block").isEqualTo(129);
        assertThat(ids.given()).as("58 were left of the block").isEqualTo(9);
        assertThat(inPlace(other, 129)).isEqualTo(193);
        assertThat(inPlace(other, 193)).isEqualTo(194);
        assertThat(ids.given()).isEqualTo(11);
    }

    @Test
    void ofTwoThreadsWhoseBlockIsUsedUpOneTakesANewOneForBoth() throws InterruptedException {
        IdSource.Blocks blocks = ids.spread();
        takes(1, 64);
        List<Long> got = bothWait(blocks, 64);
        assertThat(got).containsExactlyInAnyOrder(65L, 66L);
        assertThat(ids.given()).isEqualTo(66);
    }

    @Test
    void ofTwoThreadsThatKnowAHigherNumberOneTakesANewBlockForBoth() throws InterruptedException {
        IdSource.Blocks blocks = ids.spread();
        takes(1, 1);
        long known = inPlace((Stripes.mine() + 1) % Stripes.COUNT, 0);
        List<Long> got = bothWait(blocks, known);
        assertThat(got).containsExactlyInAnyOrder(129L, 130L);
        assertThat(ids.given()).isEqualTo(4);
    }

    /** Two threads of this place, which both found that they want a new block before one of them had it. */
    private List<Long> bothWait(IdSource.Blocks blocks, long known) throws InterruptedException {
        List<Long> got = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 2; t++) {
            threads.add(threadInPlace(Stripes.mine(), () -> got.add(ids.nextAbove(known))));
        }
        synchronized (blocks) {
            threads.forEach(Thread::start);
            int turn = 0;
            for (Thread thread : threads) {
                while (thread.getState() != Thread.State.BLOCKED) {
                    assertThat(thread.isAlive()).as("it waits for a block").isTrue();
                    Spin.turn(turn++);
                }
            }
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return got;
    }
}
