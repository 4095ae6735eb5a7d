package com.fastn.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fastn.status.StatusQuery.Format;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What is asked for, by the parameters of a request and by the body of a message. */
class StatusQueryFuzzTest {
    @FuzzTest
    void aQuestionIsUnderstoodOrRefusedInOneLine(byte[] bytes) {
        Map<String, String> parameters = new LinkedHashMap<>();
        Map<String, Object> body = new LinkedHashMap<>();
        for (String pair : new String(bytes, StandardCharsets.UTF_8).split("&", 20)) {
            int equals = pair.indexOf('=');
            String key = equals < 0 ? pair : pair.substring(0, equals);
            String value = pair.substring(equals + 1);
            parameters.put(key, value);
            body.put(key, value.contains(",") ? List.of(value.split(",", 20)) : value);
        }
        ask(() -> StatusQuery.ofParameters(parameters, Format.TEXT));
        ask(() -> StatusQuery.of(body));
    }

    private static void ask(Question question) {
        StatusQuery query;
        try {
            query = question.read();
        } catch (BadQueryException refused) {
            assertThat(refused.sentence()).isNotBlank().doesNotContain("\n", "\r", "\u001b");
            assertThat(refused.sentence()).hasSizeLessThan(1_000);
            return;
        }
        assertThat(query.width()).isBetween(20, 500);
        assertThat(StatusQuery.of(query.forOneNode()).path()).isEqualTo(query.path());
        assertThat(StatusQuery.of(query.forOneNode()).depth()).isEqualTo(query.depth());
    }

    private interface Question {
        StatusQuery read();
    }
}
