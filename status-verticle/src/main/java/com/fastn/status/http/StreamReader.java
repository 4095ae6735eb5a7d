package com.fastn.status.http;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One reader's place in what is streamed. It keeps nothing for a reader that is slow: whatever was missed, the next item is
 * the newest.
 */
public interface StreamReader extends AutoCloseable {
    /**
     * {@return the newest item that was not read yet, or {@code null} when there is none} Not called again before it has
     * completed; it completes on any thread.
     */
    CompletionStage<@Nullable StreamItem> next();

    /** Ends it. A second call has no effect. */
    @Override
    void close();
}
