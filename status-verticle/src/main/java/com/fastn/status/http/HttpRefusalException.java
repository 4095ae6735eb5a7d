package com.fastn.status.http;

/** A request that cannot be answered, with a sentence for whoever asked. */
public final class HttpRefusalException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;

    /**
     * Makes a refusal.
     *
     * @param status the status of the response
     * @param sentence why
     */
    public HttpRefusalException(int status, String sentence) {
        super(sentence, null, false, false);
        this.status = status;
    }

    /** {@return the status of the response} */
    int status() {
        return status;
    }

    /** {@return the answer} */
    public HttpReply reply() {
        return HttpReply.text(status, getMessage() + "\n");
    }
}
