package com.fastn.status;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The schemas of docs/schema. They let readers pass over fields that they do not know; here each field has to be in them, so that
 * none is added without a word.
 */
final class Schemas {
    private static final String BASE = "https://schemas.test/";
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final SchemaRegistry STRICT = registry();

    private Schemas() {}

    /** {@return docs/schema} */
    static Path folder() {
        Path here = Path.of("").toAbsolutePath();
        while (here != null && !Files.isDirectory(here.resolve("docs/schema"))) {
            here = here.getParent();
        }
        return requireNonNull(here, "a folder above with docs/schema").resolve("docs/schema");
    }

    private static SchemaRegistry registry() {
        Map<String, String> schemas = new HashMap<>();
        try (Stream<Path> files = Files.list(folder())) {
            for (Path file : files.toList()) {
                JsonNode schema = MAPPER.readTree(file.toFile());
                schema.findParents("properties").forEach(Schemas::allowNothingElse);
                schemas.put(BASE + file.getFileName(), schema.toString());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return SchemaRegistry.withDefaultDialect(
                SpecificationVersion.DRAFT_2020_12, builder -> builder.schemas(schemas));
    }

    /** All but numbers that stand as text beside themselves. */
    private static void allowNothingElse(JsonNode schema) {
        if (schema instanceof ObjectNode object && object.has("required") && !object.has("additionalProperties")) {
            object.put("additionalProperties", false);
            object.putObject("patternProperties").putObject("_text$").put("type", "string");
        }
    }

    static List<String> errors(String schema, String json) {
        Schema found = STRICT.getSchema(SchemaLocation.of(BASE + schema + ".json"));
        return found.validate(json, InputFormat.JSON).stream()
                .map(error -> error.getInstanceLocation() + ": " + error.getMessage())
                .toList();
    }

    static void fits(String schema, String json) {
        assertThat(errors(schema, json)).as(schema).isEmpty();
    }
}
