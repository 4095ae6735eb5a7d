package com.fastn.status.cli;

import org.jspecify.annotations.Nullable;

/** Something to look a name up in: the environment, or the system properties. */
@FunctionalInterface
interface Lookup {
    @Nullable
    String get(String name);

    /** {@return the value, or {@code null} when there is none or it is blank} */
    default @Nullable String nonBlank(String name) {
        String value = get(name);
        return value == null || value.isBlank() ? null : value;
    }
}
