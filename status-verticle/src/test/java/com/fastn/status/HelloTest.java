package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeSummary;
import io.vertx.core.json.JsonObject;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HelloTest {
    private static final NodeIdentity ALICE = new NodeIdentity("alice", "i-1");

    @Test
    void itSurvivesTheWayThroughJson() {
        for (Hello.Kind kind : Hello.Kind.values()) {
            boolean publishes = kind == Hello.Kind.ALIVE;
            Hello hello = new Hello(ALICE, 1_234_567_890_123L, kind, new NodeSummary(5, 1, 2, 3), publishes);
            assertThat(Hello.of(new JsonObject(hello.toMap()).getMap())).isEqualTo(hello);
            assertThat(Hello.of(new JsonObject(new JsonObject(hello.toMap()).encode()).getMap()))
                    .isEqualTo(hello);
        }
    }

    @Test
    void D9_whatALaterVersionAddsIsLeftOut() {
        Map<String, Object> body = new HashMap<>(new Hello(ALICE, 1, Hello.Kind.ALIVE, null).toMap());
        body.put("mood", "fine");
        body.put("kind", "busy");
        assertThat(Hello.of(body)).isEqualTo(new Hello(ALICE, 1, Hello.Kind.ALIVE, null));
    }

    @Test
    void D9_ofAHelloThatWantsANewerReaderIsReadWhatCanBe() {
        Map<String, Object> body = new HashMap<>(new Hello(ALICE, 1, Hello.Kind.ALIVE, null).toMap());
        body.put("schema", 3);
        body.put("min_schema", 2);
        assertThat(Hello.of(body)).isEqualTo(new Hello(ALICE, 1, Hello.Kind.ALIVE, null, false, true));

        body.put("kind", 7);
        body.put("booted_ms", "yesterday");
        body.put("summary", Map.of("contexts", 5));
        body.remove("incarnation");
        assertThat(Hello.of(body))
                .isEqualTo(new Hello(
                        new NodeIdentity("alice", "(unknown) alice"), 0, Hello.Kind.ALIVE, null, false, true));

        NodeIdentity nobody = new NodeIdentity("(unnamed)", "(unknown) (unnamed)");
        Hello least = Hello.of(Map.of("min_schema", 2, "alias", " "));
        assertThat(least).isEqualTo(new Hello(nobody, 0, Hello.Kind.ALIVE, null, false, true));
        assertThat(Hello.of(least.toMap())).isEqualTo(least);
        Hello longest = Hello.of(Map.of("min_schema", 2, "alias", "x".repeat(256)));
        assertThat(Hello.of(longest.toMap())).isEqualTo(longest);
        assertThatThrownBy(() -> Hello.of(Map.of("min_schema", 1, "alias", "alice")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void S15_whatIsNoHelloIsRefusedAndOddNumbersAreClamped() {
        assertThatThrownBy(() -> Hello.of(Map.of())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Hello.of(Map.of("alias", " ", "incarnation", "i")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Hello.of(Map.of("alias", "x".repeat(257), "incarnation", "i")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Hello.of(Map.of("alias", 7, "incarnation", "i")))
                .isInstanceOf(IllegalArgumentException.class);

        Hello odd = Hello.of(Map.of(
                "alias",
                "alice",
                "incarnation",
                "i-1",
                "booted_ms",
                -5,
                "summary",
                Map.of("contexts", -7, "warnings", "x")));
        assertThat(odd.bootedMillis()).isZero();
        assertThat(odd.summary()).isEqualTo(new NodeSummary(0, 0, 0, 0));
    }
}
