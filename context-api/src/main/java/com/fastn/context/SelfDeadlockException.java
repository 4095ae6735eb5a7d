package com.fastn.context;

/**
 * Says that a lock was asked for inside the very {@code withLock} scope that holds it. Locks are not reentrant: hand the
 * value down, or ask from a branch that the scope does not wait for.
 */
public final class SelfDeadlockException extends DeadlockException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param message the lock, the context, where it was taken and where it was asked for again
     */
    public SelfDeadlockException(String message) {
        super(message);
    }
}
