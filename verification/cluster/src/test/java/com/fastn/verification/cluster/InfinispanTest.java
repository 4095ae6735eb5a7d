package com.fastn.verification.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fastn.verification.cluster.FaultPlan.Fault;
import com.fastn.verification.cluster.FaultPlan.Kind;
import com.fastn.verification.cluster.Fleet.Member;
import com.fastn.verification.cluster.LoopbackCluster.Manager;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** Infinispan as cluster manager: the same is said there, and also what it loses when it has put out a node that lives. */
@EnabledForJreRange(
        max = JRE.JAVA_22,
        disabledReason = "this Infinispan calls Subject.getSubject, which later JDKs do not have any more")
class InfinispanTest {
    /** Until members of Infinispan that merge have told each other all that they have takes up to half a minute. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final int NODES = 3;
    private static final int KILLED = 1;
    private static final int FORGOTTEN = 2;
    /** Together with what is looked at meanwhile that is longer than the six seconds until a node is put out. */
    private static final int LONG_MILLIS = 6_500;

    @Test
    void D3_D7_D10_nodesAnswerAsOneAndFindBackAndWhoWasForgottenSaysSo() {
        try (Fleet fleet = new Fleet(Manager.INFINISPAN, NODES, true)) {
            Kind putOut = fleet.hasNetwork() ? Kind.PARTITION : Kind.LONG_PAUSE;
            FaultPlan plan = new FaultPlan(
                    0,
                    NODES,
                    List.of(new Fault(Kind.KILL_ONE, KILLED, 0, 0), new Fault(putOut, FORGOTTEN, 0, LONG_MILLIS)));
            FaultRun run = new FaultRun(plan, fleet, PATIENCE, PATIENCE);
            try {
                run.run();
                boolean anyForgotten = false;
                for (Member member : fleet.living()) {
                    // The cluster manager forgets, as a rule, what the application consumes on a node that it has put
                    // out.
                    boolean forgotten = !isRegistered(member);
                    anyForgotten |= forgotten;
                    assertThat(forgotten && member.place() != FORGOTTEN)
                            .as("orders on " + member + " are forgotten, which was put out by nobody")
                            .isFalse();
                    await().atMost(PATIENCE)
                            .untilAsserted(() -> assertThat(warnings(fleet.at(0), member))
                                    .isEqualTo(forgotten ? List.of("addresses-forgotten") : List.of()));
                }
                assumeThat(anyForgotten)
                        .as("nothing was forgotten this time, so that who was forgotten says so is not shown")
                        .isTrue();
            } catch (AssertionError | ConditionTimeoutException e) {
                System.out.println(fleet.output());
                throw e;
            } finally {
                run.figures().forEach(System.out::println);
            }
        }
    }

    private static boolean isRegistered(Member member) {
        return member.jvm().command(new JsonObject().put("do", "registered")).getBoolean("registered");
    }

    /** What a node says to another of what is wrong with it, but for the machine. */
    private static List<String> warnings(Member asker, Member member) {
        JsonObject status = asker.jvm().ask("fastn.status.node." + member.incarnation(), new JsonObject(), 2_500);
        return Answers.list(status, "warnings").stream()
                .map(warning -> warning.getString("id"))
                .filter(id -> id.startsWith("addresses-") || id.startsWith("not-reachable-"))
                .toList();
    }
}
