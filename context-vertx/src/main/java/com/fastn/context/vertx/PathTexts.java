package com.fastn.context.vertx;

import com.fastn.context.status.ContextPath;
import org.jspecify.annotations.Nullable;

/**
 * The texts of the paths that send messages most, so that not each message writes its sender's anew. It is of a fixed size, and
 * any thread may ask at any time: who comes between writes a text twice.
 */
final class PathTexts {
    private static final int SIZE = 64;

    private final @Nullable Text[] texts = new @Nullable Text[SIZE];

    /** The path as {@link CallerHeader} has it. */
    String of(ContextPath path) {
        int place = path.hashCode() & (SIZE - 1);
        Text known = texts[place];
        if (known == null || !known.path.equals(path)) {
            known = new Text(path, CallerHeader.text(path));
            texts[place] = known;
        }
        return known.text;
    }

    // Its fields are final, so whoever finds one without a lock finds it whole.
    private record Text(ContextPath path, String text) {}
}
