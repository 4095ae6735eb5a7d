package com.fastn.context.status;

import java.util.List;

/** How a lock is held or wanted, in words; none for a mutex, of which there is but one way. */
final class LockText {
    private LockText() {}

    static String held(LockStatus lock) {
        return switch (lock.mode()) {
            case EXCLUSIVE -> "";
            case READ, WRITE -> ", " + lock.mode().text();
            case PERMITS -> ", " + HumanText.count(lock.permits()) + " of " + permits(lock.totalPermits());
        };
    }

    /** Since when somebody has a lock, as in {@code held 5s by }; one who is not told yet was granted it. */
    static String since(LockStatus lock) {
        String time = HumanText.duration(lock.heldDuration());
        return lock.told() ? "held " + time + " by " : "granted " + time + " ago to ";
    }

    static String untold(LockStatus lock) {
        return lock.told() ? "" : ", not told yet";
    }

    static String wanted(LockWaiter waiter) {
        return switch (waiter.mode()) {
            case EXCLUSIVE -> "";
            case READ, WRITE -> ", to " + waiter.mode().text();
            case PERMITS -> ", for " + permits(waiter.permits());
        };
    }

    /** Where a holder asked for its lock, as in {@code , taken at Ledger.java:88}; nothing where that is not known. */
    static String takenAt(LockStatus lock) {
        return lock.heldAt() == null ? "" : ", taken at " + line(lock.heldAt());
    }

    /** Where a waiter asked, as in {@code , asked at Ledger.java:88}; nothing where that is not known. */
    static String askedAt(LockWaiter waiter) {
        return waiter.waitsAt() == null ? "" : ", asked at " + line(waiter.waitsAt());
    }

    private static String line(String frame) {
        return AppFrames.first(List.of(frame));
    }

    private static String permits(int permits) {
        return HumanText.count(permits) + (permits == 1 ? " permit" : " permits");
    }
}
