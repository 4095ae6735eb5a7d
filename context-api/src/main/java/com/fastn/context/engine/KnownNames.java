package com.fastn.context.engine;

import org.jspecify.annotations.Nullable;

/**
 * The names of one runtime that were found clean, so that one which comes again is not looked through again, and is kept
 * once.
 *
 * <p>It has room for a fixed number of short names; a newer one takes the place of an older one. Threads may race for a
 * place: whoever loses looks through a name once more.
 */
final class KnownNames {
    private static final int PLACES = 512;
    // A name of 10 MB must not cost more than one of 1 kB, so a long one is not even hashed (rule M6).
    private static final int LONGEST = 128;

    // Without fences: a String is safe to see however it was published.
    private final @Nullable String[] known = new @Nullable String[PLACES];

    private final LookAlikes lookAlikes = new LookAlikes();

    /** {@return those that look the same, as far as they were seen here} */
    LookAlikes lookAlikes() {
        return lookAlikes;
    }

    /** The same as {@link Names#clean}. */
    String clean(String name) {
        if (name.length() > LONGEST) {
            return Names.clean(name);
        }
        int place = place(name);
        String there = known[place];
        if (there != null && there.equals(name)) {
            return there;
        }
        String clean = Names.clean(name);
        if (clean.equals(name)) {
            known[place] = clean;
        }
        lookAlikes.see(clean, this::isKnown);
        return clean;
    }

    private boolean isKnown(String name) {
        return name.equals(known[place(name)]);
    }

    private static int place(String name) {
        int hash = name.hashCode();
        return (hash ^ (hash >>> 16)) & (PLACES - 1);
    }
}
