package com.fastn.verification.concurrency;

/** What a context counts beside a neighbour of the same path, without any concurrency. */
public class CountersModel {
    private long requests;
    private long open;
    private long tracked = 1;
    private boolean handleClosed;
    private boolean ended;

    /** See the counters. */
    public void addTotal(int n) {
        requests += n;
    }

    /** See the counters. */
    public void incrementLive() {
        if (!ended) {
            open++;
        }
    }

    /** See the counters. */
    public void decrementLive() {
        open = Math.max(0, open - 1);
    }

    /** See the counters. */
    public void trackLive() {
        if (!ended) {
            tracked++;
        }
    }

    /** See the counters. */
    public void closeHandle() {
        if (!handleClosed) {
            handleClosed = true;
            tracked = Math.max(0, tracked - 1);
        }
    }

    /** See the counters. */
    public void closeContext() {
        ended = true;
        open = 0;
        tracked = 0;
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
        return open;
    }

    /** See the counters. */
    public long trackedLive() {
        return 1 + tracked;
    }

    /** See the counters. */
    public boolean moreLiveThanTotal() {
        return false;
    }
}
