package com.fastn.context.status;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The row of counters: {@code Total: 45 commands (42 success, 3 failed) | Live: 1 command}. */
final class CounterText {
    private static final int MOST_NAMES = 4;
    private static final String SUCCESS = "successful_";

    /** What a counter's name begins with when it counts one outcome of another counter, and the word for that outcome. */
    private static final Map<String, String> OUTCOMES = outcomes();

    private CounterText() {}

    /** {@return the row, or {@code null} when nothing was counted} */
    static @Nullable String of(ContextStatus context) {
        String total = side(context.totalCounters(), context.subtreeTotalCounters(), true);
        String live = side(context.liveCounters(), context.subtreeLiveCounters(), false);
        if (total.isEmpty() && live.isEmpty()) {
            return null;
        }
        String first = total.isEmpty() ? "" : "Total: " + total;
        String second = live.isEmpty() ? "" : "Live: " + live;
        return first.isEmpty() || second.isEmpty() ? first + second : first + " | " + second;
    }

    private static String side(Map<String, Long> own, Map<String, Long> rolledUp, boolean zeros) {
        // Own counts first. An outcome joins only a count of the same reach: a subtree's failures are not its root's,
        // and
        // are told further down, beside the count that they are of.
        List<String> texts = new ArrayList<>();
        addAll(texts, own, zeros);
        if (!rolledUp.isEmpty()) {
            Map<String, Long> others = new LinkedHashMap<>(rolledUp);
            others.keySet()
                    .removeIf(name -> own.containsKey(name)
                            || (name.startsWith(SUCCESS) && own.containsKey(name.substring(SUCCESS.length()))));
            addAll(texts, others, zeros);
        }
        if (texts.size() <= MOST_NAMES) {
            return String.join(", ", texts);
        }
        return String.join(", ", texts.subList(0, MOST_NAMES)) + ", +" + HumanText.count(texts.size() - MOST_NAMES)
                + " more";
    }

    private static void addAll(List<String> texts, Map<String, Long> counters, boolean zeros) {
        counters.forEach((name, value) -> {
            if ((zeros || value != 0) && !isOutcomeOfAnother(name, counters)) {
                texts.add(Sanitizer.clean(HumanText.count(value, name)) + outcomesOf(name, counters));
            }
        });
    }

    private static boolean isOutcomeOfAnother(String name, Map<String, Long> counters) {
        for (String prefix : OUTCOMES.keySet()) {
            if (name.startsWith(prefix) && counters.containsKey(name.substring(prefix.length()))) {
                return true;
            }
        }
        return false;
    }

    private static String outcomesOf(String name, Map<String, Long> counters) {
        List<String> parts = new ArrayList<>();
        OUTCOMES.forEach((prefix, word) -> {
            Long value = counters.get(prefix + name);
            if (value != null && value != 0) {
                parts.add(HumanText.count(value) + " " + word);
            }
        });
        return parts.isEmpty() ? "" : " (" + String.join(", ", parts) + ")";
    }

    private static Map<String, String> outcomes() {
        Map<String, String> outcomes = new LinkedHashMap<>();
        outcomes.put(SUCCESS, "success");
        outcomes.put("failed_", "failed");
        outcomes.put("cancelled_", "cancelled");
        return Collections.unmodifiableMap(outcomes);
    }
}
