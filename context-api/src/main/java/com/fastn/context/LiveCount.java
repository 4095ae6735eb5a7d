package com.fastn.context;

/** One count in a live counter, taken back when it is closed or when its context closes, whichever is first. */
public interface LiveCount extends AutoCloseable {

    /** Takes the count back. A second call has no effect. */
    @Override
    void close();
}
