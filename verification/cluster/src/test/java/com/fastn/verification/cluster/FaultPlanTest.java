package com.fastn.verification.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.verification.cluster.LoopbackCluster.Manager;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A plan of faults over a fleet that is at work. How long it is, and by which seed, the properties {@code faults.count}, {@code
 * faults.nodes}, {@code faults.minutes} and {@code faults.seed} tell, and {@code faults.manager} on which cluster manager.
 */
@Tag("slow")
class FaultPlanTest {
    private static final long SEED = Long.getLong("faults.seed", 20261129);
    private static final int NODES = Integer.getInteger("faults.nodes", 3);
    /** Whoever needs longer hangs. */
    private static final Duration PATIENCE = Duration.ofSeconds(Integer.getInteger("faults.patience", 30));
    /** How long a plan may go on; what is left of it then is left out, and the output says so. */
    private static final Duration MOST = Duration.ofMinutes(Long.getLong("faults.minutes", 24 * 60));
    /** After the cluster manager has everybody all is right within ten seconds. */
    private static final Duration SOON = Duration.ofSeconds(10);

    @Test
    void whateverHappensToThemNodesSayNothingThatIsNotSoAndSoonAllThatIs() {
        Manager manager = Manager.named(System.getProperty("faults.manager"));
        try (Fleet fleet = new Fleet(manager, NODES, !Boolean.getBoolean("faults.loopback"))) {
            if (!fleet.hasNetwork()) {
                System.out.println("faults of the network are left out");
            }
            int each = FaultPlan.Kind.possible(fleet.hasNetwork()).size();
            FaultPlan plan = FaultPlan.of(SEED, NODES, Integer.getInteger("faults.count", each), fleet.hasNetwork());
            // Infinispan has the members long before the addresses.
            Duration soon = manager == Manager.INFINISPAN ? PATIENCE : SOON;
            FaultRun run = new FaultRun(plan, fleet, PATIENCE, soon);
            try {
                run.run(MOST);
            } catch (RuntimeException | Error e) {
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
                .containsAll(FaultPlan.Kind.possible(true));
        assertThat(FaultPlan.of(7, 3, 50, false).faults())
                .noneMatch(fault -> fault.kind().needsNetwork());
    }
}
