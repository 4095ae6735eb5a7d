package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.engine.WaitForGraph.Guesses;
import com.fastn.context.engine.WaitForGraph.Hold;
import com.fastn.context.engine.WaitForGraph.Lock;
import com.fastn.context.engine.WaitForGraph.Step;
import com.fastn.context.engine.WaitForGraph.Wait;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The detector against all possible futures of small systems, and by hand. */
class WaitForGraphTest {
    private static final long READERS = 1L << 30;

    /** {@code -Dfastn.schedules=1000000} tries as many as the rule wants. */
    private static final int SCHEDULES = Integer.getInteger("fastn.schedules", 100_000);

    @Test
    void L14_noneIsMissedAndNoneIsFalseInRandomSchedules() {
        long seed = Long.getLong("fastn.seed", new Random().nextLong());
        System.out.println("WaitForGraphTest seed " + seed + ", " + SCHEDULES + " schedules");
        long deadlocks = 0;
        long looks = 0;
        for (int i = 0; i < SCHEDULES; i++) {
            SmallSystem system = new SmallSystem(new SplittableRandom(seed + i));
            int found = 0;
            for (int step = 0; step < 40 && found < 2; step++) {
                if (system.step()) {
                    looks++;
                    found += isDeadlockRight(system.locks(), "seed " + seed + ", schedule " + i) ? 1 : 0;
                }
            }
            deadlocks += found;
        }
        System.out.println("WaitForGraphTest looked " + looks + " times, " + deadlocks + " with a deadlock");
        assertThat(deadlocks).isGreaterThan(SCHEDULES / 5);
        assertThat(looks - deadlocks).isGreaterThan(SCHEDULES / 2);
    }

    /** {@return whether there is one, of which the detector knows just what all futures show} */
    private static boolean isDeadlockRight(List<Lock> locks, String where) {
        Set<Object> expected = AllFutures.neverServed(locks);
        Set<Object> never = new HashSet<>();
        WaitForGraph.neverServed(locks).forEach(wait -> never.add(wait.key()));
        List<List<Step>> cycles = WaitForGraph.proven(locks);
        if (!never.equals(expected) || cycles.isEmpty() != expected.isEmpty()) {
            throw new AssertionError(where + ": never served are " + expected + ", and the detector says " + never
                    + " with the cycles " + cycles + " in " + locks);
        }
        cycles.forEach(cycle -> assertIsCycle(cycle, expected));
        return !cycles.isEmpty();
    }

    /** Each waits for a hold of the lock it queues at, and that hold cannot end before the wait of the next. */
    private static void assertIsCycle(List<Step> cycle, Set<Object> expected) {
        for (int i = 0; i < cycle.size(); i++) {
            Step step = cycle.get(i);
            Step next = cycle.get((i + 1) % cycle.size());
            if (!expected.contains(step.waiting().key())
                    || !step.lock().queue().contains(step.waiting())
                    || !step.lock().holds().contains(step.heldUp())
                    || !next.waiting().inside().contains(step.heldUp().key())) {
                throw new AssertionError("no cycle: " + cycle);
            }
        }
    }

    @Test
    void L14_whatIsSuspectedIsJustWhatNoFutureResolvesIfContextsDoOneThingAtATime() {
        long seed = Long.getLong("fastn.seed", new Random().nextLong());
        System.out.println("WaitForGraphTest suspicions, seed " + seed + ", " + SCHEDULES / 4 + " schedules");
        // Of some that hold and want more of one lock it is known that another branch asked.
        Guesses guesses = new Guesses(
                context -> !context.equals("p0"),
                (hold, wait) -> (hold.key().hashCode() + wait.key().hashCode()) % 4 != 0);
        long suspected = 0;
        long onOneLock = 0;
        long circles = 0;
        long alone = 0;
        for (int i = 0; i < SCHEDULES / 4; i++) {
            SmallSystem system = new SmallSystem(new SplittableRandom(seed + i));
            for (int step = 0; step < 40; step++) {
                if (system.step()) {
                    List<Lock> locks = system.locks();
                    Set<Object> expected = AllFutures.neverServed(locks, guesses);
                    Set<Object> never = new HashSet<>();
                    WaitForGraph.neverServed(locks, guesses).forEach(wait -> never.add(wait.key()));
                    List<List<Step>> cycles = WaitForGraph.suspected(locks, guesses);
                    boolean isCircle = AllFutures.isAnyInACircle(locks, guesses, expected);
                    circles += isCircle ? 1 : 0;
                    alone += isCircle || expected.isEmpty() ? 0 : 1;
                    if (!never.equals(expected)
                            || cycles.isEmpty() == isCircle
                            || !cycles.stream()
                                    .flatMap(List::stream)
                                    .allMatch(each ->
                                            expected.contains(each.waiting().key()))) {
                        throw new AssertionError("seed " + seed + ", schedule " + i + ": suspected are " + expected
                                + ", and the detector says " + never + " with the cycles " + cycles + " in " + locks);
                    }
                    assertThat(expected)
                            .as("seed %s, schedule %s: who gives up makes nobody suspicious", seed, i)
                            .containsAll(neverServedWithoutSome(locks, guesses, new SplittableRandom(seed + step)));
                    suspected += AllFutures.neverServed(locks).equals(expected) ? 0 : 1;
                    Guesses otherLocks = new Guesses(guesses.oneBranch(), (hold, wait) -> false);
                    onOneLock += expected.isEmpty()
                                    || AllFutures.neverServed(locks, otherLocks).equals(expected)
                            ? 0
                            : 1;
                }
            }
        }
        System.out.println(
                "WaitForGraphTest " + circles + " times with a circle, " + alone + " times stuck without one");
        assertThat(suspected).as("suspicions that are no proofs").isGreaterThan(SCHEDULES / 40);
        assertThat(circles).as("circles").isGreaterThan(SCHEDULES / 40);
        assertThat(onOneLock)
                .as("suspicions of those that want more of what they have")
                .isGreaterThan(SCHEDULES / 400);
    }

