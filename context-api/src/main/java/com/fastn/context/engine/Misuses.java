package com.fastn.context.engine;

import com.fastn.context.status.Sanitizer;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Uses of the library that it had to repair: each said once in the log and counted, never thrown. */
final class Misuses {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int MAX_KINDS = 200;
    private static final String OTHERS = "others, beyond the first " + MAX_KINDS + " kinds";

    private final ConcurrentHashMap<String, Kind> kinds = new ConcurrentHashMap<>();

    /** So often, and what the first one was. */
    private record Kind(String text, LongAdder count) {}

    void report(String what) {
        report(what, null);
    }

    /**
     * Counts one.
     *
     * @param what what all of its kind have in common
     * @param first who the first was and where, which is asked for once and told with the kind
     */
    void report(String what, @Nullable Supplier<String> first) {
        Kind known = kinds.get(what);
        if (known == null && kinds.size() >= MAX_KINDS) {
            known = counted(OTHERS, null);
        } else if (known == null) {
            known = counted(what, first);
        }
        known.count.increment();
    }

    private Kind counted(String what, @Nullable Supplier<String> first) {
        Kind fresh = new Kind(first == null ? what : what + "; the first was " + first.get(), new LongAdder());
        Kind present = kinds.putIfAbsent(what, fresh);
        if (present != null) {
            return present;
        }
        log(fresh.text);
        return fresh;
    }

    private static void log(String kind) {
        try {
            // Names come from outside: a record of the log is one line (rule S7).
            LOG.warn("{} (said once)", Sanitizer.clean(kind));
        } catch (Throwable t) {
            // A log that fails must not end what was repaired.
        }
    }

    List<String> list() {
        return kinds.values().stream()
                .sorted(Comparator.comparing(Kind::text))
                .map(kind -> kind.count.sum() + "x " + kind.text)
                .toList();
    }
}
