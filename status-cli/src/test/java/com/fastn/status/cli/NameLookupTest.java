package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NameLookupTest {
    private final Map<String, Future<InetAddress>> running = new ConcurrentHashMap<>();

    @Test
    void aResolverThatSaysNothingIsWaitedForNoLongerThanThereIsTime() {
        CountDownLatch never = new CountDownLatch(1);
        assertThatThrownBy(() -> NameLookup.of(
                        "a",
                        () -> {
                            never.await();
                            return InetAddress.getLoopbackAddress();
                        },
                        1,
                        running))
                .isInstanceOf(NameLookup.LateException.class);
    }

    @Test
    void aNameThatIsLookedUpStillIsWaitedForByWhoTriesAgainAndAnotherOneIsNot() throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        AtomicInteger asked = new AtomicInteger();
        Callable<InetAddress> slow = () -> {
            asked.incrementAndGet();
            answered.await();
            return InetAddress.getLoopbackAddress();
        };
        for (int tries = 0; tries < 3; tries++) {
            assertThatThrownBy(() -> NameLookup.of("slow", slow, 1, running))
                    .isInstanceOf(NameLookup.LateException.class);
        }
        assertThat(asked).as("one thread, which may not have begun").hasValueLessThanOrEqualTo(1);
        assertThat(NameLookup.of("fast", InetAddress::getLoopbackAddress, 60_000, running))
                .isNotNull();
        Future<InetAddress> late = running.get("slow");
        answered.countDown();
        assertThat(NameLookup.of("slow", slow, 60_000, running)).isEqualTo(InetAddress.getLoopbackAddress());
        assertThat(late).isNotNull().succeedsWithin(Duration.ofSeconds(60));
        assertThat(asked).as("one that has ended is not waited for").hasValueBetween(1, 2);
        assertThat(running).isEmpty();
    }

    @Test
    void whatTheResolverSaysIsTaken() throws IOException {
        assertThat(NameLookup.of("a", InetAddress::getLoopbackAddress, 60_000, running))
                .isEqualTo(InetAddress.getLoopbackAddress());
        assertThatThrownBy(() -> NameLookup.of(
                        "a",
                        () -> {
                            throw new UnknownHostException("nowhere");
                        },
                        60_000,
                        running))
                .isInstanceOf(UnknownHostException.class)
                .hasMessage("nowhere");
    }

    @Test
    void nobodyIsHeldUpByALookupThatDoesNotEnd() throws IOException {
        assertThat(NameLookup.of(
                        "a",
                        () -> {
                            assertThat(Thread.currentThread().isDaemon()).isTrue();
                            return InetAddress.getLoopbackAddress();
                        },
                        60_000,
                        running))
                .isNotNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "10.1", "[::1]", "[fe80::1]"})
    void whatIsWrittenAsAnAddressIsNoName(String host) {
        assertThat(Exchange.isLiteral(host)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "7-up.example", "node-7", "1.a", "a"})
    void whatHasALetterIsAName(String host) {
        assertThat(Exchange.isLiteral(host)).isFalse();
    }
}
