package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StatusOptionsTest {
    @Test
    void theDefaultsAreFineAndListenOnLoopbackOnly() {
        StatusOptions options = new StatusOptions();

        assertThatCode(options::check).doesNotThrowAnyException();
        assertThat(options.getHttpHost()).isEqualTo("127.0.0.1");
        assertThat(options.getHttpPort()).isZero();
        assertThat(options.isHttp()).isTrue();
        assertThat(options.isDescriptors()).isTrue();
        assertThat(options.getAlias()).isNull();
        assertThat(options.getQueryTimeout()).isEqualTo(1_000);
        assertThat(options.getHelloInterval()).isEqualTo(15_000);
    }

    @Test
    void theKeysOfTheGuideAreThoseOfTheBean() throws IOException {
        Set<String> documented = new TreeSet<>();
        String guide = Files.readString(Schemas.folder().resolveSibling("options.md"));
        String table = guide.substring(guide.indexOf("| key |"), guide.indexOf("Without `alias`"));
        for (String line : table.split("\n", -1)) {
            String keys = line.startsWith("| `") ? line.split("\\|", -1)[1] : "";
            for (String key : keys.split(",", -1)) {
                if (!key.isBlank()) {
                    documented.add(key.strip().replace("`", ""));
                }
            }
        }
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("zzzzzzzzzzzz", 1)))
                .satisfies(e -> {
                    String message = String.valueOf(e.getMessage());
                    String known = message.substring(
                            message.indexOf("known are ") + "known are ".length(), message.indexOf(" An option"));
                    assertThat(known.split("[^A-Za-z]+")).containsExactlyInAnyOrderElementsOf(documented);
                });
    }

    @Test
    void everyOptionSurvivesTheWayThroughJson() {
        StatusOptions options = new StatusOptions()
                .setAlias("alice")
                .setHttp(false)
                .setHttpHost("::1")
                .setHttpPort(8_080)
                .setAllowedHosts(List.of("status.example:8080"))
                .setHttpTokenFile("token")
                .setHttpTls("cert.pem", "key.pem")
                .setAllowCleartext(true)
                .setQueryTimeout(250)
                .setHelloInterval(5_000)
                .setForgetAfter(60_000)
                .setDeadlockSearchAfter(2_000)
                .setPublish(StatusPublication.CLUSTER)
                .setDescriptors(false)
                .setSystemMetrics(false)
                .setTrustCluster(true)
                .setAllowRemoteCancel(true);

        JsonObject json = options.toJson();

        assertThat(new StatusOptions(json).toJson()).isEqualTo(json);
        assertThat(new StatusOptions(new JsonObject(json.encode())).toJson().encode())
                .isEqualTo(json.encode());
        assertThat(new StatusOptions(options).toJson()).isEqualTo(json);
        assertThat(json.fieldNames())
                .as("nothing is left at its default by this test")
                .allSatisfy(key -> assertThat(json.getValue(key))
                        .isNotEqualTo(new StatusOptions().toJson().getValue(key)));
    }

    @Test
    void anUnknownKeyIsNamedWithTheNearestKnownOne() {
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("htpPort", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"htpPort\"")
                .hasMessageContaining("did you mean \"httpPort\"");
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("colour", "red")))
                .hasMessageContaining("\"colour\"")
                .hasMessageContaining("known are")
                .hasMessageContaining("helloInterval");
    }

    @Test
    void aValueOfTheWrongTypeIsRefused() {
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("httpPort", "8080")))
                .hasMessageContaining("\"httpPort\" is \"8080\", and it wants a whole number");
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("http", "yes")))
                .hasMessageContaining("it wants true or false");
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("alias", 7)))
                .hasMessageContaining("it wants a text");
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("allowedHosts", "a")))
                .hasMessageContaining("it wants a list of texts");
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("queryTimeout", 1.5)))
                .hasMessageContaining("it wants a whole number");
    }

    @Test
    void whatIsPublishedIsOneOfTwoWordsAndThatOfTheClusterWantsHellos() {
        assertThat(new StatusOptions(new JsonObject().put("publish", "cluster")).getPublish())
                .isEqualTo(StatusPublication.CLUSTER);
        assertThat(new StatusOptions(new JsonObject()).getPublish()).isEqualTo(StatusPublication.LOCAL);
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("publish", "everywhere")))
                .hasMessageContaining("\"publish\" is \"everywhere\", and it wants \"local\" or \"cluster\"");
        assertThatThrownBy(() -> new StatusOptions()
                        .setPublish(StatusPublication.CLUSTER)
                        .setHelloInterval(0)
                        .check())
                .hasMessageContaining("publish is \"cluster\" and helloInterval is 0");
    }

    @Test
    void D7_aNodeIsNotForgottenBeforeItsSecondHelloIsLate() {
        assertThatThrownBy(() -> new StatusOptions()
                        .setHelloInterval(60_000)
                        .setForgetAfter(30_000)
                        .check())
                .hasMessageContaining("forgetAfter is 30000 and helloInterval is 60000")
                .hasMessageContaining("at least 120000");
        assertThatCode(() -> new StatusOptions()
                        .setHelloInterval(60_000)
                        .setForgetAfter(120_000)
                        .check())
                .doesNotThrowAnyException();
        assertThatCode(() -> new StatusOptions()
                        .setHelloInterval(0)
                        .setForgetAfter(1_000)
                        .check())
                .as("then no hello is waited for")
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 65_536, Integer.MAX_VALUE})
    void aPortThatDoesNotExistIsRefused(int port) {
        assertThatThrownBy(() -> new StatusOptions().setHttpPort(port).check())
                .hasMessageContaining("httpPort is " + port)
                .hasMessageContaining("0 to 65535");
    }

    @Test
    void aPortInJsonThatIsNoPortIsRefusedAndNotCutToOne() {
        assertThatThrownBy(() -> new StatusOptions(new JsonObject().put("httpPort", 4_294_967_296L + 8_080)).check())
                .hasMessageContaining("httpPort is");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\t"})
    void anEmptyAliasIsRefused(String alias) {
        assertThatThrownBy(() -> new StatusOptions().setAlias(alias).check())
                .hasMessageContaining("alias is empty")
                .hasMessageContaining("leave it out");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "192.168.1.7", "example.com", "localhost.evil.com", "127.0.0.1.evil.com"})
    void S1_S2_anAddressBeyondLoopbackIsRefusedAndTheReasonIsSaid(String host) {
        holdsUnlessEverybodyIsLetIn(door -> assertThatThrownBy(() -> door.check(new StatusOptions().setHttpHost(host)))
                .hasMessageContaining("httpHost is \"" + host + "\"")
                .hasMessageContaining("not a loopback address")
                .hasMessageContaining("SSH tunnel"));
    }

    /** What looks at options before anything starts. */
    private interface Door {
        void check(StatusOptions options);
    }

    private static void holdsUnlessEverybodyIsLetIn(Consumer<Door> check) {
        check.accept(StatusOptions::check);
        assertThatThrownBy(() -> check.accept(options -> {}))
                .as("the check has to notice a door that lets everybody in")
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("Expecting code to raise a throwable");
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.1.2.3", "::1", "localhost"})
    void S1_loopbackAddressesAreFine(String host) {
        assertThatCode(() -> new StatusOptions().setHttpHost(host).check()).doesNotThrowAnyException();
    }

    @Test
    void allThatIsWrongIsSaidAtOnce() {
        assertThatThrownBy(() -> new StatusOptions()
                        .setHttpPort(-1)
                        .setQueryTimeout(0)
                        .setHelloInterval(-5)
                        .check())
                .hasMessageContaining("httpPort")
                .hasMessageContaining("queryTimeout")
                .hasMessageContaining("helloInterval");
    }

    @Test
    void S7_aHostileValueStaysOnOneLineOfTheMessage() {
        assertThatThrownBy(() ->
                        new StatusOptions().setHttpHost("a\r\nFAKE \u202E").check())
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n", "\r", "\u202E"));
    }

    @Test
    void S2_othersAreLetInWithATokenAndTlsOnly() {
        StatusOptions open = new StatusOptions().setHttpHost("0.0.0.0");
        holdsUnlessEverybodyIsLetIn(door -> assertThatThrownBy(() -> door.check(open))
                .hasMessageContaining("set httpTokenFile")
                .hasMessageContaining("set httpTlsCert and httpTlsKey, or allowCleartext"));
        open.setHttpTokenFile("token");
        holdsUnlessEverybodyIsLetIn(door ->
                assertThatThrownBy(() -> door.check(open)).hasMessageContaining("without TLS the token could be read"));
        assertThatCode(() -> new StatusOptions(open).setAllowCleartext(true).check())
                .doesNotThrowAnyException();
        assertThatCode(() -> new StatusOptions(open)
                        .setHttpTls("cert.pem", "key.pem")
                        .check())
                .doesNotThrowAnyException();
        assertThatThrownBy(() ->
                        new StatusOptions(open).setHttpTls("cert.pem", null).check())
                .hasMessageContaining("httpTlsCert is set alone");
        assertThatThrownBy(() -> new StatusOptions().setHttpHost(" ").check())
                .hasMessageContaining("httpHost is empty");
    }

    @Test
    void S3_aProxyInFrontWantsAToken() {
        StatusOptions proxied = new StatusOptions().setAllowedHosts(List.of("status.example:8080"));
        holdsUnlessEverybodyIsLetIn(door -> assertThatThrownBy(() -> door.check(proxied))
                .hasMessageContaining("allowedHosts is for a proxy")
                .hasMessageContaining("set httpTokenFile"));
        assertThatCode(() -> proxied.setHttpTokenFile("token").check()).doesNotThrowAnyException();
        assertThatThrownBy(() -> proxied.setAllowedHosts(List.of("https://status.example/x"))
                        .check())
                .hasMessageContaining("no value of the Host header");
    }
}
