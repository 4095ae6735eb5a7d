package com.fastn.context.status;

/** How locks are called that are shared with others, beside those of one tree: by this an explanation finds them again. */
public final class SharedLockNames {
    private static final String PREFIX = "shared:";

    private SharedLockNames() {}

    /**
     * Gives the name in a status.
     *
     * @param name the lock's name where it is shared
     * @return the name of the line for it, and of the operation of who waits for another node
     */
    public static String of(String name) {
        return PREFIX + name;
    }

    static boolean isShared(String operation) {
        return operation.startsWith(PREFIX);
    }
}
