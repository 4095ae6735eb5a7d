package com.fastn.status.http;

import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One item of a stream.
 *
 * @param event what it is
 * @param id its version, or {@code null} when it has none
 * @param line the item on one line, as UTF-8; nobody writes to it any more
 */
@SuppressWarnings("ArrayRecordComponent") // Handed over once and never compared.
public record StreamItem(String event, @Nullable String id, byte[] line) {
    private static final String ERROR = "error";

    /**
     * Makes one that says why there is nothing else.
     *
     * @param code the HTTP status that says the same
     * @param message why, as a sentence
     * @return the item
     */
    public static StreamItem error(int code, String message) {
        JsonObject error = new JsonObject()
                .put("kind", ERROR)
                .put("code", code)
                .put("message", message)
                .put("schema", 1)
                .put("min_schema", 1);
        return new StreamItem(ERROR, null, error.encode().getBytes(StandardCharsets.UTF_8));
    }
}
