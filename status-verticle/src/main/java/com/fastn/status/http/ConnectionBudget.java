package com.fastn.status.http;

import java.util.HashMap;
import java.util.Map;

/**
 * How many connections are held (rule S12): 64 of all, of those 16 of each address of another machine, and some are kept for this
 * machine. Any thread: one accepts connections, another one sees them end.
 */
final class ConnectionBudget {
    static final int MOST = 64;
    static final int MOST_PER_ADDRESS = 16;
    private static final int KEPT_FOR_THIS_MACHINE = 8;

    private final Map<String, Integer> others = new HashMap<>();
    private int open;

    /**
     * Takes a connection into the budget.
     *
     * @param address where it comes from
     * @param loopback whether that is this machine
     * @return whether there is room; if not, it is not counted
     */
    synchronized boolean enter(String address, boolean loopback) {
        if (loopback) {
            if (open >= MOST) {
                return false;
            }
        } else {
            int own = others.getOrDefault(address, 0);
            if (open >= MOST - KEPT_FOR_THIS_MACHINE || own >= MOST_PER_ADDRESS) {
                return false;
            }
            others.put(address, own + 1);
        }
        open++;
        return true;
    }

    /**
     * Gives a connection back that entered.
     *
     * @param address where it came from
     * @param loopback whether that is this machine
     */
    synchronized void leave(String address, boolean loopback) {
        open--;
        if (!loopback) {
            others.computeIfPresent(address, (key, own) -> own > 1 ? own - 1 : null);
        }
    }
}
