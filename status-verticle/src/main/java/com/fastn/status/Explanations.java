package com.fastn.status;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.ContextRef;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.WaitEpisode;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Finds and writes why contexts are stuck, for those who asked. */
final class Explanations {
    private static final int LONGEST_ID = 18;
    /** More than anybody reads; together they stay below what an answer may have. */
    private static final int MOST_WRITTEN = 100;
    /** The names behind a root are written once, and of the others so many; all of them would be more than an answer may have. */
    private static final int FEW_NAMES = 5;
    /** Of so many roots all names that are known are written. */
    private static final int MOST_WITH_ALL_NAMES = 25;

    /** What stands above the nodes that said nothing. */
    static final String NOT_ALL = "Not all nodes answered, so this may not be all:\n";

    private Explanations() {}

    /**
     * Explains by what the nodes of a cluster said.
     *
     * @param answer what they said
     * @param context an id, a path or a short name, or {@code null} for all that are stuck
     * @return the explanations
     * @throws BadQueryException if no node shows such a context, with 404 only where all of them would
     */
    static List<Explanation> of(ClusterAnswer answer, @Nullable String context) {
        Explainer explainer = Explainer.of(answer.status());
        if (context == null) {
            return explainer.explainAll();
        }
        Explanation found = isId(context) ? explainer.explain(Long.parseLong(context)) : explainer.explain(context);
        if (found == null) {
            throw answer.missing(context);
        }
        return List.of(found);
    }

    /** {@return the explanation of a context of this node, which knows all that are open} */
    static Explanation found(@Nullable Explanation explanation, String context) {
        if (explanation == null) {
            throw new BadQueryException(BadQueryException.NOT_FOUND, unknown(context));
        }
        return explanation;
    }

    /** {@return the sentence that no such context is open} */
    static String unknown(String context) {
        return "no context is open that is called \"" + Printable.line(context)
                + "\"; name one by its id, its path or its short name, as the status shows them";
    }

    static boolean isId(String context) {
        return !context.isEmpty()
                && context.length() <= LONGEST_ID
                && context.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    static byte[] json(List<Explanation> explanations) {
        Set<ContextRef> roots = new HashSet<>();
        return list("explanations", explanations, each -> {
            boolean all = roots.add(each.root().context()) && roots.size() <= MOST_WITH_ALL_NAMES;
            return StatusJson.write(all ? each : withFewNames(each));
        });
    }

    /** Writes what the nodes of a cluster said, and which of them said nothing. */
    static JsonObject json(List<Explanation> explanations, ClusterAnswer answer) {
        ClusterStatus status = withoutWhoHasNothingThere(answer);
        List<NodeStatus> silent = status.nodes().stream()
                .filter(row -> row.snapshot() == null)
                .limit(MOST_WRITTEN)
                .map(row -> new NodeStatus(row.node(), row.state(), row.age(), row.reason(), null, null))
                .toList();
        String rows = StatusJson.write(new ClusterStatus(status.timestamp(), status.answeredBy(), silent));
        byte[] json = json(explanations);
        JsonObject told = new JsonObject(Buffer.buffer(json))
                .put("answered_by", status.answeredBy())
                .put("complete", status.isComplete());
        boolean fits = json.length + rows.length() < Answers.MOST_BYTES;
        return fits ? told.put("unanswered", new JsonObject(rows).getJsonArray("nodes")) : told;
    }

    /** Whoever says that nothing is open at the path that is asked for has answered. */
    private static ClusterStatus withoutWhoHasNothingThere(ClusterAnswer answer) {
        ClusterStatus status = answer.status();
        Set<NodeIdentity> silent =
                answer.gaps().stream().map(ClusterAnswer.Gap::node).collect(Collectors.toSet());
        return new ClusterStatus(
                status.timestamp(),
                status.answeredBy(),
                status.nodes().stream()
                        .filter(row -> row.snapshot() != null || silent.contains(row.node()))
                        .toList());
    }

    /**
     * Reads what {@link #json(List, ClusterAnswer)} writes, and what nodes of before write, who do not tell who said nothing.
     *
     * @param json what a node sent, of bounded length
     * @return the explanations
     * @throws RuntimeException if it cannot be understood
     */
    static ClusterExplanations read(JsonObject json) {
        Integer least = json.getInteger("min_schema");
        if (!"explanations".equals(json.getString("kind")) || least == null || least > 1) {
            throw new IllegalArgumentException(
                    "what answers is no status verticle of this version; upgrade the one that is older");
        }
        List<Explanation> read = objects(json, "explanations").stream()
                .map(each -> StatusJson.readExplanation(each.encode()))
                .toList();
        String answeredBy = json.getString("answered_by", "");
        JsonObject rows = new JsonObject()
                .put("kind", "cluster_status")
                .put("schema", 1)
                .put("min_schema", 1)
                .put("timestamp", Instant.EPOCH.toString())
                .put("answered_by", answeredBy)
                .put("nodes", new JsonArray(objects(json, "unanswered")));
        return new ClusterExplanations(
                answeredBy,
                json.getBoolean("complete", false),
                json.getLong("count", (long) read.size()),
                read,
                StatusJson.readCluster(rows.encode()).nodes());
    }

    private static List<JsonObject> objects(JsonObject json, String key) {
        return json.getJsonArray(key, new JsonArray()).stream()
                .limit(MOST_WRITTEN)
                .map(JsonObject.class::cast)
                .toList();
    }

    private static Explanation withFewNames(Explanation of) {
        List<String> few = of.firstFreed().stream().limit(FEW_NAMES).toList();
        return new Explanation(of.stuck(), of.chain(), of.root(), of.freed(), few);
    }

    static byte[] episodesJson(List<WaitEpisode> episodes) {
        return list("episodes", episodes, StatusJson::write);
    }

    /** Joins documents that were written already; the names are ours and need no escaping. */
    private static <T> byte[] list(String name, List<T> items, Function<T, String> write) {
        String joined = items.stream().limit(MOST_WRITTEN).map(write).collect(Collectors.joining(","));
        return ("{\"kind\":\"" + name + "\",\"schema\":1,\"min_schema\":1,\"count\":" + items.size() + ",\"" + name
                        + "\":[" + joined + "]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** {@return a drawing in which each root stands once, however many wait for it} */
    static String text(List<Explanation> explanations, StatusQuery query) {
        return Answers.renderer(query).render(explanations);
    }

    /** {@return the same, with the nodes that said nothing, where more contexts may be stuck} */
    static String text(List<Explanation> explanations, ClusterAnswer answer, StatusQuery query) {
        List<ClusterAnswer.Gap> gaps = answer.gaps();
        if (gaps.isEmpty()) {
            return text(explanations, query);
        }
        String named = gaps.stream()
                .limit(MOST_WRITTEN)
                .map(gap -> "  " + gap.text() + "\n")
                .collect(Collectors.joining());
        int more = gaps.size() - MOST_WRITTEN;
        return text(explanations, query) + "\n" + NOT_ALL + named + (more <= 0 ? "" : "  +" + more + " more\n");
    }

    static String episodesText(List<WaitEpisode> episodes) {
        if (episodes.isEmpty()) {
            return "Nothing was stuck since this node started.\n";
        }
        String joined = episodes.stream()
                .limit(MOST_WRITTEN)
                .map(episode -> Printable.line(episode.text()) + "\n")
                .collect(Collectors.joining());
        int more = episodes.size() - MOST_WRITTEN;
        return more <= 0 ? joined : joined + "\n+" + more + " more\n";
    }
}
