package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

/** A status that came as JSON and cannot be believed or understood. */
public final class StatusFormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final String what;
    private final String why;
    private final String next;

    StatusFormatException(Kind kind, String what, String why, String next) {
        super(what + ": " + why + "; " + next);
        this.kind = requireNonNull(kind, "kind");
        this.what = what;
        this.why = why;
        this.next = next;
    }

    /** {@return which sort of trouble this is} */
    public Kind kind() {
        return kind;
    }

    /** {@return what could not be done} */
    public String what() {
        return what;
    }

    /** {@return why not; text from the JSON in it is cleaned and short} */
    public String why() {
        return why;
    }

    /** {@return what to do next} */
    public String next() {
        return next;
    }

    /** The sorts of trouble. */
    public enum Kind {
        /** It is no JSON, or not a status, or it is cut off. */
        MALFORMED,
        /** It is longer or deeper than the reader accepts. */
        TOO_LARGE,
        /** It wants a reader of a newer schema. */
        UPGRADE_NEEDED
    }
}
