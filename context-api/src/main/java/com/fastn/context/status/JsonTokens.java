package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** JSON as a stream of tokens from somebody who is not trusted, and what is said when it is not as it should be (rule S13). */
class JsonTokens {
    static final String WHAT = "cannot read the status";
    private static final int LONGEST_QUOTE = 200;

    final JsonParser json;

    JsonTokens(JsonParser json) {
        this.json = json;
    }

    /** {@return the text of bytes that must be UTF-8} */
    static String decode(byte[] utf8, StatusJson.ReadLimits limits) {
        requireNonNull(utf8, "json");
        requireNonNull(limits, "limits");
        requireShort(utf8.length, limits);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            throw malformedJson("it is not UTF-8");
        }
    }

    static JsonFactory factory(StatusJson.ReadLimits limits) {
        // No table of field names: a peer could fill it with names that collide.
        return JsonFactory.builder()
                .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .streamReadConstraints(StreamReadConstraints.builder()
                        // An object and a list for each level of the tree, and what is around and inside it.
                        .maxNestingDepth((int) Math.min(Integer.MAX_VALUE, 2L * limits.maxTreeDepth() + 80))
                        .maxStringLength(JsonLimits.STRING_LENGTH)
                        .maxNameLength(JsonLimits.NAME_LENGTH)
                        .maxNumberLength(JsonLimits.NUMBER_LENGTH)
                        .maxTokenCount((long) JsonLimits.TOKENS_PER_MIB
                                * Math.max(1, (limits.maxLength() + (1 << 20) - 1L) >> 20))
                        .build())
                .build();
    }

    static void requireShort(int length, StatusJson.ReadLimits limits) {
        if (length > limits.maxLength()) {
            throw tooLarge("it is " + length + " long, and " + limits.maxLength() + " is the limit");
        }
    }

    /** Moves to the value of the next field. {@return its name, or {@code null} at the end of the object} */
    @Nullable
    String nextField() throws IOException {
        JsonToken token = json.nextToken();
        if (token == JsonToken.END_OBJECT) {
            return null;
        }
        if (token != JsonToken.FIELD_NAME) {
            throw malformed("it is cut off");
        }
        String name = json.currentName();
        json.nextToken();
        return name;
    }

    boolean nextElement() throws IOException {
        JsonToken token = json.nextToken();
        if (token == null) {
            throw malformed("it is cut off");
        }
        return token != JsonToken.END_ARRAY;
    }

    /** Reads one element of a list. */
    interface Element {
        void read() throws IOException;
    }

    void list(String name, Element element) throws IOException {
        requireList(name);
        while (nextElement()) {
            element.read();
        }
    }

    void requireObject(String name) {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            throw malformed(name + " is not an object");
        }
    }

    void requireList(String name) {
        if (json.currentToken() != JsonToken.START_ARRAY) {
            throw malformed(name + " is not a list");
        }
    }

    boolean isNull() {
        return json.currentToken() == JsonToken.VALUE_NULL;
    }

    @Nullable
    String string(String name) throws IOException {
        if (isNull()) {
            return null;
        }
        if (json.currentToken() != JsonToken.VALUE_STRING) {
            throw malformed(name + " is not a text");
        }
        return json.getText();
    }

    boolean bool(String name) {
        JsonToken token = json.currentToken();
        if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
            throw malformed(name + " is neither true nor false");
        }
        return token == JsonToken.VALUE_TRUE;
    }

    long longValue(String name) throws IOException {
        if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw malformed(name + " is not an integer");
        }
        return json.getLongValue();
    }

    long count(String name) throws IOException {
        return Math.max(0, longValue(name));
    }

    int smallCount(String name) throws IOException {
        return (int) Math.min(Integer.MAX_VALUE, count(name));
    }

    double doubleValue(String name) throws IOException {
        JsonToken token = json.currentToken();
        if (token == JsonToken.VALUE_STRING) {
            return special(json.getText(), name);
        }
        if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
            throw malformed(name + " is not a number");
        }
        return json.getDoubleValue();
    }

    double special(String text, String name) {
        return switch (text) {
            case "NaN" -> Double.NaN;
            case "Infinity" -> Double.POSITIVE_INFINITY;
            case "-Infinity" -> Double.NEGATIVE_INFINITY;
            default -> throw malformed(name + " is not a number");
        };
    }

    /** {@return a length of time; fractions are cut, and what is negative becomes zero} */
    Duration duration(String name) throws IOException {
        if (json.currentToken() == JsonToken.VALUE_NUMBER_FLOAT) {
            return Duration.ofMillis(Math.max(0, (long) json.getDoubleValue()));
        }
        return Duration.ofMillis(count(name));
    }

    /** {@return a time of a year of four digits, as RFC 3339 has it; an Instant could be a thousand million years away} */
    Instant instant(String name) throws IOException {
        String text = required(string(name), name);
        try {
            if (!text.startsWith("+") && !text.startsWith("-")) {
                return Instant.parse(text);
            }
        } catch (DateTimeException e) {
            // It is told below.
        }
        throw malformed(name + " is " + quote(text) + ", which is no RFC 3339 time");
    }

    ContextPath path(String name) throws IOException {
        return ContextPath.parse(required(string(name), name));
    }

    <E extends Enum<E>> E oneOf(String name, E[] values) throws IOException {
        String text = required(string(name), name);
        for (E value : values) {
            if (value.name().toLowerCase(Locale.ROOT).equals(text)) {
                return value;
            }
        }
        throw malformed(name + " is " + quote(text) + ", which is not known");
    }

    <T> T required(@Nullable T value, String name) {
        if (value == null) {
            throw malformed(name + " is missing");
        }
        return value;
    }

    StatusFormatException malformed(String why) {
        return malformedJson(why + " (line " + json.currentLocation().getLineNr() + ", column "
                + json.currentLocation().getColumnNr() + ")");
    }

    static StatusFormatException malformedJson(String why) {
        return new StatusFormatException(
                StatusFormatException.Kind.MALFORMED,
                WHAT,
                why,
                "check that it comes whole from a fastn status answer");
    }

    static StatusFormatException tooLarge(String why) {
        return new StatusFormatException(
                StatusFormatException.Kind.TOO_LARGE,
                WHAT,
                why,
                "ask for a part by path or depth, or raise the read limits");
    }

    static String quote(String hostile) {
        String start = hostile.length() <= LONGEST_QUOTE ? hostile : hostile.substring(0, LONGEST_QUOTE) + "...";
        return Sanitizer.clean(start);
    }
}
