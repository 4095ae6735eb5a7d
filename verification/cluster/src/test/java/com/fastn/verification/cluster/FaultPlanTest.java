package com.fastn.verification.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * A plan of faults over a fleet that is at work. How long it is, and by which seed, the properties {@code faults.count}, {@code
 * faults.nodes} and {@code faults.seed} tell.
 */
class FaultPlanTest {
    private static final long SEED = Long.getLong("faults.seed", 20261129);
    private static final int NODES = Integer.getInteger("faults.nodes", 3);
    private static final Duration PATIENCE = Duration.ofSeconds(Integer.getInteger("faults.patience", 30));

    @Test
    void whateverHappensToThemNodesSayNothingThatIsNotSoAndSoonAllThatIs() {
        try (Fleet fleet = new Fleet(NODES, !Boolean.getBoolean("faults.loopback"))) {
            if (!fleet.hasNetwork()) {
                System.out.println("faults of the network are left out");
            }
            int each = FaultPlan.Kind.possible(fleet.hasNetwork()).size();
            FaultPlan plan = FaultPlan.of(SEED, NODES, Integer.getInteger("faults.count", each), fleet.hasNetwork());
            FaultRun run = new FaultRun(plan, fleet, PATIENCE);
            try {
                run.run();
            } catch (AssertionError e) {
                System.out.println(fleet.output());
                throw e;
            } finally {
                run.figures().forEach(System.out::println);
            }
        }
    }

    @Test
    void aPlanIsMadeAgainByItsSeed() {
        assertThat(FaultPlan.of(7, 6, 200, true)).isEqualTo(FaultPlan.of(7, 6, 200, true));
        assertThat(FaultPlan.of(7, 6, 200, true).faults())
                .isNotEqualTo(FaultPlan.of(8, 6, 200, true).faults())
                .extracting(FaultPlan.Fault::kind)
                .contains(FaultPlan.Kind.values());
        assertThat(FaultPlan.of(7, 3, 50, false).faults())
                .noneMatch(fault -> fault.kind().needsNetwork());
    }
}
