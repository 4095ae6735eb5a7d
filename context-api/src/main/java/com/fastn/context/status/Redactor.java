package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The filter that takes secrets out of what a status shows (rule S5). {@value #REDACTED} stands where one was.
 *
 * <p>Two things are taken for a secret: the value of a key that a pattern finds, such as {@code api_key}, also in free text as
 * in {@code password=..}, {@code Cookie: ..} or {@code --token ..}; and a text that looks like one by itself: a JSON web token, a PEM block, an AWS key id, user and
 * password in a URL. Numbers of metrics are no secrets. It is a net with holes: a password under a harmless name looks like
 * any other word.
 *
 * <p>Immutable; use one from any thread.
 */
public final class Redactor {
    /** What stands for a secret. */
    public static final String REDACTED = "(redacted)";

    /** The keys whose values are secrets, unless another pattern is given. */
    public static final Pattern SECRET_KEYS =
            Pattern.compile("(?i)(pass(word|wd)?|pwd|secret|token|api[-_]?key|private[-_]?key"
                    + "|auth|cookie|credential|session[-_]?id)");

    private static final Redactor STANDARD = new Redactor(SECRET_KEYS, null);

    private static final Pattern TOKEN = Pattern.compile("eyJ[A-Za-z0-9_-]{15,}+(\\.[A-Za-z0-9_-]*+){0,2}+"
            + "|(?<![A-Z0-9])(AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA)[A-Z0-9]{16}(?![A-Z0-9])");
    private static final String PEM = "-----BEGIN ";
    private static final String PEM_END = "-----END ";
    private static final String DASHES = "-----";
    private static final Pattern SCHEME = Pattern.compile("(?i)(bearer|basic|digest|token) ++");
    /** Keys of headers whose value may have any number of parts, each of them a secret. */
    private static final Pattern WHOLE_LINE = Pattern.compile("(?i)cookie|authori[sz]ation$");

    private static final Pattern WHOLE_LINE_OF_HEADER = Pattern.compile("(?i)auth$");
    private static final char FIRST_SIGN = ':';
    private static final char LAST_SIGN = 'J';
    private static final int NO_SIGN = 0;
    private static final int TOKEN_SIGN = 1;
    private static final int PEM_SIGN = 2;
    private static final int PAIR_SIGN = 4;
    private static final int KEY_ID_LENGTH = 20;
    private static final int SHORTEST_SECRET_KEY = 3;
    private static final int LONGEST_KEY = 64;
    /** Of so many texts in texts a quote may be, each of which doubles the backslashes before it. */
    private static final int MOST_BACKSLASHES = 15;

    /** More than this nests no datum. */
    private static final int DEEPEST = 100;

    private final Pattern secretKeys;
    private final @Nullable Set<String> shownKeys;

    private Redactor(Pattern secretKeys, @Nullable Set<String> shownKeys) {
        this.secretKeys = secretKeys;
        this.shownKeys = shownKeys;
    }

    /** {@return the filter by {@link #SECRET_KEYS} that shows values of all other keys} */
    public static Redactor standard() {
        return STANDARD;
    }

    /**
     * Makes a filter with other secret keys.
     *
     * @param pattern is looked for anywhere in a key
     * @return the filter
     */
    public Redactor withSecretKeys(Pattern pattern) {
        return new Redactor(requireNonNull(pattern, "pattern"), shownKeys);
    }

    /**
     * Makes a filter that shows the data and the text metrics of some keys only: an allow list. Secrets below them are taken
     * out all the same.
     *
     * @param keys the keys, as a context has them
     * @return the filter
     */
    public Redactor showingOnly(Collection<String> keys) {
        return new Redactor(secretKeys, Set.copyOf(keys));
    }

    /**
     * {@return a text without secrets}
     *
     * @param text any text
     */
    public String text(String text) {
        int signs = 0;
        for (int i = 0; i < text.length(); i++) {
            signs |= signAt(text, i);
        }
        if (signs == NO_SIGN) {
            return text;
        }
        String shown = text;
        if ((signs & TOKEN_SIGN) != 0) {
            shown = TOKEN.matcher(shown).replaceAll(Matcher.quoteReplacement(REDACTED));
        }
        if ((signs & PEM_SIGN) != 0) {
            shown = pems(shown);
        }
        return (signs & PAIR_SIGN) == 0 ? shown : keyValues(urls(shown));
    }

    /**
     * {@return a reason whose message has no secrets}
     *
     * @param reason any reason
     */
    public CancelReason reason(CancelReason reason) {
        String shown = text(reason.message());
        return shown.equals(reason.message()) ? reason : new CancelReason(reason.kind(), shown, reason.source());
    }

    /**
     * {@return data of a context without secrets}
     *
     * @param data String, Number, Boolean, null, List and Map, by key
     */
    public Map<String, @Nullable Object> data(Map<String, ? extends @Nullable Object> data) {
        Map<String, @Nullable Object> shown = new LinkedHashMap<>();
        data.forEach((key, value) -> shown.put(STANDARD.text(key), isHidden(key) ? hide(value) : value(key, value, 0)));
        return shown;
    }

    /**
     * {@return metrics of a context without secrets}
     *
     * @param metrics the metrics, by key
     */
    public Map<String, MetricValue> metrics(Map<String, MetricValue> metrics) {
        Map<String, MetricValue> shown = new LinkedHashMap<>();
        metrics.forEach((key, metric) -> shown.put(STANDARD.text(key), metric(key, metric)));
        return shown;
    }

    private MetricValue metric(String key, MetricValue metric) {
        if (!(metric instanceof MetricValue.Text text)) {
            return metric;
        }
        return MetricValue.text(isHidden(key) || isSecret(key) ? REDACTED : text(text.value()));
    }

    private boolean isHidden(String key) {
        return shownKeys != null && !shownKeys.contains(key);
    }

    @SuppressWarnings("ReferenceEquality") // patterns have no other equality
    private boolean isSecret(String key) {
        if (secretKeys == SECRET_KEYS && key.length() < SHORTEST_SECRET_KEY) {
            return false;
        }
        return secretKeys.matcher(key).find();
    }

    private static @Nullable Object hide(@Nullable Object value) {
        return value == null || value instanceof Boolean ? value : REDACTED;
    }

    private @Nullable Object value(String key, @Nullable Object value, int depth) {
        if (isSecret(key) || depth > DEEPEST) {
            return hide(value);
        }
        if (value instanceof String text) {
            return text(text);
        }
        if (value instanceof List<?> list) {
            List<@Nullable Object> shown = new ArrayList<>(list.size());
            for (Object element : list) {
                shown.add(value("", element, depth + 1));
            }
            return shown;
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> shown = new LinkedHashMap<>();
            map.forEach((name, element) ->
                    shown.put(text(String.valueOf(name)), value(String.valueOf(name), element, depth + 1)));
            return shown;
        }
        return value;
    }

    // --- what a text holds; each in time that grows with the length of the text

    /**
     * {@return what a character may be a sign of: it stands between a key and its value, or in the first letters of a token}
     * Most texts have none, and this is all that they cost.
     */
    private static int signAt(String text, int at) {
        char c = text.charAt(at);
        // All signs but that of an option lie here, and few other characters of a usual name do.
        if (c < FIRST_SIGN) {
            return c == '-' && at > 0 && text.charAt(at - 1) == '-' ? PAIR_SIGN : NO_SIGN;
        }
        return c > LAST_SIGN ? NO_SIGN : kindOfSign(text, at, c);
    }

    private static int kindOfSign(String text, int at, char c) {
        boolean is = switch (c) {
            case '=' -> true;
            case ':' -> at > 0 && !isSeparator(text.charAt(at - 1));
            case 'J' -> at >= 2 && text.charAt(at - 1) == 'y' && text.charAt(at - 2) == 'e';
            case 'B' -> at >= 1 && text.charAt(at - 1) == '-';
            case 'A' -> text.length() - at >= KEY_ID_LENGTH && Character.isUpperCase(text.charAt(at + 1));
            default -> false;
        };
        if (!is) {
            return NO_SIGN;
        }
        return c == 'B' ? PEM_SIGN : Character.isLetter(c) ? TOKEN_SIGN : PAIR_SIGN;
    }

    private static boolean isSeparator(char c) {
        return c == '/' || c == '.' || c == ':';
    }

    private static String pems(String text) {
        int begin = text.indexOf(PEM);
        if (begin < 0) {
            return text;
        }
        StringBuilder shown = new StringBuilder();
        int from = 0;
        for (; begin >= 0; begin = text.indexOf(PEM, from)) {
            shown.append(text, from, begin).append(REDACTED);
            int end = text.indexOf(PEM_END, begin);
            int last = end < 0 ? -1 : text.indexOf(DASHES, end + PEM_END.length());
            if (last < 0) {
                return shown.toString();
            }
            from = last + DASHES.length();
        }
        return shown.append(text, from, text.length()).toString();
    }

    private static String urls(String text) {
        StringBuilder shown = null;
        int copied = 0;
        for (int at = text.indexOf("://"); at >= 0; at = text.indexOf("://", at + 3)) {
            int start = at + 3;
            int end = start;
            int lastAt = -1;
            boolean colon = false;
            for (; end < text.length() && !endsAuthority(text.charAt(end)); end++) {
                lastAt = text.charAt(end) == '@' ? end : lastAt;
                colon |= text.charAt(end) == ':';
            }
            if (lastAt > start && colon) {
                shown = shown == null ? new StringBuilder() : shown;
                shown.append(text, copied, start).append(REDACTED);
                copied = lastAt;
            }
            at = Math.max(at, end - 3);
        }
        return shown == null ? text : shown.append(text, copied, text.length()).toString();
    }

    private static boolean endsAuthority(char c) {
        return c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' || c == '<' || c == '>' || c <= ' ';
    }

    /** {@code password=x}, {@code "token": "x"}, {@code Authorization: Bearer x}, {@code --password x}. */
    private String keyValues(String text) {
        StringBuilder shown = null;
        int copied = 0;
        for (int i = 0; i < text.length(); i++) {
            if (i < copied) {
                continue;
            }
            int begin = beginOfSecret(text, i);
            if (begin < 0) {
                continue;
            }
            int end = text.charAt(i) == '-' ? endOfValue(text, begin) : endOfValue(text, i, begin);
            if (end > begin && (end > begin + REDACTED.length() || !text.startsWith(REDACTED, begin))) {
                shown = shown == null ? new StringBuilder() : shown;
                shown.append(text, copied, begin).append(REDACTED);
                copied = end;
            }
        }
        return shown == null ? text : shown.append(text, copied, text.length()).toString();
    }

    /** {@return where the secret begins that a separator or an option tells of, or a negative number} */
    private int beginOfSecret(String text, int at) {
        char c = text.charAt(at);
        if (c == '-') {
            return beginOfOption(text, at);
        }
        if ((c != '=' && c != ':') || !isSecret(keyBefore(text, at))) {
            return -1;
        }
        int begin = at + 1;
        while (begin < text.length() && isArrow(text.charAt(begin))) {
            begin++;
        }
        return afterSpaces(text, begin);
    }

    /** {@code --password x}, also as a list of arguments shows it: {@code --password, x}. */
    private int beginOfOption(String text, int at) {
        if (!text.startsWith("--", at) || (at > 0 && isKeyPart(text.charAt(at - 1)))) {
            return -1;
        }
        int end = at + 2;
        while (end < text.length() && end - at <= LONGEST_KEY && isKeyPart(text.charAt(end))) {
            end++;
        }
        int after = end < text.length() && isQuote(text.charAt(end)) ? end + 1 : end;
        after = after < text.length() && text.charAt(after) == ',' ? after + 1 : after;
        int begin = afterSpaces(text, after);
        boolean apart = begin > after || (after > end && text.charAt(after - 1) == ',');
        boolean another = begin < text.length() && text.charAt(begin) == '-';
        return apart && !another && isSecret(text.substring(at + 2, end)) ? begin : -1;
    }

    private static int afterSpaces(String text, int from) {
        int at = from;
        while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            at++;
        }
        return at;
    }

    private static String keyBefore(String text, int separator) {
        int end = separator;
        while (end > 0 && text.charAt(end - 1) == ' ') {
            end--;
        }
        if (end > 0 && isQuote(text.charAt(end - 1))) {
            end--;
            for (int i = 0; i < MOST_BACKSLASHES && end > 0 && text.charAt(end - 1) == '\\'; i++) {
                end--;
            }
        }
        int start = end;
        while (start > 0 && end - start < LONGEST_KEY && isKeyPart(text.charAt(start - 1))) {
            start--;
        }
        return text.substring(start, end);
    }

    /** The end of the value of a key, which for some keys is that of the line. */
    private static int endOfValue(String text, int separator, int begin) {
        boolean simple = begin >= text.length() || quoteAt(text, begin) >= 0 || isOpening(text.charAt(begin));
        if (!simple && !isShown(text, begin)) {
            String key = keyBefore(text, separator);
            if (WHOLE_LINE.matcher(key).find()
                    || (text.charAt(separator) == ':'
                            && WHOLE_LINE_OF_HEADER.matcher(key).find())) {
                return endOfLine(text, begin);
            }
        }
        return endOfValue(text, begin);
    }

    /** {@return whether the whole value was taken out before} */
    private static boolean isShown(String text, int begin) {
        int after = begin + REDACTED.length();
        return text.startsWith(REDACTED, begin)
                && (after >= text.length() || (text.charAt(after) != ';' && text.charAt(after) != ' '));
    }

    private static int endOfLine(String text, int begin) {
        int end = begin;
        while (end < text.length() && text.charAt(end) != '\n' && text.charAt(end) != '\r') {
            end++;
        }
        return end;
    }

    private static int endOfValue(String text, int begin) {
        int quote = quoteAt(text, begin);
        if (quote >= 0) {
            return endOfQuoted(text, begin, quote);
        }
        if (begin < text.length() && isOpening(text.charAt(begin))) {
            return endOfBrackets(text, begin);
        }
        Matcher scheme = SCHEME.matcher(text).region(begin, text.length());
        int end = scheme.lookingAt() ? scheme.end() : begin;
        while (end < text.length() && !endsValue(text.charAt(end))) {
            end++;
        }
        return end;
    }

    /** {@return where the quote stands that begins a value, which in a text in a text has backslashes before it} */
    private static int quoteAt(String text, int begin) {
        int at = begin;
        while (at < text.length() && at - begin < MOST_BACKSLASHES && text.charAt(at) == '\\') {
            at++;
        }
        return at < text.length() && isQuote(text.charAt(at)) ? at : -1;
    }

    private static int endOfQuoted(String text, int begin, int quote) {
        char sign = text.charAt(quote);
        int before = quote - begin;
        int backslashes = 0;
        for (int i = quote + 1; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                backslashes++;
                continue;
            }
            if (c == sign) {
                if (backslashes < before) {
                    // The end of the text around it.
                    return i - backslashes;
                }
                if (backslashes % (2 * (before + 1)) == before) {
                    boolean doubled = before == 0 && i + 1 < text.length() && text.charAt(i + 1) == sign;
                    if (!doubled) {
                        return i + 1;
                    }
                    i++;
                }
            }
            backslashes = 0;
        }
        return text.length();
    }

    private static int endOfBrackets(String text, int begin) {
        int depth = 0;
        int at = begin;
        while (at < text.length()) {
            char c = text.charAt(at);
            int quote = c == '"' || c == '\\' ? quoteAt(text, at) : -1;
            if (quote >= 0) {
                at = endOfQuoted(text, at, quote);
                continue;
            }
            at++;
            if (isOpening(c)) {
                depth++;
            } else if (c == ']' || c == '}') {
                depth--;
                if (depth == 0) {
                    return at;
                }
            }
        }
        return at;
    }

    private static boolean isOpening(char c) {
        return c == '[' || c == '{';
    }

    private static boolean isArrow(char c) {
        return c == '=' || c == '>' || c == ':';
    }

    private static boolean endsValue(char c) {
        return c <= ' ' || c == ',' || c == ';' || c == '&' || c == ')' || c == ']' || c == '}';
    }

    private static boolean isQuote(char c) {
        return c == '"' || c == '\'';
    }

    private static boolean isKeyPart(char c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '-' || c == '.';
    }
}
