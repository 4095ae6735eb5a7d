package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.status.ContextPath;
import com.fastn.status.StatusQuery.Format;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StatusQueryTest {
    @Test
    void anEmptyQuestionAsksForEverythingAsJson() {
        assertThat(StatusQuery.of(Map.of())).isEqualTo(StatusQuery.all());
        assertThat(StatusQuery.all().isWhole()).isTrue();
        assertThat(StatusQuery.all().forOneNode()).isEmpty();
    }

    @Test
    void allPartsAreRead() {
        StatusQuery query = StatusQuery.of(Map.of(
                "nodes",
                List.of("alice", "bob"),
                "format",
                "ansi",
                "depth",
                3,
                "path",
                "global.a\\.b",
                "width",
                80,
                "lines",
                0));

        assertThat(query)
                .isEqualTo(new StatusQuery(
                        List.of("alice", "bob"), Format.ANSI, 3, ContextPath.of("global", "a.b"), 80, 0));
        assertThat(query.isWhole()).isFalse();
    }

    @Test
    void M5_aPathMayBeAListOfNamesSoThatDotsNeedNoCare() {
        assertThat(StatusQuery.of(Map.of("path", List.of("global", "a.b"))).path())
                .isEqualTo(ContextPath.of("global", "a.b"));
    }

    @Test
    void whatIsForOneNodeMeansTheSameThere() {
        StatusQuery query =
                StatusQuery.of(Map.of("nodes", List.of("alice"), "depth", 2, "path", List.of("global", "a.b")));

        StatusQuery there = StatusQuery.of(query.forOneNode());

        assertThat(there.path()).isEqualTo(query.path());
        assertThat(there.depth()).isEqualTo(query.depth());
        assertThat(there.nodes()).isEmpty();
    }

    @Test
    void anUnknownKeyIsNamedWithTheNearestKnownOne() {
        assertThatThrownBy(() -> StatusQuery.of(Map.of("node", List.of("alice"))))
                .isInstanceOfSatisfying(BadQueryException.class, e -> {
                    assertThat(e.code()).isEqualTo(400);
                    assertThat(e.sentence()).contains("unknown key \"node\"").contains("\"nodes\"");
                });
    }

    @Test
    void valuesThatMakeNoSenseAreRefusedWithASentence() {
        refused(Map.of("format", "xml"), "unknown format \"xml\"");
        refused(Map.of("depth", 0), "\"depth\" wants a whole number from 1");
        refused(Map.of("depth", "deep"), "\"depth\" wants");
        refused(Map.of("depth", 1.5), "\"depth\" wants");
        refused(Map.of("nodes", "alice"), "\"nodes\" wants a list");
        refused(Map.of("nodes", List.of("")), "\"nodes\" wants a list");
        refused(Map.of("nodes", List.of(7)), "\"nodes\" wants a list");
        refused(Map.of("path", ""), "\"path\" wants the names");
        refused(Map.of("path", List.of()), "\"path\" wants the names");
        refused(Map.of("path", 7), "\"path\" wants the names");
        refused(Map.of("width", 100_000), "\"width\" wants");
    }

    @Test
    void parametersOfHttpAreReadToo() {
        StatusQuery query =
                StatusQuery.ofParameters(Map.of("nodes", "alice,bob", "depth", "3", "scope", "cluster"), Format.TEXT);

        assertThat(query.nodes()).containsExactly("alice", "bob");
        assertThat(query.depth()).isEqualTo(3);
        assertThat(query.format()).isEqualTo(Format.TEXT);
        assertThat(StatusQuery.ofParameters(Map.of("format", "json"), Format.TEXT)
                        .format())
                .isEqualTo(Format.JSON);
        assertThatThrownBy(() -> StatusQuery.ofParameters(Map.of("formt", "json"), Format.TEXT))
                .hasMessageContaining("unknown parameter \"formt\"; did you mean \"format\"");
    }

    @Test
    void aNullValueIsLikeNoValue() {
        Map<String, Object> body = new HashMap<>();
        body.put("nodes", null);
        body.put("path", null);
        assertThat(StatusQuery.of(body)).isEqualTo(StatusQuery.all());
    }

    private static void refused(Map<String, Object> body, String sentence) {
        assertThatThrownBy(() -> StatusQuery.of(body))
                .isInstanceOf(BadQueryException.class)
                .hasMessageContaining(sentence);
    }
}
