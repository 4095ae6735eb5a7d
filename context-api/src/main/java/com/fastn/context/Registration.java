package com.fastn.context;

/** Something that was registered; closing it, once or more, takes it back. */
public interface Registration extends AutoCloseable {

    /** Takes it back. */
    @Override
    void close();
}
