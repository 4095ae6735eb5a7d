package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NameLookupTest {
    @Test
    void aResolverThatSaysNothingIsWaitedForNoLongerThanThereIsTime() {
        CountDownLatch never = new CountDownLatch(1);
        assertThatThrownBy(() -> NameLookup.of(
                        () -> {
                            never.await();
                            return InetAddress.getLoopbackAddress();
                        },
                        1))
                .isInstanceOf(NameLookup.LateException.class);
    }

    @Test
    void whatTheResolverSaysIsTaken() throws IOException {
        assertThat(NameLookup.of(InetAddress::getLoopbackAddress, 60_000)).isEqualTo(InetAddress.getLoopbackAddress());
        assertThatThrownBy(() -> NameLookup.of(
                        () -> {
                            throw new UnknownHostException("nowhere");
                        },
                        60_000))
                .isInstanceOf(UnknownHostException.class)
                .hasMessage("nowhere");
    }

    @Test
    void nobodyIsHeldUpByALookupThatDoesNotEnd() throws IOException {
        assertThat(NameLookup.of(
                        () -> {
                            assertThat(Thread.currentThread().isDaemon()).isTrue();
                            return InetAddress.getLoopbackAddress();
                        },
                        60_000))
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
