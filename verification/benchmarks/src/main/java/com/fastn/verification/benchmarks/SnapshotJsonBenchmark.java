package com.fastn.verification.benchmarks;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fastn.context.ContextRuntime;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Budget "snapshot as JSON per node": a thousand contexts. The stream is what one writes by hand with Jackson for the same
 * tree, and the limit what one writes by hand without any library, checks and escapes; databind and {@code JsonObject} write the
 * same document from trees of their own.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(SnapshotJsonBenchmark.CONTEXTS)
public class SnapshotJsonBenchmark {
    static final int CONTEXTS = 1_000;

    private static final String[] KINDS = lower(ContextKind.values());
    private static final String[] STATES = lower(ContextState.values());

    private final ContextRuntime runtime = Trees.runtime();
    private final JsonFactory factory = new JsonFactory();
    private final ObjectMapper mapper = new ObjectMapper();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 20);
    private byte[] scratch = new byte[256];
    private JsonObject object = new JsonObject();
    private StatusSnapshot snapshot = runtime.status();
    private JsonNode document = mapper.nullNode();

    @Setup
    public void fill() throws IOException {
        Trees.fill(runtime, CONTEXTS);
        snapshot = runtime.status();
        document = mapper.readTree(StatusJson.write(snapshot));
        object = new JsonObject(Buffer.buffer(StatusJson.write(snapshot)));
        JsonNode tree = document.get("global_context");
        jacksonStream();
        boolean same = mapper.readTree(bytes.toByteArray()).equals(tree);
        limit();
        if (!same || !mapper.readTree(bytes.toByteArray()).equals(tree)) {
            throw new IllegalStateException("they do not write the same");
        }
    }

    @Benchmark
    public int oursFromRecords() {
        bytes.reset();
        StatusJson.write(snapshot, bytes);
        return bytes.size();
    }

    @Benchmark
    public int oursFromLiveTree() {
        bytes.reset();
        runtime.writeStatus(bytes);
        return bytes.size();
    }

    @Benchmark
    public int jacksonStream() throws IOException {
        bytes.reset();
        try (JsonGenerator json = factory.createGenerator(bytes)) {
            write(snapshot.globalContext(), json);
        }
        return bytes.size();
    }

    @Benchmark
    public int jacksonDatabind() throws IOException {
        bytes.reset();
        mapper.writeValue(bytes, document);
        return bytes.size();
    }

    @Benchmark
    public int vertxJsonObject() {
        return object.toBuffer().length();
    }

    /** What is the same for each row is there as bytes; only numbers and names are put between. */
    @Benchmark
    public int limit() {
        bytes.reset();
        writeByHand(snapshot.globalContext());
        return bytes.size();
    }

    @SuppressWarnings("EnumOrdinal") // it never leaves this object
    private void writeByHand(ContextStatus context) {
        put("{\"id\":").put(context.id()).put(",\"name\":\"").put(context.name());
        put("\",\"label\":\"").put(context.label());
        put("\",\"path\":\"").put(context.path().toString());
        put("\",\"kind\":\"").put(KINDS[context.kind().ordinal()]);
        put("\",\"state\":\"").put(STATES[context.state().ordinal()]);
        put("\",\"is_cancelled\":").put(context.isCancelled() ? "true" : "false");
        put(",\"duration_ms\":").put(context.duration().toMillis());
        put(",\"last_activity_ms\":").put(context.lastActivity().toMillis());
        put(",\"on_thread\":").put(context.onThread() ? "true" : "false");
        put(",\"operations\":[],\"metrics\":{},\"data\":{},\"total_counters\":{},\"live_counters\":{}");
        put(",\"subtree_total_counters\":{},\"subtree_live_counters\":{},\"children\":[");
        boolean first = true;
        for (ContextStatus child : context.children()) {
            if (!first) {
                put(",");
            }
            first = false;
            writeByHand(child);
        }
        put("],\"folded_children\":").put(context.foldedChildren().count()).put("}");
    }

    @SuppressWarnings("deprecation") // it cuts each character to its low byte, which for these is all of it
    private SnapshotJsonBenchmark put(String ascii) {
        int length = ascii.length();
        if (scratch.length < length) {
            scratch = new byte[2 * length];
        }
        ascii.getBytes(0, length, scratch, 0);
        bytes.write(scratch, 0, length);
        return this;
    }

    private SnapshotJsonBenchmark put(long number) {
        int at = scratch.length;
        long left = number;
        do {
            scratch[--at] = (byte) ('0' + left % 10);
            left /= 10;
        } while (left != 0);
        bytes.write(scratch, at, scratch.length - at);
        return this;
    }

    private static String[] lower(Enum<?>[] values) {
        return Arrays.stream(values)
                .map(value -> value.name().toLowerCase(Locale.ROOT))
                .toArray(String[]::new);
    }

    private static void write(ContextStatus context, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeNumberField("id", context.id());
        json.writeStringField("name", context.name());
        json.writeStringField("label", context.label());
        json.writeStringField("path", context.path().toString());
        json.writeStringField("kind", context.kind().name().toLowerCase(Locale.ROOT));
        json.writeStringField("state", context.state().name().toLowerCase(Locale.ROOT));
        json.writeBooleanField("is_cancelled", context.isCancelled());
        json.writeNumberField("duration_ms", context.duration().toMillis());
        json.writeNumberField("last_activity_ms", context.lastActivity().toMillis());
        json.writeBooleanField("on_thread", context.onThread());
        json.writeArrayFieldStart("operations");
        json.writeEndArray();
        for (String empty : new String[] {
            "metrics", "data", "total_counters", "live_counters", "subtree_total_counters", "subtree_live_counters"
        }) {
            json.writeObjectFieldStart(empty);
            json.writeEndObject();
        }
        json.writeArrayFieldStart("children");
        for (ContextStatus child : context.children()) {
            write(child, json);
        }
        json.writeEndArray();
        json.writeNumberField("folded_children", context.foldedChildren().count());
        json.writeEndObject();
    }
}
