package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
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

    static List<Arguments> forms() {
        return List.of(
                arguments("{\"password\":\"ab\\\"hunter2\"}", "{\"password\":(redacted)}"),
                arguments("{\"password\":\"ab\\\\\",\"n\":1}", "{\"password\":(redacted),\"n\":1}"),
                arguments(
                        "{\\\"password\\\":\\\"hunter2\\\",\\\"n\\\":1}", "{\\\"password\\\":(redacted),\\\"n\\\":1}"),
                arguments("{\\\"password\\\":\\\"a\\\\\\\"hunter2\\\"}", "{\\\"password\\\":(redacted)}"),
                arguments("\"{\\\"password\\\":\\\"hunter2\" cut", "\"{\\\"password\\\":(redacted)\" cut"),
                arguments("{\\\\\\\"token\\\\\\\":\\\\\\\"hunter2\\\\\\\"}", "{\\\\\\\"token\\\\\\\":(redacted)}"),
                arguments("set password='it''s hunter2' where n=1", "set password=(redacted) where n=1"),
                arguments("password: \"\" and", "password: (redacted) and"),
                arguments("Authorization: ApiKey hunter2\nHost: a", "Authorization: (redacted)\nHost: a"),
                arguments("Proxy-Authorization: NTLM hunter2", "Proxy-Authorization: (redacted)"),
                arguments("Authorization: Digest username=\"u\", response=\"hunter2\"", "Authorization: (redacted)"),
                arguments(
                        "Authorization: AWS4-HMAC-SHA256 Credential=a/b, Signature=hunter2",
                        "Authorization: (redacted)"),
                arguments("X-Auth: Own hunter2", "X-Auth: (redacted)"),
                arguments("/x?auth=17&n=2", "/x?auth=(redacted)&n=2"),
                arguments("Cookie: theme=dark; sid=hunter2\r\nHost: a", "Cookie: (redacted)\r\nHost: a"),
                arguments("Cookie: eyJhbGciOiJIUzI1NiJ9.eyJz.a; sid=hunter2", "Cookie: (redacted)"),
                arguments("{\"Cookie\": \"a; b\", \"n\": 1}", "{\"Cookie\": (redacted), \"n\": 1}"),
                arguments("{Authorization=[Own a, b], n=[1]}", "{Authorization=(redacted), n=[1]}"),
                arguments(
                        "{\"credentials\":{\"u\":\"a}\",\"p\":[\"hunter2\"]},\"n\":1}",
                        "{\"credentials\":(redacted),\"n\":1}"),
                arguments("password => hunter2, n", "password => (redacted), n"),
                arguments("password := hunter2", "password := (redacted)"),
                arguments("password:     hunter2", "password:     (redacted)"),
                arguments("password      = hunter2", "password      = (redacted)"),
                arguments("pwd=hunter2 n", "pwd=(redacted) n"),
                arguments("passphrase: hunter2", "passphrase: (redacted)"),
                arguments("run --password hunter2 --n 1", "run --password (redacted) --n 1"),
                arguments("--token=hunter2 -v", "--token=(redacted) -v"),
                arguments("--client-secret \"a b\" x", "--client-secret (redacted) x"),
                arguments("[run, --password, hunter2, x]", "[run, --password, (redacted), x]"),
                arguments("[\"--password\", \"hunter2\"]", "[\"--password\", (redacted)]"),
                // The pattern of keys finds auth in it, and takes no more than the word.
                arguments("the author: Kafka, the book", "the author: (redacted), the book"));
    }

    @ParameterizedTest
    @MethodSource("forms")
    void S5_aSecretIsTakenOutWholeInTheFormsThatTextsHave(String text, String shown) {
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
                "WEB-BEGINNING",
                "authority of the city",
                "the password is wrong",
                "run --no-auth --verbose",
                "run --auth",
                "a -- token b",
                "-----",
                "n => 1, {\"a\":\"b\\\"c\"}"
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
        for (String part : List.of(
                "eyJ",
                "://",
                ":",
                "://a:",
                "=",
                "password=",
                "-----BEGIN ",
                "AKIA",
                "\"",
                "a@",
                "token: ",
                "--",
                "--token ",
                " --token",
                "token=\"",
                "token=[",
                "\\",
                "token:\\\"",
                "\"\"",
                "cookie: ",
                " =",
                "token=(redacted)",
                "cookie:\n",
                "token={\"")) {
            char[] spaces = new char[3];
            Arrays.fill(spaces, ' ');
            String text = part.repeat(200_000 / part.length()) + new String(spaces);
            long start = System.nanoTime();
            assertThat(redactor.text(text).length()).isPositive();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).as(part).isLessThan(Duration.ofSeconds(20));
        }
    }
}
