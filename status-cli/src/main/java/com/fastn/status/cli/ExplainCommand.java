package com.fastn.status.cli;

import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.Explainer;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusRenderer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** {@code fastn explain}: why something is stuck. */
final class ExplainCommand implements Subcommand {
    private static final String ARROW = "<- ";
    private static final Pattern ID = Pattern.compile("#?\\d{1,18}");
    private final Surroundings surroundings;
    private final Syntax syntax;
    private @Nullable String context;
    private List<String> names = List.of();
    private boolean json;
    private Duration timeout = Duration.ofSeconds(3);
    private final LookOptions look = new LookOptions();

    ExplainCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax(
                        "explain",
                        this,
                        "Follows what is stuck to the root of the matter: who waits for whom, on one node or across several.")
                .footer(
                        "",
                        "Examples:",
                        "  fastn explain                        all that is stuck, each root once",
                        "  fastn explain stderr-stream          one context, by its path or the end of it",
                        "  fastn explain 17 --on alice          one context by its id",
                        "",
                        "Exit codes: 0 explained, or nothing is stuck; 1 error; 2 usage; 3 no node answered; 4 some node did not answer.")
                .optionalParameter(
                        String.class,
                        "CONTEXT",
                        "A path, the end of one, or an id. Without it everything that is stuck is explained.",
                        given -> context = given)
                .list(
                        "--on",
                        "ALIAS",
                        "Which nodes; as for fastn status. Default: the whole cluster, because who holds something up may be"
                                + " on another node.",
                        given -> names = given)
                .flag("--json", "JSON for programs: one explanation on each line.", given -> json = given)
                .option(
                        "--timeout",
                        Duration.class,
                        "TIME",
                        "How long a node has to answer. Default: 3s.",
                        given -> timeout = given)
                .with(look)
                .common();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    @Override
    public Integer call() {
        TargetOptions targets = new TargetOptions();
        targets.names = names;
        targets.cluster = names.isEmpty();
        targets.timeout = timeout;
        targets.check(syntax);
        look.check(syntax);
        Targets there = Targets.find(
                surroundings, context == null ? "explain --on" : "explain " + Shell.quoted(context) + " --on");
        Inquiry inquiry = new Inquiry(
                there.local(),
                new StatusPorts(timeout, surroundings.ticker()),
                "",
                () -> surroundings.ticker().wallTime());
        List<Answer> answers = inquiry.about(there.meant(targets));
        inquiry.notes().forEach(surroundings::note);
        refuseSeveral(answers);
        List<Explanation> all = new ArrayList<>();
        answers.forEach(answer -> all.addAll(explained(explainer(answer))));
        List<String> gaps =
                answers.stream().flatMap(answer -> answer.gaps().stream()).toList();
        String wanted = context;
        if (wanted != null && all.isEmpty()) {
            gaps.forEach(surroundings::note);
            throw new Trouble(
                    ExitCode.ERROR,
                    "nothing is explained",
                    "no context that is shown goes by \"" + Printable.line(wanted) + "\"; it may have ended"
                            + elsewhere(answers),
                    "fastn status " + (names.isEmpty() ? "--cluster" : Shell.quoted(String.join(",", names)))
                            + " --filter " + Shell.quoted(wanted));
        }
        print(all);
        gaps.forEach(surroundings::note);
        return gaps.isEmpty() && inquiry.notes().isEmpty() ? ExitCode.OK : ExitCode.PARTIAL;
    }

    /** {@return where else a context may be than among those that are shown, as the end of a sentence} */
    private static String elsewhere(List<Answer> answers) {
        List<String> silent = answers.stream()
                .flatMap(answer -> answer.rows().stream())
                .filter(row -> row.snapshot() == null)
                .map(row -> Printable.line(row.node().alias()))
                .distinct()
                .toList();
        if (silent.isEmpty()) {
            return "";
        }
        boolean one = silent.size() == 1;
        return ", or is on " + (one ? "" : "one of ")
                + String.join(", ", silent.subList(0, Math.min(20, silent.size())))
                + (silent.size() > 20 ? " and others" : "") + ", which did not answer";
    }

    /** An id counts the contexts of one node, so that others have it too. */
    private void refuseSeveral(List<Answer> answers) {
        String wanted = context;
        if (wanted == null || !ID.matcher(wanted).matches()) {
            return;
        }
        long id = Long.parseLong(wanted.replace("#", ""));
        List<NodeIdentity> having = answers.stream()
                .flatMap(answer -> answer.rows().stream())
                .filter(row -> row.snapshot() != null && has(row.snapshot().globalContext(), id))
                .map(NodeStatus::node)
                .distinct()
                .toList();
        if (having.size() < 2) {
            return;
        }
        boolean tellable = having.stream().map(NodeIdentity::alias).distinct().count() == having.size();
        throw new Trouble(
                ExitCode.USAGE,
                "nothing is explained",
                having.size() + " nodes have a context #" + id + ", for an id is one of its node alone",
                having.stream()
                        .limit(20)
                        .map(node -> "\n  fastn explain " + id + " --on "
                                + Shell.quoted(Printable.line(tellable ? node.alias() : node.incarnation())))
                        .collect(Collectors.joining("", "run one of", "")));
    }

    private static boolean has(ContextStatus root, long id) {
        Deque<ContextStatus> open = new ArrayDeque<>(List.of(root));
        while (!open.isEmpty()) {
            ContextStatus next = open.pop();
            if (next.id() == id) {
                return true;
            }
            next.children().forEach(open::push);
        }
        return false;
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
            StatusRenderer renderer = terminal.renderer().withWidth(0);
            String whole = all.size() == 1 ? renderer.render(all.get(0)) : renderer.render(all);
            whole.lines()
                    .forEach(line -> wrapped(line, terminal.width())
                            .forEach(part -> text.append(part).append('\n')));
        }
        surroundings.out().print(text);
        surroundings.out().flush();
    }

    /** Who has the lock, and where it was taken, is the answer: what is too long for a line goes on below it. */
    private static List<String> wrapped(String line, int columns) {
        return columns > 0 ? Wrapping.of(line, columns, Wrapping.blanks(line) + ARROW.length()) : List.of(line);
    }
}
