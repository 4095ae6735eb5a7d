package com.fastn.context;

/**
 * Says that a lock was asked for by the very one without whom it cannot be released. Inside the {@code withLock} scope that
 * holds it: locks are not reentrant, so hand the value down, or ask from a branch that the scope does not wait for. By a thread
 * that would block an ordered worker of Vert.x on which somebody before it has yet to be told of his grant: use the form that gives a
 * stage.
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
