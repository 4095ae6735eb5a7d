package com.fastn.context.engine;

import com.fastn.context.status.Redactor;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Makes names safe: any text is accepted, none is long, empty or broken (rule M6), and none keeps what looks like a secret
 * (rule S5). Every text that stands in the tree comes in through this door, so that it is the same wherever it is shown.
 */
final class Names {
    static final int MAX_CODE_POINTS = 256;
    static final int MAX_UTF8_BYTES = 1024;
    private static final String UNNAMED = "(unnamed)";
    // Whoever chooses names must not find two that are one: so it is a part of a hash that nobody finds pairs for.
    private static final int HASH_BYTES = 12;
    private static final int SUFFIX_LENGTH = 1 + 2 * HASH_BYTES;
    private static final int WINDOW = 1_024;
    // Enough that a secret which begins within the limit is seen for what it is.
    private static final int LONGEST_LOOK = 4 * MAX_UTF8_BYTES;

    private Names() {}

    /** For what is shown. Two that differ in what was taken out become one, so what must stay apart is kept by {@link #bounded}. */
    static String clean(String name) {
        String head = name.length() <= LONGEST_LOOK ? name : name.substring(0, LONGEST_LOOK);
        String shown = Redactor.standard().text(head);
        return bounded(shown.equals(head) ? name : shown);
    }

    /** For what is a key and never shown so: it may hold a secret. */
    static String bounded(String name) {
        if (name.isEmpty()) {
            return UNNAMED;
        }
        // The usual case: short and without surrogates. Nothing is copied.
        return name.length() <= MAX_CODE_POINTS && isPlain(name) ? name : cut(name);
    }

    private static boolean isPlain(String name) {
        for (int i = 0; i < name.length(); i++) {
            if (name.charAt(i) > 0x7f) {
                return false;
            }
        }
        return true;
    }

    /** Walks at most the limit, so that a name of 10 MB costs no more than one of 1 kB. */
    private static String cut(String name) {
        StringBuilder clean = new StringBuilder(Math.min(name.length(), MAX_CODE_POINTS));
        int[] cutAt = {0};
        int bytes = 0;
        int codePoints = 0;
        int i = 0;
        while (i < name.length()) {
            int c = name.codePointAt(i);
            boolean lone = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
            int shown = lone ? 0xFFFD : c;
            bytes += shown < 0x80 ? 1 : shown < 0x800 ? 2 : shown < 0x10000 ? 3 : 4;
            codePoints++;
            if (codePoints > MAX_CODE_POINTS || bytes > MAX_UTF8_BYTES) {
                clean.setLength(cutAt[0]);
                return clean.append('~').append(hash(name)).toString();
            }
            clean.appendCodePoint(shown);
            if (codePoints <= MAX_CODE_POINTS - SUFFIX_LENGTH && bytes <= MAX_UTF8_BYTES - SUFFIX_LENGTH) {
                cutAt[0] = clean.length();
            }
            i += Character.charCount(c);
        }
        return clean.toString();
    }

    /**
     * A hash of the whole name, or of a very long one of its length, its first and last part, and characters at even steps
     * between these: two of those that differ elsewhere only are one.
     */
    private static String hash(String name) {
        int length = name.length();
        ByteBuffer looked = ByteBuffer.allocate(Integer.BYTES + 3 * WINDOW * Character.BYTES);
        looked.putInt(length);
        if (length <= 3 * WINDOW) {
            put(looked, name, 0, length);
        } else {
            put(looked, name, 0, WINDOW);
            long between = length - 2L * WINDOW;
            for (int i = 0; i < WINDOW; i++) {
                looked.putChar(name.charAt((int) (WINDOW + i * between / WINDOW)));
            }
            put(looked, name, length - WINDOW, length);
        }
        MessageDigest digest = sha256();
        digest.update(looked.flip());
        return HexFormat.of().formatHex(digest.digest(), 0, HASH_BYTES);
    }

    private static void put(ByteBuffer to, String name, int from, int end) {
        for (int i = from; i < end; i++) {
            to.putChar(name.charAt(i));
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256, which every one has to have", e);
        }
    }
}
