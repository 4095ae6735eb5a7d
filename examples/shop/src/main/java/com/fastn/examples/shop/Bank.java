package com.fastn.examples.shop;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Stands for a library that blocks its caller while it talks to a bank. */
final class Bank {
    private static final long TALK_NANOS = TimeUnit.MILLISECONDS.toNanos(40);
    private static final int DECLINED_EVERY = 12;

    private int calls;

    /** Takes the money for an order. {@return how much it was} */
    int charge(Order order) throws DeclinedException {
        long end = System.nanoTime() + TALK_NANOS;
        for (long left = TALK_NANOS; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
        if (++calls % DECLINED_EVERY == 0) {
            throw new DeclinedException("the bank declines the card of " + order.customer());
        }
        return 3 * order.quantity();
    }

    /** The bank does not give the money. */
    static final class DeclinedException extends Exception {
        private static final long serialVersionUID = 1;

        DeclinedException(String message) {
            super(message);
        }
    }
}
