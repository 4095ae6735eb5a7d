package com.fastn.context.vertx;

import java.util.concurrent.ConcurrentHashMap;

/**
 * Names of bounded number for event bus messages: the address, with {@code :id} for each part between two dots that is a
 * value, as in {@code user.:id}.
 */
final class AddressNames {
    private static final int MOST_PARTS = 8;
    private static final int LONGEST_WORD = 64;
    private static final int UUID_CHARS = 32;

    private final LearnedWords words = new LearnedWords("", ".");

    // Those that are all words: there are no more of them than words are learned.
    private final ConcurrentHashMap<String, Known> known = new ConcurrentHashMap<>();

    /** An address that was its own name when words had become values so often. */
    private record Known(LearnedWords.Place place, int folds) {}

    String name(String address) {
        Known learned = known.get(address);
        if (learned == null || learned.folds != words.folds()) {
            return read(address);
        }
        learned.place.seen();
        return address;
    }

    private String read(String address) {
        int folds = words.folds();
        LearnedWords.Place place = words.first();
        int parts = 0;
        int at = 0;
        while (at >= 0 && parts < MOST_PARTS) {
            int dot = address.indexOf('.', at);
            int end = dot < 0 ? address.length() : dot;
            place = isWord(address, at, end) ? place.word(address.substring(at, end)) : place.value();
            parts++;
            at = dot < 0 ? -1 : dot + 1;
        }
        if (at >= 0) {
            place = place.rest();
        }
        place.seen();
        if (place.text().equals(address)) {
            known.put(address, new Known(place, folds));
            return address;
        }
        return place.text();
    }

    private static boolean isWord(String address, int from, int to) {
        boolean digits = false;
        boolean others = from == to;
        for (int i = from; i < to && i - from < LONGEST_WORD; i++) {
            char c = address.charAt(i);
            digits |= c >= '0' && c <= '9';
            others |= c < '0' || c > '9';
        }
        return others && to - from <= LONGEST_WORD && !(digits && to - from >= UUID_CHARS);
    }
}
