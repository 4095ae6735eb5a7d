package com.fastn.context;

/** Says that a wait for a lock would never have ended, and why: its message names each party. */
public class DeadlockException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param message who holds what, and who waits for whom
     */
    public DeadlockException(String message) {
        super(message);
    }
}
