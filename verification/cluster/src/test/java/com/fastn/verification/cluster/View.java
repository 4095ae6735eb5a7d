package com.fastn.verification.cluster;

import static com.fastn.verification.cluster.Answers.list;

import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a node says of the cluster, as far as it matters here.
 *
 * @param alias of whom alone it tells, or {@code null} for all
 */
record View(@Nullable String alias, List<Row> rows, long total, boolean complete) {
    /** One life of a node; {@code served} is {@code null} where the row has no status, and {@code deadlock} says that it warns of one. */
    record Row(
            String alias,
            String incarnation,
            String state,
            @Nullable String reason,
            @Nullable Long served,
            boolean deadlock) {
        boolean isSilent() {
            return state.equals("STALE") || state.equals("DOWN");
        }
    }

    /** Of the answer to a question. */
    static View asked(JsonObject answer) {
        List<Row> rows = list(answer, "nodes").stream().map(View::askedRow).toList();
        return new View(
                null,
                rows,
                answer.getJsonObject("total_counters").getLong("served", 0L),
                answer.getBoolean("complete"));
    }

    private static Row askedRow(JsonObject row) {
        JsonObject status = row.getJsonObject("status");
        return new Row(
                row.getJsonObject("node").getString("alias"),
                row.getJsonObject("node").getString("incarnation"),
                row.getString("state").toUpperCase(Locale.ROOT),
                row.getString("reason"),
                status == null
                        ? null
                        : status.getJsonObject("global_context")
                                .getJsonObject("subtree_total_counters")
                                .getLong("served", 0L),
                status != null
                        && list(status, "warnings").stream()
                                .anyMatch(warning -> warning.getString("id").startsWith("deadlock")));
    }

    /** Of a stream of a {@link FleetNode}. */
    static View streamed(JsonObject view) {
        List<Row> rows = list(view, "rows").stream()
                .map(row -> new Row(
                        row.getString("alias"),
                        row.getString("incarnation"),
                        row.getString("state"),
                        row.getString("reason"),
                        row.getLong("served"),
                        row.getBoolean("deadlock")))
                .toList();
        return new View(
                view.getString("alias"),
                rows,
                view.getLong("total"),
                rows.stream().noneMatch(row -> row.served() == null));
    }

    /** Whether it has to tell of the nodes of an alias. */
    boolean isOf(String of) {
        return alias == null || alias.equals(of);
    }

    @Nullable
    Row of(String incarnation) {
        return rows.stream()
                .filter(row -> row.incarnation().equals(incarnation))
                .findFirst()
                .orElse(null);
    }
}
