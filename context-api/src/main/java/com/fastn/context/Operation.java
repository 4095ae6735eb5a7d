package com.fastn.context;

import java.time.Duration;

/** A named piece of work inside a context, shown with its age until it is closed. */
public interface Operation extends AutoCloseable {

    /** {@return the name} */
    String name();

    /** {@return since it began, or how long it took} */
    Duration elapsed();

    /** Ends the operation. A second call has no effect. */
    @Override
    void close();
}
