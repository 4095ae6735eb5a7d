package com.fastn.status.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ManualTicker;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
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

    /** Who decides whether a question from an address is answered. */
    private interface Budget {
        boolean take(String address);
    }

    @Test
    void S16_ofAFloodOfAddressesTheOldestAreForgottenSoThatMemoryIsBounded() {
        Consumer<Budget> check = budget -> {
            IntStream.range(0, 10).forEach(i -> assertThat(budget.take(OTHER)).isTrue());
            IntStream.range(0, 20_000).forEach(i -> budget.take("flood-" + i));
            ticker.advance(Duration.ofMillis(500));
            // Known, it has five again; forgotten, it is new and has ten.
            assertThat(IntStream.range(0, 20).filter(i -> budget.take(OTHER)).count())
                    .isEqualTo(10);
        };
        check.accept(address -> requests.take(address, false));
        Map<String, RequestBudget> each = new HashMap<>();
        assertThatThrownBy(() -> check.accept(address -> each.computeIfAbsent(address, key -> new RequestBudget(ticker))
                        .take(address, false)))
                .as("the check has to notice a budget that forgets nobody")
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("but was: 5");
    }
}
