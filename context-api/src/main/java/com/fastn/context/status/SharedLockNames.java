package com.fastn.context.status;

/** How locks are called that are shared with others, beside those of one tree: by this an explanation finds them again. */
public final class SharedLockNames {
    private static final String PREFIX = "shared:";
    private static final String LOCAL = "shared-local:";

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

    /**
     * Tells whether a name is one of these.
     *
     * @param name the name of a lock or of an operation in a status
     * @return whether it is that of a lock that is shared with others
     */
    public static boolean isShared(String name) {
        return name.startsWith(PREFIX) || isLocal(name);
    }

    /**
     * Gives the name in a status of a lock that is shared by the contexts of one clustered Vertx.
     *
     * @param name the lock's name in Vert.x
     * @return the name of the line for it, and of the operation of who waits for Vert.x
     */
    public static String ofLocal(String name) {
        return LOCAL + name;
    }

    /**
     * Tells whether others have no part in a lock.
     *
     * @param name the name of a lock or of an operation in a status
     * @return whether it is one of {@link #ofLocal}
     */
    public static boolean isLocal(String name) {
        return name.startsWith(LOCAL);
    }
}
