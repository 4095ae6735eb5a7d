package com.fastn.status.cli;

import static java.util.Objects.requireNonNullElse;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that a node looked at in itself, as it tells it.
 *
 * @param what what was looked at
 * @param well whether it is as it should be
 * @param found what was found
 * @param next what to do, or {@code null}
 */
record NodeCheck(
        String what, boolean well, String found, @Nullable String next) {
    private static final int MOST = 50;
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(100)
                    .maxStringLength(64 << 10)
                    .maxNameLength(4 << 10)
                    .maxNumberLength(32)
                    .build())
            .build();

    /**
     * Reads what a node found.
     *
     * @param body the document of {@code /status/checks}
     * @return what it found; of more than any node tells, the beginning
     * @throws IOException if it is no such document; the message says what is wrong
     */
    static List<NodeCheck> read(byte[] body) throws IOException {
        List<NodeCheck> checks = new ArrayList<>();
        boolean listed = false;
        try (JsonParser json = JSON.createParser(body)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("it is no JSON object");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                JsonToken value = json.nextToken();
                if (field.equals("min_schema") && json.getValueAsInt() > 1) {
                    throw new IOException("it is of a newer version, which this command does not understand");
                }
                if (value == JsonToken.START_ARRAY && field.equals("checks")) {
                    listed = true;
                    while (json.nextToken() == JsonToken.START_OBJECT && checks.size() < MOST) {
                        checks.add(check(json));
                    }
                    if (checks.size() == MOST) {
                        break;
                    }
                } else {
                    json.skipChildren();
                }
            }
        }
        if (!listed) {
            throw new IOException("it has no list of checks");
        }
        return checks;
    }

    private static NodeCheck check(JsonParser json) throws IOException {
        String what = null;
        String found = null;
        String next = null;
        boolean well = false;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            json.nextToken();
            switch (field) {
                case "what" -> what = json.getValueAsString();
                case "found" -> found = json.getValueAsString();
                case "next" -> next = json.getValueAsString();
                case "well" -> well = json.getValueAsBoolean();
                default -> json.skipChildren();
            }
        }
        return new NodeCheck(
                requireNonNullElse(what, "something"), well, requireNonNullElse(found, "nothing is told"), next);
    }
}
