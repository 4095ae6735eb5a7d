package com.fastn.context.status;

import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Metrics, counters and data of a context out of JSON tokens. */
final class ContextValuesReader {
    private final JsonTokens in;

    ContextValuesReader(JsonTokens in) {
        this.in = in;
    }

    Map<String, MetricValue> metrics() throws IOException {
        Map<String, MetricValue> metrics = new LinkedHashMap<>();
        in.requireObject("metrics");
        for (String key = in.nextField(); key != null; key = in.nextField()) {
            MetricValue metric = metric();
            if (metric != null) {
                metrics.put(key, metric);
            }
        }
        return metrics;
    }

    /** {@return the metric, or {@code null} for a type that is not known here} */
    private @Nullable MetricValue metric() throws IOException {
        String type = null;
        Long integer = null;
        Double number = null;
        String text = null;
        Duration length = null;
        in.requireObject("a metric");
        for (String name = in.nextField(); name != null; name = in.nextField()) {
            switch (name) {
                case "type" -> type = in.string(name);
                case "value_ms" -> length = in.duration(name);
                case "value" -> {
                    JsonToken token = in.json.currentToken();
                    if (token == JsonToken.VALUE_STRING) {
                        text = in.json.getText();
                    } else if (token == JsonToken.VALUE_NUMBER_INT) {
                        number = in.json.getDoubleValue();
                        BigInteger exact = in.json.getBigIntegerValue();
                        integer = exact.bitLength() < Long.SIZE ? exact.longValue() : null;
                    } else if (token == JsonToken.VALUE_NUMBER_FLOAT) {
                        number = in.json.getDoubleValue();
                    } else {
                        in.json.skipChildren();
                    }
                }
                default -> in.json.skipChildren();
            }
        }
        return switch (in.required(type, "type")) {
            case "counter" -> MetricValue.counter(in.required(integer, "value"));
            case "bytes" -> MetricValue.bytes(in.required(integer, "value"));
            case "gauge" -> MetricValue.gauge(text == null ? in.required(number, "value") : in.special(text, "value"));
            case "duration" -> MetricValue.duration(in.required(length, "value_ms"));
            case "text" -> MetricValue.text(in.required(text, "value"));
            default -> null;
        };
    }

    /** {@return counters by name} None is ever below zero: a negative one was made up, and becomes zero (rule S15). */
    Map<String, Long> counters(String name) throws IOException {
        Map<String, Long> counters = new LinkedHashMap<>();
        in.requireObject(name);
        for (String key = in.nextField(); key != null; key = in.nextField()) {
            if (in.json.currentToken() == JsonToken.VALUE_NUMBER_INT) {
                counters.put(key, Math.max(0, in.json.getLongValue()));
            } else {
                in.json.skipChildren(); // the text beside a large number
            }
        }
        return counters;
    }

    Map<String, @Nullable Object> data() throws IOException {
        return data(0);
    }

    private Map<String, @Nullable Object> data(int depth) throws IOException {
        Map<String, @Nullable Object> data = new LinkedHashMap<>();
        in.requireObject("data");
        String before = null;
        for (String key = in.nextField(); key != null; key = in.nextField()) {
            Object value = datum(depth + 1);
            if (before == null || !isTextBeside(key, value, before, data.get(before))) {
                data.put(key, value);
            }
            before = key;
        }
        return data;
    }

    private static boolean isTextBeside(
            String key, @Nullable Object value, String before, @Nullable Object valueBefore) {
        boolean large = valueBefore instanceof BigInteger
                || (valueBefore instanceof Long number && JsonLimits.isInexact(number));
        return large
                && key.equals(before + "_text")
                && String.valueOf(valueBefore).equals(value);
    }

    /** Reads a datum. Recursion is bounded by {@link JsonLimits#DATA_DEPTH}. */
    private @Nullable Object datum(int depth) throws IOException {
        if (depth > JsonLimits.DATA_DEPTH + 1) {
            throw JsonTokens.tooLarge("its data is nested deeper than " + JsonLimits.DATA_DEPTH);
        }
        JsonToken token = in.required(in.json.currentToken(), "data");
        return switch (token) {
            case VALUE_NULL -> null;
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_STRING -> in.json.getText();
            case VALUE_NUMBER_INT -> smallest(in.json.getBigIntegerValue());
            case VALUE_NUMBER_FLOAT -> decimal();
            case START_OBJECT -> data(depth);
            case START_ARRAY -> {
                List<@Nullable Object> elements = new ArrayList<>();
                while (in.nextElement()) {
                    elements.add(datum(depth + 1));
                }
                yield elements;
            }
            default -> throw in.malformed("data holds " + token);
        };
    }

    private static Number smallest(BigInteger integer) {
        if (integer.bitLength() < Integer.SIZE) {
            return integer.intValue();
        }
        return integer.bitLength() < Long.SIZE ? (Number) integer.longValue() : integer;
    }

    private Number decimal() throws IOException {
        double nearest = in.json.getDoubleValue();
        BigDecimal exact = new BigDecimal(in.json.getText());
        return Double.isFinite(nearest) && BigDecimal.valueOf(nearest).compareTo(exact) == 0 ? (Number) nearest : exact;
    }
}
