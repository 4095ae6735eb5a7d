package com.fastn.verification.benchmarks;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fastn.context.ContextRuntime;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
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
 * tree; databind writes the same document from a tree of its own nodes.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(SnapshotJsonBenchmark.CONTEXTS)
public class SnapshotJsonBenchmark {
    static final int CONTEXTS = 1_000;

    private final ContextRuntime runtime = Trees.runtime();
    private final JsonFactory factory = new JsonFactory();
    private final ObjectMapper mapper = new ObjectMapper();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 20);
    private StatusSnapshot snapshot = runtime.status();
    private JsonNode document = mapper.nullNode();

    @Setup
    public void fill() throws IOException {
        Trees.fill(runtime, CONTEXTS);
        snapshot = runtime.status();
        document = mapper.readTree(StatusJson.write(snapshot));
        jacksonStream();
        if (!mapper.readTree(bytes.toByteArray()).equals(document.get("global_context"))) {
            throw new IllegalStateException("the two do not write the same");
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
