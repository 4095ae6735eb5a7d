package com.fastn.context;

import com.fastn.context.status.Sanitizer;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the system properties say of a runtime wherever its builder was not told, and of those that have none: the default
 * one, and that of a Vertx. These are made where some code happens to ask first, so a value that cannot be is no reason to
 * fail there: it is said in the log, and the default counts.
 */
final class RuntimeProperties {
    static final int MOST_RECENT_CONTEXTS = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger("com.fastn.context");
    private static final String PREFIX = "fastn.context.";

    private RuntimeProperties() {}

    static boolean strict() {
        return Boolean.getBoolean(PREFIX + "strict");
    }

    static int maxDepth() {
        return number("max-depth", 1, Integer.MAX_VALUE, ContextEngine.Settings.DEFAULT_MAX_DEPTH);
    }

    static int recentContexts() {
        return number("recent-contexts", 0, MOST_RECENT_CONTEXTS, ContextEngine.Settings.DEFAULT_RECENT_CONTEXTS);
    }

    static DeadlockPolicy deadlockPolicy() {
        String said = said("deadlock-policy");
        if (said == null) {
            return DeadlockPolicy.REPORT;
        }
        for (DeadlockPolicy policy : DeadlockPolicy.values()) {
            if (word(policy).equals(said.toLowerCase(Locale.ROOT).replace('_', '-'))) {
                return policy;
            }
        }
        String known = Arrays.stream(DeadlockPolicy.values())
                .map(RuntimeProperties::word)
                .collect(Collectors.joining(", "));
        refuse("deadlock-policy", said, "one of " + known, word(DeadlockPolicy.REPORT));
        return DeadlockPolicy.REPORT;
    }

    private static String word(DeadlockPolicy policy) {
        return policy.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static int number(String key, int least, int most, int otherwise) {
        String said = said(key);
        if (said == null) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(said);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Refused below, as one that is out of range.
        }
        refuse(key, said, "a whole number from " + least + " to " + most, Integer.toString(otherwise));
        return otherwise;
    }

    private static @Nullable String said(String key) {
        String value = System.getProperty(PREFIX + key);
        return value == null ? null : value.strip();
    }

    private static void refuse(String key, String said, String wanted, String otherwise) {
        LOG.warn(
                "the system property {}{} is \"{}\", and it wants {}; {} counts instead",
                PREFIX,
                key,
                Sanitizer.clean(said),
                wanted,
                otherwise);
    }
}
