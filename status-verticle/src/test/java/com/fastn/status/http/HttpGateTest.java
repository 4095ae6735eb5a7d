package com.fastn.status.http;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpGateTest {
    private static final String GOOD = "127.0.0.1:4711";
    private final HttpGate gate =
            new HttpGate(new HttpSettings("127.0.0.1", 0, List.of("status.example:8080"), null, null), 4_711);

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:4711", "localhost:4711", "LOCALHOST:4711", "[::1]:4711", "status.example:8080"})
    void S9_hostsOfTheAllowListPass(String host) {
        assertThat(status("GET", List.of(host), List.of(), List.of())).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.com",
                "evil.com:4711",
                "127.0.0.1.evil.com",
                "127.0.0.1.evil.com:4711",
                "localhost.:4711",
                "localhost",
                "127.0.0.1",
                "127.0.0.1:4712",
                "127.0.0.1:4711 ",
                "user@127.0.0.1:4711",
                ""
            })
    void S9_everyOtherHostIsMisdirected(String host) {
        assertThat(status("GET", List.of(host), List.of(), List.of())).isEqualTo(421);
    }

    @Test
    void S9_noHostOrTwoAreMisdirected() {
        assertThat(status("GET", List.of(), List.of(), List.of())).isEqualTo(421);
        assertThat(status("GET", List.of(GOOD, GOOD), List.of(), List.of())).isEqualTo(421);
        assertThat(status("GET", List.of(GOOD, "evil.com"), List.of(), List.of()))
                .isEqualTo(421);
    }

    @Test
    void S10_onlyItsOwnOriginMayAsk() {
        assertThat(status("GET", List.of(GOOD), List.of("http://" + GOOD), List.of("same-origin")))
                .isNull();
        for (String origin : List.of(
                "http://evil.com", "null", "https://" + GOOD, "http://localhost:4711", "http://127.0.0.1", "")) {
            assertThat(status("GET", List.of(GOOD), List.of(origin), List.of()))
                    .as(origin)
                    .isEqualTo(403);
        }
        assertThat(status("GET", List.of(GOOD), List.of("http://" + GOOD, "http://evil.com"), List.of()))
                .isEqualTo(403);
        assertThat(status("GET", List.of(GOOD), List.of(), List.of("cross-site")))
                .isEqualTo(403);
        assertThat(status("GET", List.of(GOOD), List.of(), List.of("none"))).isNull();
    }

    @Test
    void S11_everythingButGetAndHeadIsRefused() {
        assertThat(status("HEAD", List.of(GOOD), List.of(), List.of())).isNull();
        Random random = new Random(42);
        for (int i = 0; i < 10_000; i++) {
            String method = random.ints(1 + random.nextInt(12), 'A', 'Z' + 1)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            if (!method.equals("GET") && !method.equals("HEAD")) {
                assertThat(status(method, List.of(GOOD), List.of(), List.of()))
                        .as(method)
                        .isEqualTo(405);
            }
        }
        assertThat(status("get", List.of(GOOD), List.of(), List.of())).isEqualTo(405);
    }

    @Test
    void S12_aBodyIsRefused() {
        HttpGate.Refusal refusal = gate.refuse(head("GET", List.of(GOOD), List.of(), List.of(), false, true));
        assertThat(requireNonNull(refusal).status()).isEqualTo(413);
    }

    private @Nullable Integer status(String method, List<String> hosts, List<String> origins, List<String> sites) {
        HttpGate.Refusal refusal = gate.refuse(head(method, hosts, origins, sites, false, false));
        return refusal == null ? null : refusal.status();
    }

    private static HttpGate.Head head(
            String method,
            List<String> hosts,
            List<String> origins,
            List<String> sites,
            boolean forwarded,
            boolean hasBody) {
        return new HttpGate.Head(method, hosts, origins, sites, List.of(), forwarded, hasBody, false);
    }

    @Test
    void S3_withoutATokenNobodyComesThroughAProxy() {
        HttpGate.Refusal refusal = gate.refuse(head("GET", List.of(GOOD), List.of(), List.of(), true, false));
        assertThat(requireNonNull(refusal).status()).isEqualTo(403);
        assertThat(refusal.sentence()).contains("httpTokenFile");
    }
}
