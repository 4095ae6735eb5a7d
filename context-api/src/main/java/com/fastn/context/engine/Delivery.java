package com.fastn.context.engine;

/** What has to reach a place: that a lock was granted or will not be, to who waits there; or a task that is to start. */
public interface Delivery extends Runnable {
    /**
     * Gives up to reach it, in place of {@link #run}: the place is gone. A lock that was granted goes to the next one, and who
     * waited is told, if he still hears, that he does not have it. A task fails, and a child of its own is cancelled and ends.
     */
    void drop();
}
