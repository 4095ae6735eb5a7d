package com.fastn.context;

/** The proof of holding permits of a semaphore. Closing it gives back all that are left. */
public interface PermitGuard extends HeldGuard {

    /** {@return how many permits this guard holds; none once it is closed} */
    int permits();

    /**
     * Gives some of the permits back before the others.
     *
     * @param permits how many; with the last of them the guard is closed
     * @throws IllegalArgumentException if that is not at least one, or more than the guard holds; nothing is given back then
     */
    void release(int permits);
}
