package com.fastn.status.cli;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What the operating system tells of processes. */
@FunctionalInterface
interface Processes {
    /** {@return whether a process of this id lives} */
    boolean isAlive(long pid);

    /** {@return when it started, or {@code null} where nobody tells} */
    default @Nullable Instant started(long pid) {
        return null;
    }

    /** {@return those of this machine} */
    static Processes system() {
        return new Processes() {
            @Override
            public boolean isAlive(long pid) {
                return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
            }

            @Override
            public @Nullable Instant started(long pid) {
                return ProcessHandle.of(pid)
                        .flatMap(process -> process.info().startInstant())
                        .orElse(null);
            }
        };
    }
}
