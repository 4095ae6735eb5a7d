package com.fastn.verification.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each lock does, in every order of steps, what a queue of tickets does: strictly first in, first out (L5), each ticket
 * granted, given up, stopped or out of time and never two of these (L1), a guard that comes too late given back (L2), no
 * timer left behind (L4), the ones behind a large request that is given up served at once (L6), none lost.
 */
@Tag("slow")
class LocksLincheckTest {

    @ParameterizedTest
    @ValueSource(classes = {MutexTickets.class, MutexScopes.class, ReadWriteTickets.class, SemaphoreTickets.class})
    void L1_L2_L4_L5_L6_inEveryOrderOfStepsItIsAFairQueueOfTickets(Class<? extends LockTickets> lock)
            throws ClassNotFoundException {
        ModelChecking.options(3, 8, 100).sequentialSpecification(modelOf(lock)).check(lock);
    }

    @ParameterizedTest
    @ValueSource(classes = {MutexTickets.class, MutexScopes.class, ReadWriteTickets.class, SemaphoreTickets.class})
    void L1_L2_L4_L5_L6_underRealThreadsItIsAFairQueueOfTickets(Class<? extends LockTickets> lock)
            throws ClassNotFoundException {
        new StressOptions()
                .threads(3)
                .actorsPerThread(4)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(Scale.times(10))
                .invocationsPerIteration(500)
                .sequentialSpecification(modelOf(lock))
                .check(lock);
    }

    @ParameterizedTest
    @ValueSource(classes = {MutexTickets.Free.class, ReadWriteTickets.Free.class, SemaphoreTickets.Free.class})
    void L1_L2_L5_inEveryOrderOfStepsAFreeLockIsGivenToOneAfterTheOther(Class<? extends LockTickets> lock)
            throws ClassNotFoundException {
        ModelChecking.options(2, 10, 50).sequentialSpecification(modelOf(lock)).check(lock);
    }

    private static Class<?> modelOf(Class<?> lock) throws ClassNotFoundException {
        return Class.forName(lock.getName() + "$Model");
    }

    /** Without races, but longer: the queues are full, and who is third in line has overtakers to fear. */
    @Test
    void L5_L6_inLongWalksOfOneThreadTheyAreTheSameQueues() {
        walk(MutexTickets::new, MutexTickets.Model::new);
        walk(MutexScopes::new, MutexScopes.Model::new);
        walk(ReadWriteTickets::new, ReadWriteTickets.Model::new);
        walk(SemaphoreTickets::new, SemaphoreTickets.Model::new);
    }

    private static void walk(Supplier<? extends LockTickets> makeReal, Supplier<? extends TicketQueue> makeModel) {
        long seed = new SplittableRandom().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < Scale.times(2_000); round++) {
            LockTickets real = makeReal.get();
            TicketQueue model = makeModel.get();
            for (int step = 0; step < 40; step++) {
                int as = LockTickets.FIRST + random.nextInt(LockTickets.THREADS - LockTickets.FIRST);
                int operation = random.nextInt(5);
                int timed = random.nextInt(LockTickets.TIMED);
                assertThat(apply(
                                operation,
                                as,
                                real::ask,
                                real::goOn,
                                real::turnAway,
                                real::stop,
                                of -> real.runOut(of, timed)))
                        .as("round %d, step %d, operation %d of thread %d, seed %d", round, step, operation, as, seed)
                        .isEqualTo(apply(
                                operation,
                                as,
                                model::ask,
                                model::goOn,
                                model::turnAway,
                                model::stop,
                                of -> model.runOut(of, timed)));
                real.nothingIsLost();
            }
        }
    }

    @SafeVarargs
    private static String apply(int operation, int thread, IntFunction<String>... operations) {
        return operations[operation].apply(thread);
    }
}
