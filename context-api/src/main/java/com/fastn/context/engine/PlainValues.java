package com.fastn.context.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.POJONode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Values that JSON can say, copied and frozen: String, Boolean, numbers, null, List, Map. */
final class PlainValues {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int MAX_DEPTH = 64;

    private PlainValues() {}

    /** Copies a value, or throws with the place and the class of what JSON cannot say. */
    static @Nullable Object freeze(String key, @Nullable Object value) {
        return freeze(key, value, 0);
    }

    private static @Nullable Object freeze(String where, @Nullable Object value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("data \"" + where + "\" is nested deeper than " + MAX_DEPTH
                    + " levels (does it contain itself?); store a flatter value");
        }
        if (value == null || value instanceof String || value instanceof Boolean) {
            return value;
        }
        if (value instanceof Number number) {
            return freezeNumber(where, number);
        }
        if (value instanceof JsonNode node) {
            return freezeJson(where, node, depth);
        }
        if (value instanceof List<?> list) {
            List<@Nullable Object> copy = new ArrayList<>(list.size());
            for (Object element : list) {
                copy.add(freeze(where, element, depth + 1));
            }
            return Collections.unmodifiableList(copy);
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> copy = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                if (!(entry.getKey() instanceof String name)) {
                    throw new IllegalArgumentException("data \"" + where + "\" has a map key that is no String: "
                            + (entry.getKey() == null
                                    ? "null"
                                    : entry.getKey().getClass().getName()));
                }
                copy.put(name, freeze(where + "." + name, entry.getValue(), depth + 1));
            }
            return Collections.unmodifiableMap(copy);
        }
        throw refused(where, value);
    }

    private static Object freezeNumber(String where, Number number) {
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
        if (number instanceof BigInteger || number instanceof BigDecimal) {
            return number;
        }
        throw refused(where, number);
    }

    private static @Nullable Object freezeJson(String where, JsonNode node, int depth) {
        if (node instanceof POJONode || node instanceof BinaryNode) {
            throw refused(where, node);
        }
        if (node.isNull() || node.isMissingNode()) {
            return null;
        }
        if (node.isTextual()) {
            return node.textValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isNumber()) {
            return freezeNumber(where, node.numberValue());
        }
        if (node.isArray()) {
            List<@Nullable Object> elements = new ArrayList<>(node.size());
            node.forEach(elements::add);
            return freeze(where, elements, depth);
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        node.fieldNames().forEachRemaining(name -> fields.put(name, node.get(name)));
        return freeze(where, fields, depth);
    }

    private static IllegalArgumentException refused(String where, Object value) {
        return new IllegalArgumentException("data \"" + where + "\" is a "
                + value.getClass().getName()
                + ", which is no JSON value; store a String, Number, Boolean, null, List, Map or JsonNode");
    }

    static JsonNode toJson(@Nullable Object frozen) {
        return MAPPER.valueToTree(frozen);
    }
}
