package com.fastn.context.engine;

/** What has to reach somebody who waits: a lock that was granted, or that it will not be. */
public interface Delivery extends Runnable {
    /**
     * Gives up to reach him, in place of {@link #run}: the place where he waits is gone. A lock that was granted goes to the
     * next one, and he is told, if he still hears, that he does not have it.
     */
    void drop();
}
