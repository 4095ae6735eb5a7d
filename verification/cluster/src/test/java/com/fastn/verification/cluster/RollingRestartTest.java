package com.fastn.verification.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.verification.cluster.Fleet.Member;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A cluster whose nodes are replaced one after the other while it is at work, and a node that only watches it. */
@Tag("slow")
class RollingRestartTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final int NODES = 3;

    @Test
    void D3_eachNodeIsReplacedWhileOrdersGoOnAndWhoOnlyWatchesIsAnsweredAllTheTime() {
        try (Fleet fleet = new Fleet(NODES, false)) {
            Member monitor = fleet.startSpare(MonitorNode.class, "monitor");
            List<Member> formers =
                    fleet.living().stream().filter(member -> member != monitor).toList();
            FaultRun run = new FaultRun(new FaultPlan(0, NODES, List.of()), fleet, PATIENCE, SOON);
            try {
                run.rollingRestart(formers);
            } catch (RuntimeException | Error e) {
                System.out.println(fleet.output());
                throw e;
            } finally {
                run.figures().forEach(System.out::println);
            }
            assertThat(formers).hasSize(NODES).allMatch(Member::isDead);
            assertThat(fleet.living()).hasSize(NODES + 1).contains(monitor);
        }
    }
}
