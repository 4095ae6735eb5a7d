package com.fastn.status.deadlock;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.status.deadlock.SimulatedCluster.Discipline;
import com.fastn.status.deadlock.SimulatedCluster.Fault;
import com.fastn.status.deadlock.SimulatedCluster.Network;
import com.fastn.status.deadlock.SimulatedCluster.Searcher;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Rule L14 over many nodes: no cycle is told of that was not there, whatever becomes of the messages. {@code
 * -Dfastn.deadlock.schedules=100000} runs more schedules of each kind than a build has time for.
 */
class ClusterDeadlockSimulationTest {
    private static final int SCHEDULES = Integer.getInteger("fastn.deadlock.schedules", 1_500);
    private static final int EVENTS = 300;

    /** What became of some schedules. */
    private static final class Tally {
        int searches;
        int confirming;
        int found;
        int meanwhile;
        int never;
        long firstFalseSeed = -1;
    }

    private static Tally run(Discipline discipline, int schedules, Fault fault) {
        Tally tally = new Tally();
        for (long seed = 1; seed <= schedules; seed++) {
            run(seed, discipline, fault, tally);
        }
        return tally;
    }

    private static void run(long seed, Discipline discipline, Fault fault, Tally tally) {
        SimulatedCluster cluster = new SimulatedCluster(seed, discipline, true);
        Network network = new Network(cluster.random, 10 * cluster.random.nextInt(4));
        List<Searcher> searchers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            searchers.add(new Searcher(cluster, network, fault));
        }
        // How much happens while a message is on its way.
        int steps = 40 + 10 * cluster.random.nextInt(6);
        int looks = 1 + cluster.random.nextInt(5);
        int pace = 1 + cluster.random.nextInt(16);
        for (int event = 0; event < EVENTS; event++) {
            int what = cluster.random.nextInt(100);
            if (what < steps - looks) {
                for (int i = 0; i < pace; i++) {
                    cluster.step();
                }
            } else if (what < 100 - looks) {
                network.deliverOne();
            } else {
                Searcher searcher = searchers.get(cluster.random.nextInt(searchers.size()));
                if (fault == Fault.BELIEVES_FIRST && searcher.search.isUnderWay() && !searcher.isConfirming()) {
                    boolean isThere = CircleGraph.cycles(searcher.search.firstAnswers(), key -> true).stream()
                            .allMatch(cycle -> SimulatedCluster.isIn(cycle, cluster.present()));
                    tally.never += isThere ? 0 : 1;
                }
                boolean was = searcher.isConfirming();
                List<ClusterCycle> found = searcher.goOn();
                tally.searches += !was && searcher.search.isUnderWay() && !searcher.isConfirming() ? 1 : 0;
                tally.confirming += !was && searcher.isConfirming() ? 1 : 0;
                for (ClusterCycle cycle : found) {
                    tally.found++;
                    tally.meanwhile += searcher.gotAnotherHolderMeanwhile(cycle) ? 1 : 0;
                    if (searcher.isFalse(cycle)) {
                        tally.never++;
                        tally.firstFalseSeed = tally.firstFalseSeed < 0 ? seed : tally.firstFalseSeed;
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Discipline.class,
            names = {"AVOID", "ORDER"})
    void L14_whereThereIsNeverADeadlockNoneIsFound(Discipline discipline) {
        Tally tally = run(discipline, SCHEDULES, Fault.NONE);
        assertThat(tally.never)
                .as("in %s searches, the first with the seed %s", tally.searches, tally.firstFalseSeed)
                .isZero();
        assertThat(tally.found)
                .as("only what a cluster that fell apart while somebody searched was told too late")
                .isEqualTo(tally.meanwhile)
                .isLessThanOrEqualTo(tally.searches / 1_000);
        assertThat(tally.searches).isGreaterThan(SCHEDULES);
    }

    @Test
    void L14_whatIsFoundAmongRealDeadlocksWasAllThereAtOneMoment() {
        Tally tally = run(Discipline.NONE, SCHEDULES, Fault.NONE);
        assertThat(tally.never)
                .as("of %s found, the first with the seed %s", tally.found, tally.firstFalseSeed)
                .isZero();
        assertThat(tally.found).as("there is something to find").isGreaterThan(SCHEDULES / 20);
    }

    /** The simulation would see a search that does not look twice. */
    @Test
    void whoBelievesFirstAnswersFindsWhatWasNever() {
        Tally tally = run(Discipline.AVOID, 1_000, Fault.BELIEVES_FIRST);
        assertThat(tally.never).isPositive();
        assertThat(tally.confirming)
                .as("and the real search looks into it, and finds nothing")
                .isPositive();
        assertThat(tally.found).isEqualTo(tally.meanwhile);
    }

    /** The simulation would see a search whose second questions go out before all first answers are in. */
    @Test
    void whoAsksTwiceAtOnceFindsWhatWasNever() {
        Tally tally = run(Discipline.AVOID, 20_000, Fault.ASKS_TWICE_AT_ONCE);
        assertThat(tally.never).isPositive();
    }

    /** The simulation would see a search to which two holders of a lock look like one, or like one who may be the only one. */
    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"MISSES_HOLDERS", "TRUSTS_SILENCE"})
    void whoDoesNotKnowAllHoldersOfALockFindsWhatWasNever(Fault fault) {
        Tally tally = run(Discipline.AVOID, 3_000, fault);
        assertThat(tally.never).isPositive();
    }

    @Test
    void aRingIsFoundByTheFirstSearchWhoseMessagesGetThrough() {
        for (int size = 2; size <= 6; size++) {
            for (boolean requests : List.of(true, false)) {
                for (long seed = 1; seed <= 100; seed++) {
                    findRing(size, requests, seed, 0, 1);
                }
            }
        }
    }

    @Test
    void aRingIsFoundInTheEndThoughMessagesAreLost() {
        for (int size = 2; size <= 6; size++) {
            for (boolean requests : List.of(true, false)) {
                for (long seed = 1; seed <= 50; seed++) {
                    findRing(size, requests, seed, 20, 2_000);
                }
            }
        }
    }

    private static void findRing(int size, boolean requests, long seed, int lostPercent, int mostSearches) {
        long from = seed;
        SimulatedCluster cluster = new SimulatedCluster(from, Discipline.AVOID, false);
        while (cluster.nodes.size() < size) {
            from += 1_000;
            cluster = new SimulatedCluster(from, Discipline.AVOID, false);
        }
        for (int i = 0; i < 50; i++) {
            cluster.step();
        }
        if (requests) {
            cluster.plantRingOfRequests(size);
        } else {
            cluster.plantRingOfSharedLocks(size);
        }
        Network network = new Network(cluster.random, lostPercent);
        Searcher searcher = new Searcher(cluster, network, Fault.NONE);
        for (int search = 0; search < mostSearches; search++) {
            int lives = cluster.lives();
            searcher.begin();
            List<ClusterCycle> found = List.of();
            while (searcher.search.isUnderWay()) {
                boolean more = network.deliverOne();
                if (!more) {
                    found = searcher.goOn();
                } else if (cluster.random.nextInt(4) == 0) {
                    cluster.step();
                }
            }
            if (cluster.lives() != lives && found.isEmpty()) {
                // Of a node that began a new life meanwhile nobody knows what it holds; the next search does.
                search--;
            }
            if (!found.isEmpty()) {
                assertThat(found).as("size %s, seed %s", size, seed).hasSize(1);
                ClusterCycle cycle = found.get(0);
                assertThat(cycle.steps()).hasSize(requests ? 2 * size : size);
                assertThat(cycle.nodes()).hasSize(size);
                assertThat(searcher.isFalse(cycle)).isFalse();
                assertThat(cycle.nodes()).contains(cycle.reporter());
                return;
            }
        }
        throw new AssertionError("not found: size " + size + ", requests " + requests + ", seed " + seed);
    }
}
