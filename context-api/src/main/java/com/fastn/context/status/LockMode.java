package com.fastn.context.status;

/** How a lock is held or wanted. */
public enum LockMode {
    /** A mutex: alone. */
    EXCLUSIVE("exclusive"),
    /** A read-write lock: together with other readers. */
    READ("read"),
    /** A read-write lock: alone. */
    WRITE("write"),
    /** A semaphore: some of its permits. */
    PERMITS("permits");

    private final String text;

    LockMode(String text) {
        this.text = text;
    }

    /** {@return the name of this mode in JSON and on screen} */
    public String text() {
        return text;
    }
}
