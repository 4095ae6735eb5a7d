package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedactorTest {
    private final Redactor redactor = Redactor.standard();

    @ParameterizedTest
    @CsvSource(
            delimiter = '>',
            value = {
                "password=hunter2, then more > password=(redacted), then more",
                "{\"api-key\": \"a b c\", \"n\": 1} > {\"api-key\": (redacted), \"n\": 1}",
                "Authorization: Bearer abc.def > Authorization: (redacted)",
                "GET /x?access_token=17&n=2 > GET /x?access_token=(redacted)&n=2",
                "at postgres://me:p@ss@db:5432/x > at postgres://(redacted)@db:5432/x",
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1 ok > (redacted) ok",
                "key AKIAIOSFODNN7EXAMPLE. > key (redacted).",
                "session_id = 17 > session_id = (redacted)",
            })
    void S5_whatLooksLikeASecretIsTakenOut(String text, String shown) {
        assertThat(redactor.text(text)).isEqualTo(shown);
        assertThat(redactor.text(shown)).as("twice").isEqualTo(shown);
    }

    @Test
    void S5_aPemBlockIsTakenOutWhole() {
        String pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----";
        assertThat(redactor.text("a " + pem + " b " + pem + " c")).isEqualTo("a (redacted) b (redacted) c");
        assertThat(redactor.text("a " + pem.substring(0, 40))).isEqualTo("a (redacted)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "GET /orders/:id",
                "http://localhost:8080/a?b=c",
                "me@example.com",
                "12:30:17",
                "global.remote-access.alice@bv478gen.stdout-handler",
                "AKIA is short",
                "eyJ",
                "=x",
                ":",
                "://@",
                "n=1, m: 2",
                "WEB-BEGINNING"
            })
    void whatIsNoSecretStaysAsItIs(String text) {
        assertThat(redactor.text(text)).isSameAs(text);
    }

    @Test
    void S5_dataOfSecretKeysIsTakenOutAtAnyDepth() {
        Map<String, @Nullable Object> data = new LinkedHashMap<>();
        data.put("db_password", 1234);
        data.put("user", "alice");
        data.put("nested", Map.of("list", List.of(Map.of("Cookie", List.of("a", "b")), "token=x")));
        data.put("authenticated", true);
        data.put("secret", null);
        assertThat(redactor.data(data))
                .containsEntry("db_password", "(redacted)")
                .containsEntry("user", "alice")
                .containsEntry("nested", Map.of("list", List.of(Map.of("Cookie", "(redacted)"), "token=(redacted)")))
                .containsEntry("authenticated", true)
                .containsEntry("secret", null)
                .hasSize(5);
    }

    @Test
    void S5_ofMetricsTextsMayBeSecretsAndNumbersAreNot() {
        assertThat(redactor.metrics(Map.of(
                        "tokens", MetricValue.counter(5),
                        "token", MetricValue.text("abc"),
                        "mode", MetricValue.text("password=x"),
                        "auth_time", MetricValue.duration(Duration.ofSeconds(1)))))
                .isEqualTo(Map.of(
                        "tokens", MetricValue.counter(5),
                        "token", MetricValue.text("(redacted)"),
                        "mode", MetricValue.text("password=(redacted)"),
                        "auth_time", MetricValue.duration(Duration.ofSeconds(1))));
    }

    @Test
    void S5_thePatternIsConfigurable() {
        Redactor own = redactor.withSecretKeys(Pattern.compile("pin"));
        assertThat(own.text("pin=17 password=x")).isEqualTo("pin=(redacted) password=x");
        assertThat(own.data(Map.of("pin", 17))).containsEntry("pin", "(redacted)");
    }

    @Test
    void S5_anAllowListShowsNothingElse() {
        Redactor allowing = redactor.showingOnly(List.of("order", "token"));
        assertThat(allowing.data(Map.of("order", "o-17", "customer", "Ann", "open", true, "token", "t")))
                .isEqualTo(Map.of("order", "o-17", "customer", "(redacted)", "open", true, "token", "(redacted)"));
        assertThat(allowing.metrics(Map.of("city", MetricValue.text("Rome"), "n", MetricValue.counter(1))))
                .isEqualTo(Map.of("city", MetricValue.text("(redacted)"), "n", MetricValue.counter(1)));
    }

    @Test
    void aHostileTextTakesNoLongerThanItsLength() {
        for (String part :
                List.of("eyJ", "://", ":", "://a:", "=", "password=", "-----BEGIN ", "AKIA", "\"", "a@", "token: ")) {
            char[] spaces = new char[3];
            Arrays.fill(spaces, ' ');
            String text = part.repeat(200_000 / part.length()) + new String(spaces);
            long start = System.nanoTime();
            assertThat(redactor.text(text).length()).isPositive();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).as(part).isLessThan(Duration.ofSeconds(5));
        }
    }
}
