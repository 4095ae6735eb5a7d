package com.fastn.context;

import com.fastn.context.status.CancelReason;
import java.util.concurrent.CancellationException;

/** Says that a context was asked to stop, and why. */
public final class ContextCancelledException extends CancellationException {
    private static final long serialVersionUID = 1L;

    private final transient CancelReason reason;

    /**
     * Makes the exception.
     *
     * @param what what could not be done or go on
     * @param reason why the context was asked to stop
     */
    public ContextCancelledException(String what, CancelReason reason) {
        super(what + ": " + reason.message() + " (" + reason.source() + ")");
        this.reason = reason;
    }

    /** {@return why the context was asked to stop} */
    public CancelReason reason() {
        return reason;
    }
}
