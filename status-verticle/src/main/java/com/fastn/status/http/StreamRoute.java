package com.fastn.status.http;

/** What is streamed at one path. */
@FunctionalInterface
public interface StreamRoute {
    /**
     * Opens a reader. Called on the port's event loop, which it must not block.
     *
     * @param question what is asked
     * @param news told, on any thread, whenever there may be something to read; first when there is anything at all
     * @return the reader
     * @throws HttpRefusalException if this is not streamed
     */
    StreamReader open(HttpQuestion question, Runnable news);
}
