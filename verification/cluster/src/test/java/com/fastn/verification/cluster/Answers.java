package com.fastn.verification.cluster;

import static java.util.Objects.requireNonNull;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Finds things in the JSON of a status. */
final class Answers {
    private Answers() {}

    static List<JsonObject> list(JsonObject object, String key) {
        JsonArray array = object.getJsonArray(key);
        return requireNonNull(array, key).stream().map(JsonObject.class::cast).toList();
    }

    /** The state of every node that is listed, by alias. */
    static Map<String, String> states(JsonObject cluster) {
        Map<String, String> states = new LinkedHashMap<>();
        list(cluster, "nodes").forEach(row -> states.put(alias(row), row.getString("state")));
        return states;
    }

    static JsonObject row(JsonObject cluster, String alias) {
        return list(cluster, "nodes").stream()
                .filter(row -> alias(row).equals(alias))
                .findFirst()
                .orElseThrow(() -> new AssertionError(alias + " is not in " + cluster.encodePrettily()));
    }

    static JsonObject status(JsonObject cluster, String alias) {
        JsonObject status = row(cluster, alias).getJsonObject("status");
        if (status == null) {
            throw new AssertionError("nothing is known of " + alias + " in " + cluster.encodePrettily());
        }
        return status;
    }

    /** All contexts of a node, a parent before its children. */
    static List<JsonObject> contexts(JsonObject cluster, String alias) {
        List<JsonObject> contexts = new ArrayList<>();
        ArrayDeque<JsonObject> open = new ArrayDeque<>();
        open.add(status(cluster, alias).getJsonObject("global_context"));
        while (!open.isEmpty()) {
            JsonObject context = open.remove();
            contexts.add(context);
            open.addAll(list(context, "children"));
        }
        return contexts;
    }

    static JsonObject context(JsonObject cluster, String alias, long id) {
        return contexts(cluster, alias).stream()
                .filter(context -> context.getLong("id") == id)
                .findFirst()
                .orElseThrow(() ->
                        new AssertionError("no context " + id + " on " + alias + " in " + cluster.encodePrettily()));
    }

    static long counted(JsonObject cluster, String alias, String counter) {
        return contexts(cluster, alias).stream()
                .mapToLong(context -> context.getJsonObject("total_counters").getLong(counter, 0L))
                .sum();
    }

    private static String alias(JsonObject row) {
        return row.getJsonObject("node").getString("alias");
    }
}
