package com.fastn.context.status;

/** The kind of a named lock. */
public enum LockType {
    /** One holder at a time. */
    MUTEX("mutex"),
    /** Many readers or one writer. */
    RW_LOCK("rwlock"),
    /** A number of permits. */
    SEMAPHORE("semaphore");

    private final String text;

    LockType(String text) {
        this.text = text;
    }

    /** {@return the name of this kind in JSON and on screen} */
    public String text() {
        return text;
    }
}
