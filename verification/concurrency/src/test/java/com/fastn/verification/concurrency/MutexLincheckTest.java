package com.fastn.verification.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.function.IntFunction;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

/**
 * The mutex does, in every order of steps, what a queue of tickets does: strictly first in, first out (L5), each ticket
 * granted or cancelled and never both (L1), a guard that comes too late given back (L2), none lost.
 */
class MutexLincheckTest {

    @Test
    void L1_L2_L5_inEveryOrderOfStepsItIsAFairQueueOfTickets() {
        ModelChecking.options(3, 20, 300)
                .sequentialSpecification(TicketQueue.class)
                .check(MutexTickets.class);
    }

    @Test
    void L1_L2_L5_underRealThreadsItIsAFairQueueOfTickets() {
        new StressOptions()
                .threads(3)
                .actorsPerThread(4)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(Scale.times(20))
                .invocationsPerIteration(1_000)
                .sequentialSpecification(TicketQueue.class)
                .check(MutexTickets.class);
    }

    @Test
    void L1_L2_L5_inEveryOrderOfStepsAFreeMutexIsGivenToOne() {
        ModelChecking.options(2, 10, 200)
                .sequentialSpecification(TicketQueue.Free.class)
                .check(MutexTickets.Free.class);
    }

    /** Without races, but longer: the queues are full, and who is third in line has overtakers to fear. */
    @Test
    void L5_inALongWalkOfOneThreadItIsTheSameQueue() {
        long seed = new SplittableRandom().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        MutexTickets real = new MutexTickets();
        TicketQueue model = new TicketQueue();
        for (int step = 0; step < Scale.times(100_000); step++) {
            int as = MutexTickets.FIRST + random.nextInt(MutexTickets.THREADS - MutexTickets.FIRST);
            int operation = random.nextInt(3);
            assertThat(apply(operation, as, real::ask, real::goOn, real::turnAway))
                    .as("step %d, operation %d of thread %d, seed %d", step, operation, as, seed)
                    .isEqualTo(apply(operation, as, model::ask, model::goOn, model::turnAway));
            real.nothingIsLost();
        }
    }

    @SafeVarargs
    private static String apply(int operation, int thread, IntFunction<String>... operations) {
        return operations[operation].apply(thread);
    }
}
