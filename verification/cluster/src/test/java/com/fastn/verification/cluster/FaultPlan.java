package com.fastn.verification.cluster;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Faults, one after the other, that a seed decides: each kind once, in some order, and then what chance brings.
 *
 * @param seed by which the same plan is made again
 * @param nodes how many nodes there are
 * @param faults what happens to them
 */
record FaultPlan(long seed, int nodes, List<Fault> faults) {
    enum Kind {
        /** SIGKILL of one, which is started again. */
        KILL_ONE,
        /** SIGKILL of all but one, which are started again. */
        KILL_ALL_BUT_ONE,
        /** SIGKILL of one, and at once another under its alias. */
        RESTART,
        /** SIGSTOP of one, for less than the cluster manager bears. */
        PAUSE,
        /** SIGSTOP of one, until the cluster manager has put it out. */
        LONG_PAUSE,
        /** Two live nodes of one alias, of which one is killed then. */
        DUPLICATE_ALIAS,
        /** The same, and it is the older one that is killed. */
        DUPLICATE_ALIAS_OLDER,
        /** One that reads nothing of its stream for a while. */
        SLOW_READER,
        /** One is not told the next frames of each stream that it reads, as where a connection broke. */
        LOST_FRAMES,
        /** One is cut off from all others. */
        PARTITION,
        /** One does not hear another, which hears it. */
        ONE_WAY_PARTITION,
        /** The wire of one is pulled out and put in again, some times. */
        LINK_FLAP,
        /** A third of what one sends and is sent is lost, in bursts. */
        PACKET_LOSS;

        boolean needsNetwork() {
            return compareTo(PARTITION) >= 0;
        }

        /**
         * {@return those that can be had, with a network of one's own or without} The death of the older of two of one alias is
         * not among them yet: nodes tell it from a former life by now, and no plan has been seen to bear that out.
         */
        static List<Kind> possible(boolean network) {
            return Stream.of(values())
                    .filter(kind -> kind != DUPLICATE_ALIAS_OLDER)
                    .filter(kind -> network || !kind.needsNetwork())
                    .toList();
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /**
     * A fault.
     *
     * @param kind what happens
     * @param target to which node
     * @param other which other node has a part in it
     * @param millis for how long at least
     */
    record Fault(Kind kind, int target, int other, int millis) {
        @Override
        public String toString() {
            return kind + " of " + target + " (other " + other + ", " + millis + " ms)";
        }
    }

    static FaultPlan of(long seed, int nodes, int count, boolean network) {
        Random random = new Random(seed);
        List<Kind> kinds = new ArrayList<>(Kind.possible(network));
        List<Fault> faults = new ArrayList<>();
        Collections.shuffle(kinds, random);
        for (int i = 0; i < count; i++) {
            Kind kind = i < kinds.size() ? kinds.get(i) : kinds.get(random.nextInt(kinds.size()));
            int target = random.nextInt(nodes);
            int other = (target + 1 + random.nextInt(nodes - 1)) % nodes;
            // Longer than five seconds is longer than the cluster manager bears.
            int millis = kind == Kind.LONG_PAUSE
                    ? 6_500 + random.nextInt(2_000)
                    : kind == Kind.PAUSE ? 1_000 + random.nextInt(2_000) : 1_000 + random.nextInt(7_000);
            faults.add(new Fault(kind, target, other, millis));
        }
        return new FaultPlan(seed, nodes, List.copyOf(faults));
    }

    /** How it is done again. */
    String replay() {
        return "verification/cluster/faults --seed " + seed + " --faults " + faults.size() + " --nodes " + nodes;
    }
}
