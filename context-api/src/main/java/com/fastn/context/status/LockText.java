package com.fastn.context.status;

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

    static String wanted(LockWaiter waiter) {
        return switch (waiter.mode()) {
            case EXCLUSIVE -> "";
            case READ, WRITE -> ", to " + waiter.mode().text();
            case PERMITS -> ", for " + permits(waiter.permits());
        };
    }

    private static String permits(int permits) {
        return HumanText.count(permits) + (permits == 1 ? " permit" : " permits");
    }
}
