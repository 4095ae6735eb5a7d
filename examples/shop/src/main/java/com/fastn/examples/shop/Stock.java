package com.fastn.examples.shop;

import java.util.HashMap;
import java.util.Map;

/** What lies on the shelves. Not safe for use without the lock around it. */
final class Stock {
    private static final int FULL_SHELF = 500;

    private final Map<String, Integer> shelves = new HashMap<>();

    /** Takes pieces from a shelf, which is filled up when it runs low. {@return how many are left} */
    int take(String item, int quantity) {
        int there = shelves.getOrDefault(item, FULL_SHELF);
        int left = there - quantity < FULL_SHELF / 10 ? FULL_SHELF : there - quantity;
        shelves.put(item, left);
        return left;
    }

    /** Puts pieces back. {@return how many are there now} */
    int putBack(String item, int quantity) {
        return shelves.merge(item, quantity, Integer::sum);
    }

    /** {@return how many pieces lie on all shelves} */
    int pieces() {
        return shelves.values().stream().mapToInt(Integer::intValue).sum();
    }
}
