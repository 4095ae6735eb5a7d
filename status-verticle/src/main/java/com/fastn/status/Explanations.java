package com.fastn.status;

import com.fastn.context.status.ContextRef;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.WaitEpisode;
import java.nio.charset.StandardCharsets;
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
