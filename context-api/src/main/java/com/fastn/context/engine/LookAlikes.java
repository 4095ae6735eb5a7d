package com.fastn.context.engine;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * The names of one runtime that look like others which they are not: of other characters that are drawn the same. They are told
 * apart all the same, and never changed (rule M6).
 *
 * <p>Names are looked at when they are new, as far as {@link KnownNames} knows, and only those that are not ASCII: such a name may
 * look like another one of its kind, or like one in ASCII. So many are kept; those that come later are not looked at.
 */
final class LookAlikes {
    /** Names that are not ASCII, each with what it looks like. */
    static final int MOST_NAMES = 1_000;

    /** Pairs that are told. */
    static final int MOST_PAIRS = 100;

    // Cyrillic and Greek letters, each before the Latin one that it is drawn as.
    private static final String DRAWN_ALIKE =
            "\u0430a\u0435e\u043eo\u0440p\u0441c\u0443y\u0445x\u0456i\u0458j\u0455s\u04bbh\u0501d"
                    + "\u051bq\u051dw\u04cfl\u0410A\u0412B\u0415E\u041aK\u041cM\u041dH\u041eO\u0420P\u0421C\u0422T\u0425X"
                    + "\u0406I\u0408J\u0405S\u0391A\u0392B\u0395E\u0396Z\u0397H\u0399I\u039aK\u039cM\u039dN\u039fO\u03a1P"
                    + "\u03a4T\u03a5Y\u03a7X\u03bfo\u03bdv";
    private static final Map<Integer, Character> LATIN = latin();

    // Those that are not ASCII and were looked at: how they are drawn is found out once, however often they come.
    private final Set<String> seen = ConcurrentHashMap.newKeySet();
    private final ConcurrentHashMap<String, String> firstOfLook = new ConcurrentHashMap<>();
    private volatile boolean looksLikeAscii;
    private volatile boolean full;

    // Guarded by this object's monitor; there are few.
    private final List<Pair> pairs = new ArrayList<>();

    /**
     * Two names that look the same.
     *
     * @param first the one that was seen first
     * @param later the other
     */
    record Pair(String first, String later) {}

    private static Map<Integer, Character> latin() {
        Map<Integer, Character> latin = new HashMap<>();
        for (int i = 0; i < DRAWN_ALIKE.length(); i += 2) {
            latin.put((int) DRAWN_ALIKE.charAt(i), DRAWN_ALIKE.charAt(i + 1));
        }
        return Map.copyOf(latin);
    }

    /**
     * Looks at a name that is perhaps new.
     *
     * @param name a clean name, and not a long one
     * @param isKnown says of a name in ASCII whether it was seen lately
     */
    void see(String name, Predicate<String> isKnown) {
        if (isAscii(name)) {
            String first = looksLikeAscii ? firstOfLook.get(name) : null;
            if (first != null) {
                add(first, name);
            }
            return;
        }
        if (full || seen.size() >= MOST_NAMES || !seen.add(name)) {
            return;
        }
        String look = look(name);
        String first = firstOfLook.putIfAbsent(look, name);
        if (first != null) {
            add(first, name);
        } else if (isAscii(look)) {
            // The mark first: whoever sees that name from here on finds this one.
            looksLikeAscii = true;
            if (isKnown.test(look)) {
                add(look, name);
            }
        }
    }

    /** The oldest first; a copy. */
    synchronized List<Pair> pairs() {
        return List.copyOf(pairs);
    }

    private void add(String first, String later) {
        if (full || first.equals(later)) {
            return;
        }
        synchronized (this) {
            boolean told = pairs.contains(new Pair(first, later)) || pairs.contains(new Pair(later, first));
            if (!told && pairs.size() < MOST_PAIRS) {
                pairs.add(new Pair(first, later));
                full = pairs.size() == MOST_PAIRS;
            }
        }
    }

    private static boolean isAscii(String name) {
        for (int i = 0; i < name.length(); i++) {
            if (name.charAt(i) > 0x7f) {
                return false;
            }
        }
        return true;
    }

    /** {@return what all names that are drawn the same have in common} */
    static String look(String name) {
        StringBuilder look = new StringBuilder(name.length());
        String composed = Normalizer.normalize(name, Normalizer.Form.NFC);
        composed.codePoints().forEach(c -> {
            Character latin = LATIN.get(c);
            if (latin != null) {
                look.append(latin.charValue());
            } else if (isRaised(c)) {
                look.appendCodePoint(c);
            } else if (!isInvisible(c)) {
                look.append(Normalizer.normalize(Character.toString(c), Normalizer.Form.NFKC));
            }
        });
        return Normalizer.normalize(look, Normalizer.Form.NFC);
    }

    /** Numbers and letters above, below or in a circle: made of others, and not drawn as these. */
    private static boolean isRaised(int c) {
        int type = Character.getType(c);
        return type == Character.OTHER_NUMBER || type == Character.MODIFIER_LETTER;
    }

    private static boolean isInvisible(int c) {
        return Character.getType(c) == Character.FORMAT || (c >= 0xfe00 && c <= 0xfe0f);
    }
}
