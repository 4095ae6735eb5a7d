package com.fastn.context;

import java.util.concurrent.TimeoutException;

/** Says that a lock was not granted in time, and who held it. */
public final class LockTimeoutException extends TimeoutException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param message the lock, the time and the holder
     */
    public LockTimeoutException(String message) {
        super(message);
    }
}