    private static Set<Object> neverServedWithoutSome(List<Lock> locks, Guesses guesses, SplittableRandom random) {
        Set<Object> gone = new HashSet<>();
        locks.forEach(lock ->
                lock.queue().stream().filter(wait -> random.nextInt(3) == 0).forEach(wait -> gone.add(wait.key())));
        Set<Object> never = new HashSet<>();
        WaitForGraph.neverServed(WaitForGraph.without(locks, gone), guesses).forEach(wait -> never.add(wait.key()));
        return never;
    }

    // --- by hand

    private static Hold hold(String key, String context) {
        return new Hold(key, context, 1);
    }

    private static Wait wait(String key, String context, String... inside) {
        return new Wait(key, context, 1, List.of(inside));
    }

    private static Lock mutex(String key, Hold hold, Wait... queue) {
        return new Lock(key, 1, List.of(hold), List.of(queue));
    }

    @Test
    void ringsOfTwoToAThousandAreFoundWhole() {
        for (int size : new int[] {2, 3, 4, 5, 10, 100, 999, 1_000}) {
            List<Lock> locks = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                int before = (i + size - 1) % size;
                locks.add(mutex("m" + i, hold("h" + i, "c" + i), wait("w" + before, "c" + before, "h" + before)));
            }
            assertThat(WaitForGraph.proven(locks)).singleElement().satisfies(cycle -> {
                assertThat(cycle).hasSize(size);
                assertThat(new HashSet<>(cycle)).hasSize(size);
            });
            // One that is a raw guard, and nothing is proven; suspected it is.
            List<Lock> raw = new ArrayList<>(locks);
            raw.set(1, mutex("m1", hold("raw", "c1"), wait("w0", "c0", "h0")));
            assertThat(WaitForGraph.proven(raw)).isEmpty();
            assertThat(WaitForGraph.suspected(raw, Guesses.of(context -> true)))
                    .singleElement()
                    .satisfies(cycle -> assertThat(cycle).hasSize(size));
            assertThat(WaitForGraph.suspected(raw, Guesses.of(context -> !context.equals("c1"))))
                    .isEmpty();
            // One that can go on, and all can.
            locks.set(0, mutex("m0", hold("h0", "c0"), wait("w" + (size - 1), "c" + (size - 1))));
            assertThat(WaitForGraph.proven(locks)).isEmpty();
        }
    }

    @Test
    void aReaderBehindAWriterCompletesACycle() {
        // a reads m and waits for n; b holds n and wants to read m, behind a writer who waits for a.
        Lock m = new Lock(
                "m",
                READERS,
                List.of(new Hold("aReads", "a", 1)),
                List.of(new Wait("writer", "x", READERS, List.of()), wait("bReads", "b", "bHoldsN")));
        Lock n = mutex("n", hold("bHoldsN", "b"), wait("aWants", "a", "aReads"));
        assertThat(WaitForGraph.proven(List.of(m, n))).hasSize(1);
        // Without the writer b reads beside a.
        Lock open = new Lock("m", READERS, m.holds(), List.of(wait("bReads", "b", "bHoldsN")));
        assertThat(WaitForGraph.proven(List.of(open, n))).isEmpty();
    }

    @Test
    void aWriterNeedsAllReadersToLeave() {
        Hold free = new Hold("freeReads", "f", 1);
        Hold stuck = new Hold("aReads", "a", 1);
        Lock m = new Lock(
                "m", READERS, List.of(free, stuck), List.of(new Wait("bWrites", "b", READERS, List.of("bHoldsN"))));
        Lock n = mutex("n", hold("bHoldsN", "b"), wait("aWants", "a", "aReads"));
        assertThat(WaitForGraph.proven(List.of(m, n))).hasSize(1);
    }

    @Test
    void aKnotOfPermitsNeedsThatNobodyElseHasEnough() {
        Wait a = new Wait("a2", "a", 1, List.of("a1"));
        Wait b = new Wait("b2", "b", 1, List.of("b1"));
        Lock knot = new Lock("s", 2, List.of(hold("a1", "a"), hold("b1", "b")), List.of(a, b));
        assertThat(WaitForGraph.proven(List.of(knot))).isNotEmpty();
        Lock oneMore = new Lock("s", 3, List.of(hold("a1", "a"), hold("b1", "b"), hold("c1", "c")), List.of(a, b));
        assertThat(WaitForGraph.proven(List.of(oneMore))).isEmpty();
        // The free one has too little for the large request at the head, so whoever stands behind it is stuck too.
        Lock large = new Lock(
                "s",
                3,
                List.of(hold("a1", "a"), hold("b1", "b"), hold("c1", "c")),
                List.of(new Wait("a2", "a", 2, List.of("a1")), b));
        assertThat(WaitForGraph.proven(List.of(large))).isNotEmpty();
    }

    @Test
    void L7_whoWaitsForItsOwnLockFromAnotherBranchIsNotSuspected() {
        Lock own = mutex("m", hold("raw", "a"), wait("again", "a"));
        assertThat(WaitForGraph.suspected(List.of(own), Guesses.of(context -> true)))
                .isEmpty();
        assertThat(WaitForGraph.proven(List.of(mutex("m", hold("scoped", "a"), wait("again", "a", "scoped")))))
                .hasSize(1);
    }

    /** A pool that is used up, of which some who have a permit want one more. */
    private static Lock pool(List<Hold> holds, Wait... queue) {
        return new Lock("pool", holds.size(), holds, List.of(queue));
    }

    @Test
    void L14_twoThatHaveAPermitAndWantOneMoreAreSuspected() {
        Lock knot = pool(List.of(hold("a1", "a"), hold("b1", "b")), wait("a2", "a"), wait("b2", "b"));
        assertThat(WaitForGraph.proven(List.of(knot))).isEmpty();
        assertThat(WaitForGraph.suspected(List.of(knot), Guesses.of(context -> true)))
                .singleElement()
                .satisfies(cycle -> assertThat(cycle)
                        .extracting(step -> step.waiting().key())
                        .containsExactlyInAnyOrder("a2", "b2"));
        // One who may have many branches, one of whom it is known better, and one permit more: each is enough.
        assertThat(WaitForGraph.suspected(List.of(knot), Guesses.of(context -> !context.equals("a"))))
                .isEmpty();
        assertThat(WaitForGraph.suspected(
                        List.of(knot),
                        new Guesses(context -> true, (hold, wait) -> !wait.key().equals("a2"))))
                .isEmpty();
        Lock more = pool(List.of(hold("a1", "a"), hold("b1", "b"), hold("c1", "c")), wait("a2", "a"), wait("b2", "b"));
        assertThat(WaitForGraph.suspected(List.of(more), Guesses.of(context -> true)))
                .isEmpty();
    }

    @Test
    void L14_twoReadersThatWantToWriteAreSuspected() {
        Lock table = new Lock(
                "table",
                READERS,
                List.of(hold("aReads", "a"), hold("bReads", "b")),
                List.of(new Wait("aWrites", "a", READERS, List.of()), new Wait("bWrites", "b", READERS, List.of())));
        assertThat(WaitForGraph.suspected(List.of(table), Guesses.of(context -> true)))
                .singleElement()
                .satisfies(cycle -> assertThat(cycle).hasSize(2));
    }

    @Test
    void L7_whoHasManyHoldsOrWaitsAtOnePoolHasManyBranches() {
        Guesses all = Guesses.of(context -> true);
        Lock manyWaits = pool(
                List.of(hold("a1", "a"), hold("b1", "b")),
                wait("a2", "a"),
                wait("b2", "b"),
                wait("a3", "a"),
                wait("b3", "b"));
        assertThat(WaitForGraph.suspected(List.of(manyWaits), all)).isEmpty();
        Lock manyHolds = pool(
                List.of(hold("a1", "a"), hold("a2", "a"), hold("b1", "b"), hold("b2", "b")),
                wait("a3", "a"),
                wait("b3", "b"));
        assertThat(WaitForGraph.suspected(List.of(manyHolds), all)).isEmpty();
    }

    /** Two branches of it may contend, whoever else reads. */
    @Test
    void L7_oneThatReadsAndWantsToWriteIsNotSuspectedByItself() {
        Wait writes = new Wait("aWrites", "a", READERS, List.of());
        for (List<Hold> readers :
                List.of(List.of(hold("aReads", "a")), List.of(hold("aReads", "a"), hold("bReads", "b")))) {
            Lock table = new Lock("table", READERS, readers, List.of(writes));
            assertThat(WaitForGraph.suspected(List.of(table), Guesses.of(context -> true)))
                    .isEmpty();
        }
    }

    /** The work asked for it: whose branch that is can be told, but not whether the work waits for it. */
    @Test
    void L14_whatTheWorkOfAScopeWantsOfItsOwnPoolIsSuspectedWhoeverAsked() {
        List<Hold> holds = List.of(hold("h1", "root"), hold("h2", "root"));
        Wait one = new Wait("w1", "root", 1, List.of(), List.of("h1"));
        Wait two = new Wait("w2", "root", 1, List.of(), List.of("h2"));
        Lock knot = pool(holds, one, two);
        assertThat(WaitForGraph.proven(List.of(knot))).isEmpty();
        assertThat(WaitForGraph.suspected(List.of(knot), Guesses.of(context -> false)))
                .singleElement()
                .satisfies(cycle -> assertThat(cycle).hasSize(2));
        assertThat(WaitForGraph.suspected(List.of(knot), Guesses.NONE)).isEmpty();
    }

    /** Neither that others hold some too nor that it is one wait only matters where it is known which work asked. */
    @Test
    void L14_whatTheWorkOfAScopeWantsOfItsOwnPoolIsSuspectedAlsoOfOneAlone() {
        Lock alone = new Lock(
                "pool",
                2,
                List.of(new Hold("h1", "a", 2)),
                List.of(
                        new Wait("w1", "a", 1, List.of(), List.of("h1")),
                        new Wait("w2", "a", 1, List.of(), List.of("h1"))));
        assertThat(WaitForGraph.suspected(List.of(alone), Guesses.of(context -> false)))
                .hasSize(1);
        Lock once = new Lock("pool", 2, alone.holds(), alone.queue().subList(0, 1));
        assertThat(WaitForGraph.suspected(List.of(once), Guesses.of(context -> false)))
                .hasSize(1);
        Lock guessed = new Lock("pool", 2, alone.holds(), List.of(wait("w1", "a")));
        assertThat(WaitForGraph.suspected(List.of(guessed), Guesses.of(context -> true)))
                .isEmpty();
    }

    /** Waits that are over, or are not in both readings, leave no context that was never there with one wait only. */
    @Test
    void L7_whoHadManyWaitsInOneReadingIsNotSuspectedForWhatIsLeft() {
        Guesses all = Guesses.of(context -> true);
        List<Hold> holds = List.of(hold("a1", "a"), hold("b1", "b"));
        Lock many = pool(holds, wait("a2", "a"), wait("b2", "b"), wait("a3", "a"), wait("b3", "b"));
        Lock few = pool(holds, wait("a2", "a"), wait("b2", "b"));
        assertThat(WaitForGraph.suspected(List.of(few), all)).hasSize(1);
        assertThat(WaitForGraph.suspected(WaitForGraph.inBoth(List.of(few), List.of(few)), all))
                .hasSize(1);
        assertThat(WaitForGraph.suspected(WaitForGraph.inBoth(List.of(many), List.of(few)), all))
                .isEmpty();
        assertThat(WaitForGraph.suspected(WaitForGraph.inBoth(List.of(few), List.of(many)), all))
                .isEmpty();
        List<Lock> left = WaitForGraph.without(List.of(many), Set.of("a3", "b3"));
        assertThat(WaitForGraph.suspected(left, all)).isEmpty();
        assertThat(WaitForGraph.neverServed(left, all)).isEmpty();
    }

    @Test
    void whoeverStandsBehindADeadlockIsNoPartOfIt() {
        Lock m = mutex("m", hold("hm", "a"), wait("wb", "b", "hn"), wait("behind", "x", "hx"));
        Lock n = mutex("n", hold("hn", "b"), wait("wa", "a", "hm"));
        Lock x = mutex("x", hold("hx", "x"), wait("far", "y"));
        assertThat(WaitForGraph.proven(List.of(x, m, n)))
                .singleElement()
                .satisfies(cycle -> assertThat(cycle)
                        .extracting(step -> step.waiting().key())
                        .containsExactlyInAnyOrder("wa", "wb"));
    }

    // --- two readings

    private static Lock semaphore(List<Hold> holds, Wait... queue) {
        return new Lock("s", 2, holds, List.of(queue));
    }

    @Test
    void L14_whatIsHeldByDifferentOnesInTwoReadingsIsNoProof() {
        // The second permit goes round; each reading sees it with one who waited for l at another moment.
        Hold first = hold("h1", "a");
        Wait w = wait("w", "w", "h1");
        Wait p = wait("p", "p", "pHoldsL");
        Hold l = hold("pHoldsL", "p");
        List<Lock> before = List.of(
                semaphore(List.of(first, hold("h2", "b")), wait("x", "x"), w, p), mutex("l", l, wait("bL", "b", "h2")));
        List<Lock> after =
                List.of(semaphore(List.of(first, hold("x", "x")), w, p), mutex("l", l, wait("xL", "x", "x")));
        for (List<Lock> reading : List.of(before, after)) {
            assertThat(WaitForGraph.proven(reading))
                    .anySatisfy(cycle -> assertThat(cycle).anySatisfy(step -> {
                        assertThat(step.lock().key()).isEqualTo("s");
                        assertThat(step.heldUp()).isEqualTo(first);
                    }));
        }
        List<Lock> both = WaitForGraph.inBoth(before, after);
        assertThat(WaitForGraph.proven(both)).isEmpty();
        assertThat(WaitForGraph.suspected(both, Guesses.of(context -> true))).isEmpty();
        // The same one both times, and it is.
        assertThat(WaitForGraph.proven(WaitForGraph.inBoth(after, after))).isNotEmpty();
    }

    @Test
    void L14_twoReadingsOfAMovingSystemProveJustWhatIsDeadlocked() {
        long seed = Long.getLong("fastn.seed", new Random().nextLong());
        System.out.println("WaitForGraphTest two readings, seed " + seed + ", " + SCHEDULES / 4 + " schedules");
        long deadlocks = 0;
        for (int i = 0; i < SCHEDULES / 4; i++) {
            SplittableRandom random = new SplittableRandom(seed + i);
            SmallSystem system = new SmallSystem(random.split());
            for (int step = random.nextInt(30); step > 0; step--) {
                system.step();
            }
            Set<Object> atStart = AllFutures.neverServed(system.locks());
            List<Lock> before = system.readWhileMoving(random);
            List<Lock> between = system.locks();
            List<Lock> after = system.readWhileMoving(random);
            Set<Object> found = new HashSet<>();
            WaitForGraph.neverServed(WaitForGraph.inBoth(before, after)).forEach(wait -> found.add(wait.key()));
            if (!found.containsAll(atStart)
                    || !(found.isEmpty() || AllFutures.neverServed(between).containsAll(found))) {
                throw new AssertionError("seed " + seed + ", schedule " + i + ": found " + found + ", at the start "
                        + atStart + ", between " + between + ", readings " + before + " and " + after);
            }
            deadlocks += found.isEmpty() ? 0 : 1;
        }
        assertThat(deadlocks).isGreaterThan(SCHEDULES / 40);
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aContextWithThousandsOfGuardsAndWaitsIsLookedAtQuickly() {
        List<Lock> locks = new ArrayList<>();
        for (int i = 0; i < 8_000; i++) {
            locks.add(mutex("held" + i, hold("mine" + i, "busy")));
            locks.add(mutex("wanted" + i, hold("other" + i, "other" + i), wait("wait" + i, "busy")));
        }
        assertThat(WaitForGraph.suspected(locks, Guesses.of(context -> true))).isEmpty();
        locks.set(0, mutex("held0", hold("mine0", "busy"), wait("back", "other1")));
        assertThat(WaitForGraph.suspected(locks, Guesses.of(context -> true))).hasSize(1);
    }

    @Test
    void manyWhoWaitBehindManyHoldersCostALookAtEachHolder() {
        int many = 20_000;
        List<Hold> readers = new ArrayList<>();
        List<Wait> writers = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            readers.add(new Hold("read" + i, "reader" + i, 1));
            writers.add(new Wait("write" + i, "writer" + i, READERS, List.of()));
        }
        // The last reader waits for one who waits behind all of the others.
        readers.add(new Hold("table", "a", 1));
        writers.add(new Wait("last", "b", READERS, List.of("index")));
        Lock table = new Lock("table", READERS, readers, writers);
        Lock index = mutex("index", hold("index", "b"), wait("a", "a", "table"));
        assertThat(WaitForGraph.proven(List.of(table, index)))
                .singleElement()
                .satisfies(cycle -> assertThat(cycle)
                        .extracting(step -> step.waiting().key())
                        .containsExactlyInAnyOrder("a", "last"));
        assertThat(WaitForGraph.looks(List.of(table, index))).isLessThanOrEqualTo(many + 2L);
    }

    @Test
    void manyWhoAreLeftOutAtOnceCostAFewLooksAtEachWhoWaitsForWhatTheyHold() {
        int many = 2_000;
        List<Hold> permits = new ArrayList<>();
        List<Wait> first = new ArrayList<>();
        List<Wait> behind = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            permits.add(new Hold("permit" + i, "holder" + i, 1));
            first.add(wait("first" + i, "holder" + i));
            behind.add(wait("behind" + i, "other" + i));
        }
        // All of the holders wait for one who waits for itself, as only its context says.
        Lock itself = new Lock(
                "itself", 2, List.of(hold("i", "a"), hold("j", "b")), List.of(new Wait("more", "a", 2, List.of())));
        Lock gate = new Lock("gate", 1, List.of(hold("gate", "a")), first);
        List<Lock> locks = List.of(new Lock("permits", many, permits, behind), gate, itself);
        Guesses guesses = Guesses.of(context -> true);
        assertThat(WaitForGraph.neverServed(locks, guesses)).hasSize(2 * many + 1);
        assertThat(WaitForGraph.suspected(locks, guesses)).isEmpty();
        assertThat(WaitForGraph.looks(locks, guesses)).isLessThanOrEqualTo(6L * many);
    }

    @Test
    void whetherAContextIsOneBranchIsAskedOnceHoweverOftenItWaits() {
        AtomicInteger asked = new AtomicInteger();
        List<Lock> locks = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            locks.add(mutex("m" + i, hold("h" + i, "other"), wait("w" + i, "busy")));
        }
        assertThat(WaitForGraph.suspected(locks, Guesses.of(context -> asked.incrementAndGet() > 0)))
                .isEmpty();
        assertThat(asked).hasValue(1);
    }

    @Test
    void ofAKnotEachPartyIsNamedAndNotOnlyOneThatWaitsForItself() {
        Lock permits = new Lock(
                "s",
                2,
                List.of(new Hold("ha", "a", 1), new Hold("hb", "b", 1)),
                List.of(new Wait("wa", "a", 1, List.of("ha")), new Wait("wb", "b", 1, List.of("hb"))));
        assertThat(WaitForGraph.proven(List.of(permits)))
                .singleElement()
                .satisfies(cycle -> assertThat(cycle)
                        .extracting(step -> step.waiting().key())
                        .containsExactlyInAnyOrder("wa", "wb"));
    }

    // --- random systems

    /** A few parties that take locks inside of one another, branch, and give back what they may. */
    private static final class SmallSystem {
        private final SplittableRandom random;
        private final List<Model> locks = new ArrayList<>();
        private final List<List<Taken>> parties = new ArrayList<>();
        private int names;

        SmallSystem(SplittableRandom random) {
            this.random = random;
            int count = 2 + random.nextInt(2);
            for (int i = 0; i < count; i++) {
                locks.add(new Model(
                        switch (random.nextInt(4)) {
                            case 0 -> READERS;
                            case 1 -> 2 + random.nextInt(2);
                            default -> 1;
                        }));
            }
            int people = 2 + random.nextInt(3);
            for (int i = 0; i < people; i++) {
                parties.add(new ArrayList<>());
            }
        }

        /** {@return whether somebody queued} */
        boolean step() {
            int party = random.nextInt(parties.size());
            List<Taken> stack = parties.get(party);
            boolean waits = locks.stream().anyMatch(l -> l.queue.stream().anyMatch(t -> t.party == party));
            int waiting = locks.stream().mapToInt(l -> l.queue.size()).sum();
            // A party that waits may have another branch, inside of the same scopes or of the outer ones.
            if ((waits && random.nextInt(6) > 0) || waiting > 5) {
                return false;
            }
            if (!waits && !stack.isEmpty() && random.nextInt(3) == 0) {
                giveBack(stack.remove(stack.size() - 1));
                return false;
            }
            Model lock = locks.get(random.nextInt(locks.size()));
            long units = lock.units == READERS && random.nextBoolean()
                    ? READERS
                    : lock.units == READERS || lock.units == 1 ? 1 : 1 + random.nextInt((int) lock.units);
            int depth = waits ? random.nextInt(stack.size() + 1) : stack.size();
            Taken taken = new Taken("p" + party + "-" + names++, party, lock, units, random.nextInt(5) > 0);
            boolean unseen = random.nextInt(4) == 0;
            for (Taken outer : stack.subList(0, depth)) {
                if (outer.scoped) {
                    // Of some nobody can tell whether they wait.
                    if (!unseen) {
                        taken.inside.add(outer.key);
                    }
                    taken.around.add(outer.key);
                }
            }
            if (lock.queue.isEmpty() && lock.free() >= units) {
                lock.holds.add(taken);
                // A second branch comes and goes by itself; what it holds is never blocked.
                if (!waits) {
                    stack.add(taken);
                }
                return false;
            }
            lock.queue.add(taken);
            return true;
        }

        private void giveBack(Taken taken) {
            Model lock = taken.lock;
            boolean busy = locks.stream().anyMatch(l -> l.queue.stream().anyMatch(t -> t.inside.contains(taken.key)));
            if (busy || !lock.holds.remove(taken)) {
                return;
            }
            while (!lock.queue.isEmpty() && lock.queue.get(0).units <= lock.free()) {
                Taken next = lock.queue.remove(0);
                lock.holds.add(next);
                parties.get(next.party).add(next);
            }
        }

        /** Views that are of one instant each, with steps between them. */
        List<Lock> readWhileMoving(SplittableRandom between) {
            List<Lock> read = new ArrayList<>();
            for (int i = 0; i < locks.size(); i++) {
                read.add(locks().get(i));
                for (int step = between.nextInt(4); step > 0; step--) {
                    step();
                }
            }
            return read;
        }

        List<Lock> locks() {
            List<Lock> all = new ArrayList<>();
            for (Model lock : locks) {
                all.add(new Lock(
                        lock,
                        lock.units,
                        lock.holds.stream()
                                .map(t -> new Hold(t.key, "p" + t.party, t.units))
                                .toList(),
                        lock.queue.stream()
                                .map(t -> new Wait(
                                        t.key, "p" + t.party, t.units, List.copyOf(t.inside), List.copyOf(t.around)))
                                .toList()));
            }
            return all;
        }
    }

    private static final class Model {
        final long units;
        final List<Taken> holds = new ArrayList<>();
        final List<Taken> queue = new ArrayList<>();

        Model(long units) {
            this.units = units;
        }

        long free() {
            return units - holds.stream().mapToLong(t -> t.units).sum();
        }
    }

    private static final class Taken {
        final String key;
        final int party;
        final Model lock;
        final long units;
        final boolean scoped;
        final List<Object> inside = new ArrayList<>();
        final List<Object> around = new ArrayList<>();

        Taken(String key, int party, Model lock, long units, boolean scoped) {
            this.key = key;
            this.party = party;
            this.lock = lock;
            this.units = units;
            this.scoped = scoped;
        }
    }

    /**
     * All that can happen: in each state any one hold inside of which nobody waits may be given back, also one that was
     * granted on the way. A wait that is served in none of the states is deadlocked.
     */
    private static final class AllFutures {
        private final List<Lock> locks;
        private final List<Unit> units = new ArrayList<>();
        private final Set<Long> seen = new HashSet<>();
        private final ArrayList<Long> open = new ArrayList<>();

        /** Something that is waited for, held, or given back; in a state these are two bits: 0, 1 and 2. */
        private record Unit(
                Object key, Object context, int lock, long size, boolean held, long insideOf, long asksIn) {}

        /** What may be thought; null if nothing is suspected. */
        private final @Nullable Guesses guesses;

        private AllFutures(List<Lock> locks, @Nullable Guesses guesses) {
            this.locks = locks;
            this.guesses = guesses;
            List<Object> keys = new ArrayList<>();
            locks.forEach(lock -> lock.holds().forEach(hold -> keys.add(hold.key())));
            locks.forEach(lock -> lock.queue().forEach(wait -> keys.add(wait.key())));
            for (int i = 0; i < locks.size(); i++) {
                for (Hold hold : locks.get(i).holds()) {
                    units.add(new Unit(hold.key(), hold.context(), i, hold.units(), true, 0, 0));
                }
            }
            for (int i = 0; i < locks.size(); i++) {
                for (Wait wait : locks.get(i).queue()) {
                    long inside = 0;
                    for (Object key : wait.inside()) {
                        inside |= 1L << keys.indexOf(key);
                    }
                    long around = 0;
                    for (Object key : wait.around()) {
                        around |= 1L << keys.indexOf(key);
                    }
                    units.add(new Unit(wait.key(), wait.context(), i, wait.units(), false, inside, around));
                }
            }
            if (units.size() > 31) {
                throw new AssertionError("too many for a state of 64 bits: " + units.size());
            }
        }

        static Set<Object> neverServed(List<Lock> locks) {
            return new AllFutures(locks, null).explore();
        }

        static Set<Object> neverServed(List<Lock> locks, Guesses guesses) {
            return new AllFutures(locks, guesses).explore();
        }

        /**
         * Whether some of those that are never served wait for each other: each for a hold that somebody has and that another
         * one of them holds up. What is left when those are taken away, one after the other, that wait only for who is taken
         * away, for a hold that is yet to come, or by guess for themselves: of these nothing can be told but that they wait.
         */
        static boolean isAnyInACircle(List<Lock> locks, Guesses guesses, Set<Object> never) {
            AllFutures futures = new AllFutures(locks, guesses);
            Set<Object> left = new HashSet<>(never);
            boolean more = true;
            while (more) {
                more = left.removeIf(key -> !futures.waitsForOneOf(left, key));
            }
            return !left.isEmpty();
        }

        private boolean waitsForOneOf(Set<Object> some, Object key) {
            Unit waiting = only(units, unit -> unit.key.equals(key));
            for (int hold = 0; hold < units.size(); hold++) {
                Unit held = units.get(hold);
                for (Unit wait : held.held && held.lock == waiting.lock ? units : List.<Unit>of()) {
                    boolean asked = ((wait.insideOf | wait.asksIn) >>> hold & 1) == 1;
                    if (some.contains(wait.key)
                            && (!wait.key.equals(key) || asked)
                            && ((wait.insideOf >>> hold & 1) == 1 || mayBlock(wait, hold))) {
                        return true;
                    }
                }
            }
            return false;
        }

        private static int phase(long state, int unit) {
            return (int) (state >>> (2 * unit)) & 3;
        }

        private Set<Object> explore() {
            long start = 0;
            Set<Object> never = new HashSet<>();
            for (int i = 0; i < units.size(); i++) {
                start |= (units.get(i).held ? 1L : 0L) << (2 * i);
                if (!units.get(i).held) {
                    never.add(units.get(i).key);
                }
            }
            visit(serve(start));
            while (!open.isEmpty()) {
                long state = open.remove(open.size() - 1);
                for (int i = 0; i < units.size(); i++) {
                    if (phase(state, i) != 0) {
                        never.remove(units.get(i).key);
                    }
                    if (phase(state, i) == 1 && !isWaitedInside(state, i)) {
                        visit(serve(state + (1L << (2 * i))));
                    }
                }
                if (never.isEmpty()) {
                    break;
                }
            }
            return never;
        }

        private boolean isWaitedInside(long state, int hold) {
            for (int i = 0; i < units.size(); i++) {
                if (phase(state, i) == 0
                        && ((units.get(i).insideOf >>> hold & 1) == 1 || mayBlock(units.get(i), hold))) {
                    return true;
                }
            }
            return false;
        }

        private boolean mayBlock(Unit wait, int hold) {
            Unit held = units.get(hold);
            if (guesses == null) {
                return false;
            }
            boolean asked = (wait.asksIn >>> hold & 1) == 1;
            boolean sameBranch =
                    wait.context.equals(held.context) && guesses.oneBranch().test(wait.context);
            return wait.lock == held.lock ? mayWantMore(wait, held, asked, sameBranch) : asked || sameBranch;
        }

        /** Of its own lock another branch may well wait, unless the context has just one hold and one wait there. */
        private boolean mayWantMore(Unit wait, Unit held, boolean asked, boolean sameBranch) {
            Lock lock = locks.get(held.lock);
            if (!held.held || lock.units() == 1) {
                return false;
            }
            Hold has = only(lock.holds(), hold -> hold.key().equals(held.key));
            Wait wants = only(lock.queue(), other -> other.key().equals(wait.key));
            boolean onceMore = lock.holds().stream()
                                    .filter(hold -> hold.context().equals(held.context))
                                    .count()
                            == 1
                    && lock.queue().stream()
                                    .filter(other -> other.context().equals(held.context))
                                    .count()
                            == 1
                    && lock.holds().stream().anyMatch(hold -> !hold.context().equals(held.context));
            return (asked || (sameBranch && onceMore))
                    && requireNonNull(guesses).wantsMore().test(has, wants);
        }

        private static <E> E only(List<E> some, Predicate<E> which) {
            return some.stream().filter(which).findFirst().orElseThrow();
        }

        private long serve(long before) {
            long state = before;
            for (int lock = 0; lock < locks.size(); lock++) {
                long free = locks.get(lock).units();
                for (int i = 0; i < units.size(); i++) {
                    free -= units.get(i).lock == lock && phase(state, i) == 1 ? units.get(i).size : 0;
                }
                for (int i = 0; i < units.size(); i++) {
                    if (units.get(i).lock == lock && phase(state, i) == 0) {
                        if (units.get(i).size > free) {
                            break;
                        }
                        free -= units.get(i).size;
                        state += 1L << (2 * i);
                    }
                }
            }
            return state;
        }

        private void visit(long state) {
            if (seen.add(state)) {
                open.add(state);
            }
        }
    }
}
