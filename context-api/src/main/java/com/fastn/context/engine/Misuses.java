package com.fastn.context.engine;

import com.fastn.context.status.Sanitizer;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Uses of the library that it had to repair: each said once in the log and counted, never thrown. */
final class Misuses {
    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final int MAX_KINDS = 200;
    private static final String OTHERS = "others, beyond the first " + MAX_KINDS + " kinds";

    private final ConcurrentHashMap<String, LongAdder> counts = new ConcurrentHashMap<>();

    void report(String what) {
        LongAdder known = counts.get(what);
        if (known != null) {
            known.increment();
            return;
        }
        String kind = counts.size() < MAX_KINDS ? what : OTHERS;
        LongAdder fresh = new LongAdder();
        LongAdder present = counts.putIfAbsent(kind, fresh);
        (present == null ? fresh : present).increment();
        if (present == null) {
            log(kind);
        }
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
        return counts.entrySet().stream()
                .sorted(java.util.Map.Entry.comparingByKey())
                .map(e -> e.getValue().sum() + "x " + e.getKey())
                .toList();
    }
}
