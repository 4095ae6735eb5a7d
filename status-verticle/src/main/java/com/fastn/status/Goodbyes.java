package com.fastn.status;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Who said goodbye lately, by incarnation: what it said before may come after it, and somebody else may have said it in its name.
 * Not thread-safe.
 */
final class Goodbyes {
    /** What a node said before its goodbye may come so long after it; whoever speaks later lives, whatever was said of it. */
    static final Duration LATE_FOR = Duration.ofSeconds(10);

    private static final int MOST = 256;

    /** The first that did comes first. */
    private final Map<String, Goodbye> said = new LinkedHashMap<>();

    /**
     * Takes note of one.
     *
     * @param incarnation who is said to leave
     * @param hadReplied whether anything ever came back from there: of many goodbyes the others are forgotten first
     * @param now the time
     */
    void note(String incarnation, boolean hadReplied, long now) {
        Goodbye former = said.remove(incarnation);
        said.put(incarnation, new Goodbye(now, hadReplied || (former != null && former.hadReplied)));
        if (said.size() > MOST) {
            String least = said.keySet().iterator().next();
            for (Map.Entry<String, Goodbye> each : said.entrySet()) {
                if (!each.getValue().hadReplied) {
                    least = each.getKey();
                    break;
                }
            }
            said.remove(least);
        }
    }

    /** {@return whether who only says that it lives may have said that before its goodbye} */
    boolean isLate(String incarnation, long now) {
        Goodbye goodbye = said.get(incarnation);
        return goodbye != null && goodbye.isOf(now);
    }

    /**
     * Forgets a goodbye, as its bearer is there.
     *
     * @param asNewcomer whether it says that it begins, as one does that was gone for a while
     * @return whether somebody else had said that goodbye
     */
    boolean takeBack(String incarnation, boolean asNewcomer, long now) {
        Goodbye goodbye = said.remove(incarnation);
        return goodbye != null && (!asNewcomer || goodbye.isOf(now));
    }

    private record Goodbye(long nanos, boolean hadReplied) {
        boolean isOf(long now) {
            return now - nanos <= LATE_FOR.toNanos();
        }
    }
}
