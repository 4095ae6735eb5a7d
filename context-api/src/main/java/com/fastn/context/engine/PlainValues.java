package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.POJONode;
import com.fastn.context.status.MetricValue;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Values that JSON can say, copied and frozen: String, Boolean, numbers, null, List, Map. One value has so many elements and
 * so much text at most; what is beyond is cut, and how much that is stands in its place.
 */
final class PlainValues {
    static final int MOST_ELEMENTS = 10_000;
    // With the words about what was cut it is less than a reader takes for one text.
    static final int MOST_CHARACTERS = 60_000;
    static final int MOST_BITS = 4_096;
    static final int LARGEST_SCALE = 10_000;
    /** The key in a map that was cut, with how many entries are missing. */
    static final String MORE = "(more)";

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int MAX_DEPTH = 64;

    private int elementsLeft = MOST_ELEMENTS;
    private int charactersLeft = MOST_CHARACTERS;
    private boolean cut;

    private PlainValues() {}

    /** Where in a value something stands; the text of it is made when it is asked for. */
    private record Place(@Nullable Place in, String name) {
        @Override
        public String toString() {
            List<String> names = new ArrayList<>();
            for (Place at = this; at != null; at = at.in) {
                names.add(Names.clean(at.name));
            }
            Collections.reverse(names);
            return String.join(".", names);
        }
    }

    /** Copies a value, or throws with the place and the class of what JSON cannot say. */
    static @Nullable Object freeze(EngineRuntime runtime, String key, @Nullable Object value) {
        PlainValues budget = new PlainValues();
        Object frozen = budget.freeze(new Place(null, key), value, 0);
        if (budget.cut) {
            tooLarge(runtime);
        }
        return frozen;
    }

    /** The same for a metric, of which only a text can be large. */
    static MetricValue freeze(EngineRuntime runtime, MetricValue metric) {
        if (!(metric instanceof MetricValue.Text text) || text.value().length() <= MOST_CHARACTERS) {
            return metric;
        }
        tooLarge(runtime);
        return MetricValue.text(new PlainValues().text(text.value()));
    }

    private static void tooLarge(EngineRuntime runtime) {
        runtime.misuse("a datum or metric was larger than " + MOST_ELEMENTS + " elements, " + MOST_CHARACTERS
                + " characters or numbers of " + MOST_BITS + " bits; it was cut. Store what an operator looks at");
    }

