package com.fastn.context;

/** The block in which a context is the current one; closing it restores the previous one. */
public interface ContextScope extends AutoCloseable {

    /** Restores the previous current context. */
    @Override
    void close();
}
