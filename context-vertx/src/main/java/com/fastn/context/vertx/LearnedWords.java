package com.fastn.context.vertx;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Tells the words of an application from the values of its users, in texts that are made of both such as {@code
 * /users/alice}: where more than {@link #MOST_WORDS} different ones have stood, or as many as are said to be usual, what stands
 * there is a value from then on.
 * Those that stood there so much more often than the others that they must be words stay words, as that of a route does
 * when somebody tries out whatever could be there.
 *
 * <p>All that is ever learned is bounded by {@link #MOST_IN_ALL}; what comes later is a value.
 */
final class LearnedWords {
    static final int MOST_WORDS = 64;
    static final int MOST_IN_ALL = 4_096;

    /** What stood somewhere so often is no stranger any more; it is counted no further. */
    static final int ENOUGH = 64;

    private static final int SELDOM = 16;
    private static final String VALUE = ":id";
    private static final String REST = "*";

    private final String separator;
    private final int mostFirst;
    private final int mostWords;
    private final Place first;
    private volatile int folds;
    // Written under the monitor.
    private volatile int learned;
    // Counted without care, as it need not be exact.
    private int namesKept;

    /**
     * Begins with nothing learned.
     *
     * @param beginning stands before the first word of a text
     * @param separator stands between two words
     */
    LearnedWords(String beginning, String separator) {
        this(beginning, separator, MOST_WORDS);
    }

    /** The same where as many different words as this may stand in one place. */
    LearnedWords(String beginning, String separator, int mostWords) {
        this(beginning, separator, mostWords, mostWords);
    }

    /**
     * The same where fewer may stand first than behind that. Where all that may be learned is learned, what stands first is a value,
     * as each word there has others of its own behind it, and these are learned once more below the value.
     */
    LearnedWords(String beginning, String separator, int mostFirst, int mostWords) {
        this.separator = separator;
        this.mostFirst = mostFirst;
        this.mostWords = mostWords;
        this.first = new Place(null, beginning);
    }

    /** What stands before the first word of a text. */
    Place first() {
        return first;
    }

    /** How often words have become values so far. */
    int folds() {
        return folds;
    }

    /** Some words and values, as they begin a text. */
    final class Place {
        private final @Nullable Place before;
        private final String text;
        private final ConcurrentHashMap<String, Place> words = new ConcurrentHashMap<>(4);
        private final ConcurrentHashMap<String, String> names = new ConcurrentHashMap<>(2);
        private volatile boolean full;
        private volatile @Nullable Place value;
        private volatile @Nullable Place rest;
        // Counted without care: it need not be right, and what is used much must cost nothing.
        private int times;

        private Place(@Nullable Place before, String text) {
            this.before = before;
            this.text = text;
        }

        /** The same with one more word, or with a value when it is none. */
        Place word(String next) {
            Place known = words.get(next);
            return known != null
                    ? known
                    : full || (learned >= MOST_IN_ALL && !mayFoldFirst()) ? value() : learn(this, next);
        }

        /** The same with one more value. */
        Place value() {
            Place known = value;
            return known != null ? known : withValue(this);
        }

        /** The same with whatever follows. */
        Place rest() {
            Place known = rest;
            return known != null ? known : withRest(this);
        }

        /** Notes that a text was this one. */
        void seen() {
            for (Place at = this; at != null; at = at.before) {
                if (at.times < ENOUGH) {
                    at.times++;
                }
            }
        }

        /** What is written for it; {@code :id} for a value. */
        String text() {
            return text;
        }

        /** The text after a word of a different sort, of which there are few; made once, unless there are too many by now. */
        String textAfter(String prefix) {
            String known = names.get(prefix);
            if (known != null) {
                return known;
            }
            String made = prefix + ' ' + text;
            if (namesKept < 2 * MOST_IN_ALL) {
                namesKept++;
                names.put(prefix, made);
            }
            return made;
        }

        private Place with(String next) {
            return new Place(this, before == null ? text + next : text + separator + next);
        }
    }

    private boolean mayFoldFirst() {
        return mostFirst < mostWords && !first.full;
    }

    private synchronized Place learn(Place place, String word) {
        Place known = place.words.get(word);
        if (known != null) {
            return known;
        }
        if (place.words.size() >= (place == first ? mostFirst : mostWords) && !place.full) {
            fold(place);
        }
        if (learned >= MOST_IN_ALL && mayFoldFirst()) {
            fold(first);
            if (place != first) {
                // It may be one of those that are forgotten.
                return place.value();
            }
        }
        if (place.full || learned >= MOST_IN_ALL) {
            return place.value();
        }
        learned = learned + 1;
        Place next = place.with(word);
        place.words.put(word, next);
        return next;
    }

    /** What is below those that are values now is forgotten: it is learned once more, below a value. */
    private synchronized void fold(Place place) {
        place.full = true;
        List<Integer> times = new ArrayList<>();
        place.words.values().forEach(word -> times.add(word.times));
        times.sort(null);
        boolean mostAreSeldom = times.get(times.size() / 2) < SELDOM;
        int before = mostFirst < mostWords && place == first ? wordsFrom(place) : 0;
        place.words.values().removeIf(word -> !mostAreSeldom || word.times < ENOUGH);
        if (before > 0) {
            // Once in its life, so what is ever learned is bounded all the same.
            learned = learned - (before - wordsFrom(place));
        }
        folds++;
    }

    private static int wordsFrom(Place place) {
        int count = 0;
        for (Place word : place.words.values()) {
            count += 1 + wordsFrom(word);
        }
        Place value = place.value;
        return value == null ? count : count + wordsFrom(value);
    }

    private synchronized Place withValue(Place place) {
        Place known = place.value;
        if (known == null) {
            known = place.with(VALUE);
            place.value = known;
        }
        return known;
    }

    private synchronized Place withRest(Place place) {
        Place known = place.rest;
        if (known == null) {
            known = place.with(REST);
            place.rest = known;
        }
        return known;
    }
}
