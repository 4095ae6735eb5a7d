package com.fastn.verification.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fastn.verification.cluster.FaultPlan.Fault;
import com.fastn.verification.cluster.FaultPlan.Kind;
import com.fastn.verification.cluster.Fleet.Member;
import com.fastn.verification.cluster.LoopbackCluster.Manager;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** Infinispan as cluster manager: the same is said there, and also what it loses when it has put out a node that lives. */
@EnabledForJreRange(
        max = JRE.JAVA_22,
        disabledReason = "this Infinispan calls Subject.getSubject, which later JDKs do not have any more")
@Tag("slow")
class InfinispanTest {
    /** Until members of Infinispan that merge have told each other all that they have takes up to half a minute. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final int NODES = 3;
    private static final int KILLED = 1;
    private static final int FORGOTTEN = 2;
    /** Together with what is looked at meanwhile that is longer than the six seconds until a node is put out. */
    private static final int LONG_MILLIS = 6_500;
    /** A cut that is over just when the node would be put out puts nobody out, so each one is longer than that before. */
    private static final int MOST_TIMES_PUT_OUT = 4;

    @Test
    void D3_D7_D10_nodesAnswerAsOneAndFindBackAndWhoWasPutOutIsForgottenAndSaysSo() {
        try (Fleet fleet = new Fleet(Manager.INFINISPAN, NODES, true)) {
            Kind putOut = fleet.hasNetwork() ? Kind.PARTITION : Kind.LONG_PAUSE;
            try {
                prove(fleet, new Fault(Kind.KILL_ONE, KILLED, 0, 0), new Fault(putOut, FORGOTTEN, 0, LONG_MILLIS));
                for (int times = 2; times <= MOST_TIMES_PUT_OUT && isRegistered(fleet.at(FORGOTTEN)); times++) {
                    prove(fleet, new Fault(putOut, FORGOTTEN, 0, LONG_MILLIS * times));
                }
                // What the application consumes on a node that it has put out the cluster manager does not know any
                // more.
                assertThat(fleet.living().stream()
                                .filter(member -> !isRegistered(member))
                                .map(Member::place))
                        .as("the places on which orders are forgotten")
                        .containsExactly(FORGOTTEN);
                for (Member member : fleet.living()) {
                    List<String> expected = isRegistered(member) ? List.of() : List.of("addresses-forgotten");
                    await().atMost(PATIENCE)
                            .untilAsserted(() -> assertThat(warnings(fleet.at(0), member))
                                    .as("what %s warns of", member)
                                    .isEqualTo(expected));
                }
            } catch (AssertionError | ConditionTimeoutException e) {
                System.out.println(fleet.output());
                throw e;
            }
        }
    }

    private static void prove(Fleet fleet, Fault... faults) {
        FaultRun run = new FaultRun(new FaultPlan(0, NODES, List.of(faults)), fleet, PATIENCE, PATIENCE);
        try {
            run.run();
        } finally {
            run.figures().forEach(System.out::println);
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