    private @Nullable Object freeze(Place where, @Nullable Object value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("data \"" + where + "\" is nested deeper than " + MAX_DEPTH
                    + " levels (does it contain itself?); store a flatter value");
        }
        if (value == null || value instanceof Boolean) {
            return value;
        }
        if (value instanceof String text) {
            return text(text);
        }
        if (value instanceof Number number) {
            return number(where, number);
        }
        if (value instanceof JsonNode node) {
            return json(where, node, depth);
        }
        if (value instanceof List<?> list) {
            return list(where, list.iterator(), list.size(), depth);
        }
        if (value instanceof Map<?, ?> map) {
            return map(where, map.entrySet().iterator(), map.size(), depth);
        }
        throw refused(where, value);
    }

    private String text(String text) {
        if (text.length() <= charactersLeft) {
            charactersLeft -= text.length();
            return text;
        }
        int kept = charactersLeft;
        if (kept > 0 && Character.isHighSurrogate(text.charAt(kept - 1))) {
            kept--;
        }
        nothingMore();
        return text.substring(0, kept) + "(+" + (text.length() - kept) + " more characters)";
    }

    /** Once something is cut, what comes later is cut too: otherwise the words about it would be what is large. */
    private void nothingMore() {
        cut = true;
        charactersLeft = 0;
        elementsLeft = 0;
    }

    private List<@Nullable Object> list(Place where, Iterator<?> elements, int size, int depth) {
        List<@Nullable Object> copy = new ArrayList<>(Math.max(0, Math.min(size, elementsLeft)));
        while (elements.hasNext()) {
            if (elementsLeft == 0) {
                nothingMore();
                copy.add("(+" + Math.max(1, size - copy.size()) + " more)");
                break;
            }
            elementsLeft--;
            copy.add(freeze(where, elements.next(), depth + 1));
        }
        return Collections.unmodifiableList(copy);
    }

    private Map<String, @Nullable Object> map(
            Place where, Iterator<? extends Map.Entry<?, ?>> entries, int size, int depth) {
        Map<String, @Nullable Object> copy = new LinkedHashMap<>();
        while (entries.hasNext()) {
            Map.Entry<?, ?> entry = entries.next();
            if (!(entry.getKey() instanceof String name)) {
                throw new IllegalArgumentException("data \"" + where + "\" has a map key that is no String: "
                        + (entry.getKey() == null
                                ? "null"
                                : entry.getKey().getClass().getName()));
            }
            if (elementsLeft == 0 || name.length() > charactersLeft) {
                nothingMore();
                copy.put(MORE, (long) Math.max(1, size - copy.size()));
                break;
            }
            elementsLeft--;
            charactersLeft -= name.length();
            copy.put(name, freeze(new Place(where, name), entry.getValue(), depth + 1));
        }
        return Collections.unmodifiableMap(copy);
    }

    private Object number(Place where, Number number) {
        if (number instanceof Double || number instanceof Float) {
            double d = number.doubleValue();
            if (Double.isNaN(d) || Double.isInfinite(d)) {
                throw new IllegalArgumentException(
                        "data \"" + where + "\" is " + d + ", which JSON cannot say; store null or a text");
            }
            return d;
        }
        if (number instanceof Integer
                || number instanceof Long
                || number instanceof Short
                || number instanceof Byte
                || number instanceof AtomicInteger
                || number instanceof AtomicLong) {
            return number.longValue();
        }
        if (number instanceof BigInteger large) {
            BigInteger exact = plain(large);
            return fits(exact, 0) ? exact : text("(an integer of " + exact.bitLength() + " bits)");
        }
        if (number instanceof BigDecimal decimal) {
            BigInteger unscaled = plain(decimal.unscaledValue());
            int scale = decimal.scale();
            return fits(unscaled, scale)
                    ? new BigDecimal(unscaled, scale)
                    : text("(a decimal number of " + unscaled.bitLength() + " bits with scale " + scale + ")");
        }
        throw refused(where, number);
    }

    /** A subclass may answer anything at any time, so what is kept is of the class itself. */
    private static BigInteger plain(BigInteger large) {
        return large.getClass() == BigInteger.class
                ? large
                : new BigInteger(requireNonNull(large.toByteArray(), "toByteArray()"));
    }

    private boolean fits(BigInteger unscaled, int scale) {
        // A digit is a little more than three bits.
        int digits = unscaled.bitLength() / 3 + 1;
        boolean fits = unscaled.bitLength() <= MOST_BITS
                && scale <= LARGEST_SCALE
                && scale >= -LARGEST_SCALE
                && digits <= charactersLeft;
        if (fits) {
            charactersLeft -= digits;
        } else {
            cut = true;
        }
        return fits;
    }

    private @Nullable Object json(Place where, JsonNode node, int depth) {
        if (node instanceof POJONode || node instanceof BinaryNode) {
            throw refused(where, node);
        }
        if (node.isNull() || node.isMissingNode()) {
            return null;
        }
        if (node.isTextual()) {
            return text(node.textValue());
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isNumber()) {
            return number(where, node.numberValue());
        }
        return node.isArray()
                ? list(where, node.elements(), node.size(), depth)
                : map(where, node.properties().iterator(), node.size(), depth);
    }

    private static IllegalArgumentException refused(Place where, Object value) {
        return new IllegalArgumentException("data \"" + where + "\" is a "
                + value.getClass().getName()
                + ", which is no JSON value; store a String, Number, Boolean, null, List, Map or JsonNode");
    }

    static JsonNode toJson(@Nullable Object frozen) {
        return MAPPER.valueToTree(frozen);
    }
}
