package com.fastn.status;

/**
 * Whether the other nodes find this one, by what the cluster manager says (rule D10).
 *
 * <pre>
 *  FOUND --missed twice--&gt; REPAIRING, each second time --missed six times--&gt; LOST
 *    \&lt;-----------------------------found again----------------------------/
 * </pre>
 *
 * A cluster manager that does not answer has not said that this node is missing: that is counted apart, and repaired once.
 */
final class Reachability {
    private static final int REPAIR_EVERY = 2;
    private static final int LOST_AFTER = 6;

    // Mutable state
    private int missed;
    private int unanswered;
    private int othersMissed;
    private long repairs;

    /** Takes note that this node is found. */
    void found() {
        missed = 0;
        unanswered = 0;
    }

    /**
     * Takes note that this node is not found.
     *
     * @return whether its addresses should be registered anew
     */
    boolean missed() {
        unanswered = 0;
        missed++;
        if (missed % REPAIR_EVERY != 0) {
            return false;
        }
        repairs++;
        return true;
    }

    /**
     * Takes note that the cluster manager did not answer.
     *
     * @return whether the addresses should be registered anew: it may have lost them, and not be able to say so
     */
    boolean unanswered() {
        unanswered = Math.min(unanswered + 1, LOST_AFTER);
        if (unanswered != REPAIR_EVERY) {
            return false;
        }
        repairs++;
        return true;
    }

    /** Takes note whether this node is found, but for what it registered once and never anew. */
    void foundOthers(boolean found) {
        othersMissed = found ? 0 : Math.min(othersMissed + 1, REPAIR_EVERY);
    }

    /** {@return whether what was registered only once is not found for good} */
    boolean isForgotten() {
        return othersMissed >= REPAIR_EVERY;
    }

    /** {@return whether registering anew did not help} */
    boolean isLost() {
        return missed >= LOST_AFTER;
    }

    /** {@return whether the cluster manager has not answered for as long} */
    boolean isUnanswered() {
        return unanswered >= LOST_AFTER;
    }

    /** {@return how often the addresses were to be registered anew} */
    long repairs() {
        return repairs;
    }
}
