package com.fastn.verification.concurrency;

/** What two contexts of one path count, without any concurrency. */
public class CountersModel {
    private final long[] open = new long[2];
    private final long[] tracked = {1, 1};
    private final boolean[] handleClosed = new boolean[2];
    private final boolean[] ended = new boolean[2];
    private long requests;

    /** See the counters. */
    public void addTotal(int context, int n) {
        requests += n;
    }

    /** See the counters. */
    public void incrementLive(int context) {
        if (!ended[context]) {
            open[context]++;
        }
    }

    /** See the counters. */
    public void decrementLive(int context) {
        open[context] = Math.max(0, open[context] - 1);
    }

    /** See the counters. */
    public void trackLive(int context) {
        if (!ended[context]) {
            tracked[context]++;
        }
    }

    /** See the counters. */
    public void closeHandle(int context) {
        if (!handleClosed[context]) {
            handleClosed[context] = true;
            tracked[context] = Math.max(0, tracked[context] - 1);
        }
    }

    /** See the counters. */
    public void closeContext(int context) {
        ended[context] = true;
        open[context] = 0;
        tracked[context] = 0;
    }

    /** See the counters. */
    public long total() {
        return requests;
    }

    /** See the counters. */
    public long subtreeTotal() {
        return requests;
    }

    /** See the counters. */
    public long flatTotal() {
        return requests;
    }

    /** See the counters. */
    public long live() {
        return open[0] + open[1];
    }

    /** See the counters. */
    public long subtreeLive() {
        return open[0] + open[1];
    }

    /** See the counters. */
    public long trackedLive() {
        return tracked[0] + tracked[1];
    }

    /** See the counters. */
    public boolean moreLiveThanTotal() {
        return false;
    }
}
