package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.StatusJson;
import org.junit.jupiter.api.Test;

class ScaleSimulationTest {
    @Test
    void manyNodesAddUpExactlyAndTheAnswerIsNoLargerThanItMayBe() {
        ScaleSimulation simulation = new ScaleSimulation(60, 300);
        simulation.round(0);
        long whole = simulation.streamed();
        simulation.round(1);
        assertThat(simulation.streamed()).as("what changed").isLessThan(whole / 20);

        ClusterStatus status = simulation.sum();

        assertThat(status.nodes()).hasSize(60).allSatisfy(row -> {
            assertThat(row.state()).isEqualTo(NodeState.UP);
            assertThat(row.snapshot()).isNotNull();
        });
        assertThat(status.totalCounters()).containsEntry("orders", 60 * 7L);
        byte[] answer = Answers.json(status);
        assertThat(answer.length).isLessThanOrEqualTo(Answers.MOST_BYTES);
        assertThat(StatusJson.readCluster(answer).nodes())
                .as("no node is left out")
                .hasSize(60);
    }
}
