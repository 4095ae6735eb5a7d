package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code fastn explain}: why something is stuck. */
@Command(
        name = "explain",
        sortOptions = false,
        description =
                "Follows what is stuck to the root of the matter: who waits for whom, on one node or across several.",
        footer = {
            "",
            "Examples:",
            "  fastn explain                        all that is stuck, each root once",
            "  fastn explain stderr-stream          one context, by its path or the end of it",
            "  fastn explain 17 --on alice          one context by its id",
            "",
            "Exit codes: 0 explained, or nothing is stuck; 1 error; 2 usage; 3 no node answered; 4 some node did not answer."
        })
final class ExplainCommand implements Callable<Integer> {
    private static final Pattern ID = Pattern.compile("#?\\d{1,18}");

    private final Surroundings surroundings;

    @Spec
    @Nullable
    CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "CONTEXT",
            description = "A path, the end of one, or an id. Without it everything that is stuck is explained.")
    @Nullable
    String context;

    @Option(
            names = "--on",
            split = ",",
            paramLabel = "ALIAS",
            description =
                    "Which nodes; as for fastn status. Default: the whole cluster, because who holds something up may be"
                            + " on another node.")
    List<String> names = List.of();

    @Option(names = "--json", description = "JSON for programs: one explanation on each line.")
    boolean json;

    @Option(names = "--timeout", paramLabel = "TIME", description = "How long a node has to answer. Default: 3s.")
    Duration timeout = Duration.ofSeconds(3);

    @Mixin
    LookOptions look = new LookOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    ExplainCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        CommandSpec given = requireNonNull(spec, "picocli sets this field before it runs the command");
        TargetOptions targets = new TargetOptions();
        targets.names = names;
        targets.cluster = names.isEmpty();
        targets.timeout = timeout;
        targets.check(given);
        look.check(given);
        Targets there = Targets.find(surroundings, "explain --on");
        Inquiry inquiry = new Inquiry(
                there.local(),
                new StatusPorts(timeout, surroundings.ticker()),
                "",
                () -> surroundings.ticker().wallTime());
        List<Answer> answers = inquiry.about(there.meant(targets));
        inquiry.notes().forEach(surroundings::note);
        List<Explanation> all = new ArrayList<>();
        answers.forEach(answer -> all.addAll(explained(explainer(answer))));
        String wanted = context;
        if (wanted != null && all.isEmpty()) {
            throw new Trouble(
                    ExitCode.ERROR,
                    "nothing is explained",
                    "no context that is shown goes by \"" + Printable.line(wanted) + "\"; it may have ended",
                    "fastn status --filter " + Shell.quoted(wanted));
        }
        print(all);
        List<String> gaps =
                answers.stream().flatMap(answer -> answer.gaps().stream()).toList();
        gaps.forEach(surroundings::note);
        return gaps.isEmpty() && inquiry.notes().isEmpty() ? ExitCode.OK : ExitCode.PARTIAL;
    }

    private static Explainer explainer(Answer answer) {
        if (answer instanceof Answer.OfCluster cluster) {
            return Explainer.of(cluster.cluster());
        }
        return Explainer.of(((Answer.OfNode) answer).snapshot());
    }

    private List<Explanation> explained(Explainer explainer) {
        String wanted = context;
        if (wanted == null) {
            return explainer.explainAll();
        }
        Explanation one = ID.matcher(wanted).matches()
                ? explainer.explain(Long.parseLong(wanted.replace("#", "")))
                : explainer.explain(wanted);
        return one == null ? List.of() : List.of(one);
    }

    private void print(List<Explanation> all) {
        Terminal terminal = look.terminal(surroundings);
        StringBuilder text = new StringBuilder();
        if (json) {
            all.forEach(
                    each -> text.append(Sanitizer.json(StatusJson.write(each))).append('\n'));
        } else {
            StatusRenderer renderer = terminal.renderer();
            text.append(all.size() == 1 ? renderer.render(all.get(0)) : renderer.render(all));
        }
        surroundings.out().print(text);
        surroundings.out().flush();
    }
}
