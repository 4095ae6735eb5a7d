package com.fastn.status;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Finds what somebody probably meant to write. */
final class NearestNames {
    private static final int LONGEST = 64;
    private static final int MOST = 3;

    private NearestNames() {}

    /**
     * Says that a name is not known, and which ones come near.
     *
     * @param what what the name stands for, such as {@code option}
     * @param unknown the name
     * @param known the names there are
     * @return a sentence without its full stop
     */
    static String unknown(String what, String unknown, Collection<String> known) {
        List<String> near = nearest(unknown, known);
        String shown = Printable.line(unknown);
        if (near.isEmpty()) {
            return "unknown " + what + " \"" + shown + "\"; known are " + String.join(", ", known);
        }
        return "unknown " + what + " \"" + shown + "\"; did you mean "
                + near.stream().map(n -> '"' + n + '"').collect(Collectors.joining(" or ")) + "?";
    }

    static List<String> nearest(String unknown, Collection<String> known) {
        String wanted = unknown.toLowerCase(Locale.ROOT);
        if (wanted.isEmpty() || wanted.length() > LONGEST) {
            return List.of();
        }
        return known.stream()
                .filter(name -> isNear(wanted, name.toLowerCase(Locale.ROOT)))
                .sorted(Comparator.comparingInt((String name) -> distance(wanted, name.toLowerCase(Locale.ROOT)))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(MOST)
                .collect(Collectors.toUnmodifiableList());
    }

    private static boolean isNear(String wanted, String name) {
        return distance(wanted, name) <= Math.max(1, wanted.length() / 3)
                || (wanted.length() >= 3 && (name.startsWith(wanted) || name.endsWith(wanted)));
    }

    /** How many letters must be changed, added, taken away or swapped with their neighbour. */
    private static int distance(String a, String b) {
        int[] beforePrevious = new int[b.length() + 1];
        int[] previous = new int[b.length() + 1];
        int[] current = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(change, 1 + Math.min(previous[j], current[j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    current[j] = Math.min(current[j], beforePrevious[j - 2] + 1);
                }
            }
            int[] reused = beforePrevious;
            beforePrevious = previous;
            previous = current;
            current = reused;
        }
        return previous[b.length()];
    }
}
