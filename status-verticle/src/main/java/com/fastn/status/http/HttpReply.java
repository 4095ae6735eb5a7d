package com.fastn.status.http;

import java.nio.charset.StandardCharsets;

/**
 * What is answered.
 *
 * @param status the status of the response
 * @param type the header Content-Type
 * @param body the body, which nobody writes to any more
 */
@SuppressWarnings("ArrayRecordComponent") // Handed over once and never compared.
public record HttpReply(int status, String type, byte[] body) {
    /** Text for people. */
    public static final String TEXT = "text/plain; charset=utf-8";
    /** JSON for programs. */
    public static final String JSON = "application/json; charset=utf-8";

    /**
     * Makes an answer for people.
     *
     * @param status the status of the response
     * @param body the text
     * @return the answer
     */
    public static HttpReply text(int status, String body) {
        return of(status, TEXT, body);
    }

    /**
     * Makes an answer for programs.
     *
     * @param body the JSON
     * @return the answer
     */
    public static HttpReply json(byte[] body) {
        return new HttpReply(200, JSON, body);
    }

    /**
     * Makes an answer.
     *
     * @param status the status of the response
     * @param type the header Content-Type
     * @param body the text
     * @return the answer
     */
    public static HttpReply of(int status, String type, String body) {
        return new HttpReply(status, type, body.getBytes(StandardCharsets.UTF_8));
    }
}
