package com.fastn.verification.cluster;

import static com.fastn.verification.cluster.Answers.row;
import static com.fastn.verification.cluster.Answers.states;
import static com.fastn.verification.cluster.Answers.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is said of a node that is killed or stands still, while people order and a lock is held on it. */
@Tag("slow")
class ClusterFaultsTest {
    private static final String STATUS = "fastn.status";
    private static final int CUSTOMERS = 4;
    private static final Duration SOON = Duration.ofSeconds(60);

    /** Longer than the nodes give each other. A question that falls to a node that stands still is asked again after it. */
    private static final long TIMEOUT = 2_500;

    /** Of a question that is asked once, of a node to which nothing was done. */
    private static final long PATIENT = 30_000;

    @RegisterExtension
    final ClusterExtension cluster = new ClusterExtension("alice", "bob", "carol");

    private String incarnation = "";

    /** Whoever is asked knows of the lock on bob, from bob itself. */
    @BeforeEach
    void ordersHangOnBob() {
        carol().askText("till.close", null, PATIENT);
        Customers.at(cluster.node("alice"), CUSTOMERS).close();
        // Carol, who is asked, answers by herself.
        JsonObject known = askUntil(answer -> {
            JsonObject summary = row(answer, "bob").getJsonObject("summary");
            return summary != null && summary.getInteger("lock_waiters") == CUSTOMERS - 1;
        });
        incarnation = row(known, "bob").getJsonObject("node").getString("incarnation");
    }

    @Test
    void D3_D7_aNodeThatIsKilledStaysListedWithWhatWasLastKnownUntilItsAliasHasANewLife() {
        cluster.node("bob").kill();

        JsonObject stale = askUntil(ClusterFaultsTest::onlyBobIsGone);
        assertThat(row(stale, "bob").getString("state")).isEqualTo("stale");
        assertGone(stale);

        JsonObject down = askUntil(
                answer -> onlyBobIsGone(answer) && "down".equals(states(answer).get("bob")));
        assertThat(row(down, "bob").getLong("age_ms")).isGreaterThanOrEqualTo(15_000);
        assertGone(down);

        cluster.restart("bob");

        JsonObject again = askUntil(ClusterFaultsTest::allAreUp);
        assertThat(again.getJsonArray("nodes")).hasSize(3);
        assertThat(again.getBoolean("complete")).isTrue();
        assertThat(row(again, "bob").getJsonObject("node").getString("incarnation"))
                .isNotEqualTo(incarnation);
        assertThat(status(again, "bob").getJsonArray("active_locks")).isEmpty();
    }

    @Test
    void D7_aNodeThatStandsStillIsSaidNotToAnswerAndIsBackAsItWasWhenItGoesOn() {
        cluster.node("bob").pause();

        JsonObject silent = askUntil(ClusterFaultsTest::onlyBobIsGone);
        assertThat(row(silent, "bob").getString("state")).isEqualTo("stale");
        // Where it took us so long to look that the cluster manager has put it out, that is what is said.
        assertThat(row(silent, "bob").getString("reason"))
                .containsPattern("no answer within 1000 ms|nobody answers at its address");
        assertGone(silent);

        cluster.node("bob").resume();
        assertIsBackAsItWas(askUntil(ClusterFaultsTest::allAreUp));

        // Now for so long that the cluster manager puts it out, and has to let it in again.
        cluster.node("bob").pause();

        JsonObject out = askUntil(answer -> onlyBobIsGone(answer)
                && row(answer, "bob").getString("reason").contains("nobody answers at its address"));
        assertGone(out);

        cluster.node("bob").resume();
        assertIsBackAsItWas(askUntil(ClusterFaultsTest::allAreUp));
    }

    private static void assertGone(JsonObject answer) {
        assertThat(states(answer)).containsEntry("alice", "up").containsEntry("carol", "up");
        assertThat(answer.getBoolean("complete")).isFalse();
        JsonObject bob = row(answer, "bob");
        assertThat(bob.getString("reason")).isNotBlank();
        assertThat(bob.getJsonObject("status")).isNull();
        assertThat(bob.getJsonObject("summary").getInteger("locks_held")).isEqualTo(1);
        assertThat(bob.getJsonObject("summary").getInteger("lock_waiters")).isEqualTo(CUSTOMERS - 1);
        assertThat(bob.getJsonObject("summary").getInteger("contexts")).isGreaterThan(CUSTOMERS);
    }

    private void assertIsBackAsItWas(JsonObject answer) {
        assertThat(answer.getBoolean("complete")).isTrue();
        assertThat(row(answer, "bob").getJsonObject("node").getString("incarnation"))
                .isEqualTo(incarnation);
        assertThat(status(answer, "bob").getJsonArray("active_locks")).hasSize(1);
        assertThat(status(answer, "bob").getJsonArray("lock_waiters")).hasSize(CUSTOMERS - 1);
    }

    /** On a machine that has other things to do, a node that lives may be late for an answer; then it is asked again. */
    private static boolean onlyBobIsGone(JsonObject answer) {
        Map<String, String> states = states(answer);
        return "up".equals(states.get("alice")) && "up".equals(states.get("carol")) && !isUp(answer);
    }

    /** The same machine may keep another one than bob from answering. */
    private static boolean allAreUp(JsonObject answer) {
        return states(answer).values().stream().allMatch("up"::equals);
    }

    private static boolean isUp(JsonObject answer) {
        return "up".equals(states(answer).get("bob"));
    }

    private Jvm carol() {
        return cluster.node("carol");
    }

    /** Asks the cluster at carol until it says what is expected. Each answer must list all nodes, whatever became of them. */
    private JsonObject askUntil(Predicate<JsonObject> expected) {
        return await().atMost(SOON)
                .until(
                        () -> {
                            JsonObject answer =
                                    carol().asking(STATUS, null, TIMEOUT).join().getJsonObject("body");
                            if (answer != null) {
                                assertThat(states(answer)).containsOnlyKeys("alice", "bob", "carol");
                            }
                            return answer;
                        },
                        answer -> answer != null && expected.test(answer));
    }
}
