package com.fastn.status.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ManualTicker;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How much the port takes on before it knows who asks (rules S12, S16). */
class BudgetsTest {
    private static final String OTHER = "192.0.2.7";
    private static final String ANOTHER = "192.0.2.8";

    private final ConnectionBudget connections = new ConnectionBudget();
    private final ManualTicker ticker = new ManualTicker(Instant.EPOCH);
    private final RequestBudget requests = new RequestBudget(ticker);

    @Test
    void S12_anAddressOfAnotherMachineHoldsSixteenConnectionsAndEachThatEndsMakesRoom() {
        assertThat(entered(OTHER, 100)).isEqualTo(16);
        assertThat(entered(ANOTHER, 100)).isEqualTo(16);
        connections.leave(OTHER, false);
        assertThat(entered(OTHER, 100)).isEqualTo(1);
    }

    @Test
    void S12_othersLeaveEightConnectionsForThisMachineAndSixtyFourAreAll() {
        int others =
                IntStream.range(0, 100).map(i -> entered("192.0.2." + i, 100)).sum();
        assertThat(others).isEqualTo(56);
        assertThat(IntStream.range(0, 100)
                        .filter(i -> connections.enter("127.0.0.1", true))
                        .count())
                .isEqualTo(8);
        for (int i = 0; i < 64; i++) {
            connections.leave("127.0.0.1", true);
        }
        assertThat(connections.enter("127.0.0.1", true)).isTrue();
    }

    private int entered(String address, int tries) {
        return (int) IntStream.range(0, tries)
                .filter(i -> connections.enter(address, false))
                .count();
    }

    @Test
    void S12_anAddressOfAnotherMachineAsksTenTimesASecond() {
        assertThat(taken(OTHER, false)).isEqualTo(10);
        assertThat(taken(ANOTHER, false)).isEqualTo(10);
        ticker.advance(Duration.ofMillis(500));
        assertThat(taken(OTHER, false)).isEqualTo(5);
        ticker.advance(Duration.ofHours(1));
        assertThat(taken(OTHER, false)).as("what was not used is not saved").isEqualTo(10);
    }

    @Test
    void S12_othersLeaveTenRequestsASecondForThisMachineAndFiftyAreAll() {
        int others =
                IntStream.range(0, 100).map(i -> taken("192.0.2." + i, false)).sum();
        assertThat(others).isEqualTo(40);
        assertThat(taken("127.0.0.1", true)).isEqualTo(10);
        ticker.advance(Duration.ofSeconds(1));
        assertThat(taken("127.0.0.1", true)).isEqualTo(50);
    }

    private int taken(String address, boolean loopback) {
        return (int) IntStream.range(0, 200)
                .filter(i -> requests.take(address, loopback))
                .count();
    }

    @Test
    void S16_ofAFloodOfAddressesTheOldestAreForgottenSoThatMemoryIsBounded() {
        Predicate<Integer> forgotten = addresses -> {
            RequestBudget budget = new RequestBudget(ticker);
            IntStream.range(0, 10)
                    .forEach(i -> assertThat(budget.take(OTHER, false)).isTrue());
            IntStream.range(0, addresses).forEach(i -> budget.take("flood-" + i, false));
            ticker.advance(Duration.ofMillis(500));
            // Known, it has five again; forgotten, it is new and has ten.
            return IntStream.range(0, 20).filter(i -> budget.take(OTHER, false)).count() == 10;
        };
        assertThat(forgotten.test(100_000)).isTrue();
        assertThatThrownBy(() -> assertThat(forgotten.test(500)).isTrue())
                .as("the check has to notice a budget that forgets nobody")
                .isInstanceOf(AssertionError.class);
    }
}
