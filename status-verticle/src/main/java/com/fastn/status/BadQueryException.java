package com.fastn.status;

import static java.util.Objects.requireNonNull;

/** A question that cannot be answered, with a sentence for whoever asked. */
final class BadQueryException extends RuntimeException {
    /** The question is not understood. */
    static final int MALFORMED = 400;
    /** The node does not do that for others. */
    static final int NOT_ALLOWED = 403;
    /** The node or the path that was asked for is not there. */
    static final int NOT_FOUND = 404;

    /** The stream that is meant is over. */
    static final int GONE = 410;
    /** The answer would be larger than any answer may be, and cannot be made smaller. */
    static final int TOO_LARGE = 413;
    /** There are as many as there may be. */
    static final int TOO_MANY = 429;
    /** It may be there, but not all who could know answered. */
    static final int UNKNOWN = 503;

    private static final long serialVersionUID = 1;

    private final int code;

    BadQueryException(int code, String sentence) {
        // No stack trace: it is an answer to somebody else's mistake, and may be made often.
        super(requireNonNull(sentence, "sentence"), null, false, false);
        this.code = code;
    }

    /** {@return the failure code of a bus reply, and the status of an HTTP response} */
    int code() {
        return code;
    }

    /** {@return the sentence} */
    String sentence() {
        return requireNonNull(getMessage());
    }
}
