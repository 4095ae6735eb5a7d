package com.fastn.context.status;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Durations, sizes and counts as people read them. What is not known is a question mark. */
public final class HumanText {
    static final String UNKNOWN = "?";

    private static final String[] BYTE_UNITS = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    private static final List<String> PLURALS_IN_ES = List.of("sses", "shes", "tches", "rches", "nches", "xes");
    private static final Set<String> NO_PLURALS = Set.of("series", "species");
    private static final Set<String> PLURALS_IN_IE = Set.of("cookies", "movies", "zombies");

    private HumanText() {}

    /** {@return such as {@code 0.1s}, {@code 30s}, {@code 2h 15m 32s}; never more than has passed} */
    public static String duration(Duration duration) {
        if (duration.isNegative()) {
            return "0s";
        }
        long seconds = duration.toSeconds();
        if (seconds < 60) {
            int tenth = duration.toMillisPart() / 100;
            return tenth == 0 ? seconds + "s" : seconds + "." + tenth + "s";
        }
        long[] parts = {seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60};
        int first = 0;
        while (parts[first] == 0) {
            first++;
        }
        int last = Math.min(first + 2, parts.length - 1);
        while (parts[last] == 0) {
            last--;
        }
        StringBuilder text = new StringBuilder();
        for (int i = first; i <= last; i++) {
            text.append(i == first ? "" : " ").append(parts[i]).append("dhms".charAt(i));
        }
        return text.toString();
    }

    /** {@return such as {@code 80ms}; from a second on as {@link #duration}} */
    static String fineDuration(Duration duration) {
        if (duration.isNegative() || duration.toSeconds() > 0) {
            return duration(duration);
        }
        long millis = duration.toMillis();
        return millis == 0 && !duration.isZero() ? "<1ms" : millis + "ms";
    }

    /** {@return such as {@code 15.2MB}, {@code 125KB}, in decimal units} */
    static String bytes(long bytes) {
        double size = bytes;
        int unit = 0;
        while (Math.abs(rounded(size)) >= 1_000 && unit < BYTE_UNITS.length - 1) {
            size /= 1_000;
            unit++;
        }
        double shown = rounded(size);
        long tenths = Math.round(shown * 10);
        String number = tenths % 10 == 0 ? Long.toString(tenths / 10) : Double.toString(tenths / 10.0);
        return number + BYTE_UNITS[unit];
    }

    private static double rounded(double size) {
        double tenths = Math.round(size * 10) / 10.0;
        return Math.abs(tenths) < 100 ? tenths : Math.round(size);
    }

    /** {@return such as {@code 2.1GB/16GB (13%)}, as much of it as is known} */
    static String share(@Nullable Long used, @Nullable Long total) {
        if (used == null && total == null) {
            return UNKNOWN;
        }
        String share = (used == null ? UNKNOWN : bytes(used)) + "/" + (total == null ? UNKNOWN : bytes(total));
        return used == null || total == null || total <= 0
                ? share
                : share + " (" + Math.round(100.0 * used / total) + "%)";
    }

    /** {@return such as {@code 12.3%}} */
    static String percent(@Nullable Double percent) {
        return percent == null || !Double.isFinite(percent) ? UNKNOWN : number(Math.round(percent * 10) / 10.0) + "%";
    }

    /** {@return such as {@code 0.8}, always with one decimal} */
    static String load(double load) {
        return Double.isFinite(load) && load >= 0
                ? BigDecimal.valueOf(load).setScale(1, RoundingMode.HALF_UP).toPlainString()
                : UNKNOWN;
    }

    /** {@return the count with thousands separators} */
    public static String count(long count) {
        // By hand: a command that draws one status and ends would spend most of its time in a formatter that is still
        // cold.
        String digits = Long.toString(count);
        int first = count < 0 ? 1 : 0;
        if (digits.length() - first <= 3) {
            return digits;
        }
        StringBuilder text = new StringBuilder(digits.length() + 6);
        for (int i = 0; i < digits.length(); i++) {
            if (i > first && (digits.length() - i) % 3 == 0) {
                text.append(',');
            }
            text.append(digits.charAt(i));
        }
        return text.toString();
    }

    /** {@return a count and what it counts, such as {@code 1 command} or {@code 1,234 requests}} */
    static String count(long count, String name) {
        return count(count) + " " + (count == 1 ? singular(words(name)) : words(name));
    }

    /** {@return a number with thousands separators and only the decimals that say something} */
    static String number(double number) {
        if (!Double.isFinite(number)) {
            return Double.isNaN(number) ? UNKNOWN : number > 0 ? "∞" : "-∞";
        }
        double size = Math.abs(number);
        if (size != 0 && (size >= 1e15 || size < 1e-6)) {
            return Double.toString(number);
        }
        BigDecimal exact = BigDecimal.valueOf(number);
        BigDecimal shown = size < 1
                ? exact.round(new MathContext(2, RoundingMode.HALF_UP))
                : exact.setScale(2, RoundingMode.HALF_UP);
        String plain = shown.stripTrailingZeros().toPlainString();
        int point = plain.indexOf('.');
        String decimals = point < 0 ? "" : plain.substring(point);
        String whole = point < 0 ? plain : plain.substring(0, point);
        return whole.equals("-0") ? plain : count(Long.parseLong(whole)) + decimals;
    }

    /** {@return a name with spaces for its underscores} */
    static String words(String name) {
        return name.replace('_', ' ');
    }

    /** {@return the words with the last plural among them made singular: {@code users joined} gives {@code user joined}} */
    static String singular(String words) {
        int end = words.length();
        while (end > 0) {
            int start = words.lastIndexOf(' ', end - 1) + 1;
            String word = words.substring(start, end);
            String one = singularWord(word);
            if (!one.equals(word)) {
                return words.substring(0, start) + one + words.substring(end);
            }
            end = start - 1;
        }
        return words;
    }

    private static String singularWord(String word) {
        String lower = word.toLowerCase(Locale.ROOT);
        int length = word.length();
        if (length < 3 || lower.endsWith("ss") || lower.endsWith("us") || lower.endsWith("is")) {
            return word;
        }
        if (!lower.endsWith("s") || NO_PLURALS.contains(lower)) {
            return word;
        }
        if (length > 4 && lower.endsWith("ies") && !PLURALS_IN_IE.contains(lower)) {
            return word.substring(0, length - 3) + "y";
        }
        return word.substring(0, length - (PLURALS_IN_ES.stream().anyMatch(lower::endsWith) ? 2 : 1));
    }
}
