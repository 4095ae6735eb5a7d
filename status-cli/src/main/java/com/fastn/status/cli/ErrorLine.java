package com.fastn.status.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What a node streams while what is watched is not there: {@code {"kind":"error","code":404,"message":".."}}. The stream goes on, and
 * tells when it is there again.
 *
 * @param code what it would have answered as HTTP status, had it known before the stream began
 * @param message why, as a sentence
 */
record ErrorLine(int code, String message) {
    private static final String BEGINNING = "{\"kind\":\"error\"";
    private static final JsonFactory JSON = new JsonFactory();

    /** {@return what a line says, or {@code null} when it is no such line} */
    static @Nullable ErrorLine of(String line) {
        // What a document is stands at its beginning, written by the same writer as everything else in it.
        if (!line.startsWith(BEGINNING)) {
            return null;
        }
        int code = 0;
        String message = "";
        try (JsonParser json = JSON.createParser(line)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                json.nextToken();
                switch (field) {
                    case "code" -> code = json.getValueAsInt();
                    case "message" -> message = json.getValueAsString("");
                    default -> json.skipChildren();
                }
            }
        } catch (IOException e) {
            return null;
        }
        return new ErrorLine(code, message);
    }
}
