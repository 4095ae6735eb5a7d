package com.fastn.status;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that a node looked at in itself, and what it found.
 *
 * @param what what was looked at, in a word or two
 * @param well whether it is as it should be
 * @param found what was found, as a part of a sentence
 * @param next what to do where it is not well, or {@code null}
 */
record NodeCheck(
        String what, boolean well, String found, @Nullable String next) {

    static NodeCheck well(String what, String found) {
        return new NodeCheck(what, true, found, null);
    }

    static NodeCheck wrong(String what, String found, String next) {
        return new NodeCheck(what, false, found, next);
    }

    /** {@return the document of the protocol} */
    static JsonObject json(List<NodeCheck> checks) {
        JsonArray all = new JsonArray();
        for (NodeCheck check : checks) {
            JsonObject each = new JsonObject()
                    .put("what", check.what)
                    .put("well", check.well)
                    .put("found", Printable.line(check.found));
            String next = check.next;
            all.add(next == null ? each : each.put("next", Printable.line(next)));
        }
        return new JsonObject()
                .put("kind", "node_checks")
                .put("schema", 1)
                .put("min_schema", 1)
                .put("well", checks.stream().allMatch(NodeCheck::well))
                .put("checks", all);
    }

    /** {@return the same for people, a line or two for each} */
    static String text(List<NodeCheck> checks) {
        StringBuilder text = new StringBuilder();
        for (NodeCheck check : checks) {
            text.append(check.well ? "ok    " : "WRONG ")
                    .append(Printable.line(check.what + ": " + check.found))
                    .append('\n');
            String next = check.next;
            if (next != null) {
                text.append("      next: ").append(Printable.line(next)).append('\n');
            }
        }
        return text.toString();
    }
}
