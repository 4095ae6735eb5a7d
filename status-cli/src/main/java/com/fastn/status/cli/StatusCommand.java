package com.fastn.status.cli;

import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusRenderer;
import com.fastn.status.cli.NodeFinder.Found;
import com.fastn.status.cli.Terminal.ColorChoice;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code fastn status}: what the nodes of this machine, or of their clusters, are doing. */
@Command(
        name = "status",
        sortOptions = false,
        description = "Shows what a node or its cluster is doing: contexts, locks, who waits for whom, what is wrong.",
        footer = {
            "",
            "Nodes of this machine are found by themselves. One that is alone is shown; of several one is chosen by"
                    + " its alias, or --cluster shows all.",
            "",
            "Examples:",
            "  fastn status                 the node of this machine",
            "  fastn status alice           one node: of this machine, or of the cluster",
            "  fastn status alice,bob       two nodes of the cluster",
            "  fastn status --cluster       every node of the cluster",
            "  fastn status alice --json    the same for programs",
            "",
            "Exit codes: 0 all shown, 1 error, 2 not clear what is meant, 3 no node answered, 4 some node did not answer",
            "or two live nodes share an alias.",
        })
final class StatusCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Spec
    @Nullable
    CommandSpec spec;

    @Parameters(
            arity = "0..*",
            split = ",",
            paramLabel = "ALIAS",
            description = "Which nodes: aliases, or beginnings of incarnations. Separate them with commas.")
    List<String> names = List.of();

    @Option(
            names = {"--cluster", "--all"},
            description = "Every node of the cluster; of every cluster that has a node on this machine.")
    boolean cluster;

    @Option(names = "--json", description = "JSON for programs instead of a drawing; one line for each document.")
    boolean json;

    @Option(
            names = "--color",
            paramLabel = "WHEN",
            description = "auto (the default, which honours NO_COLOR and TERM=dumb), always or never.")
    ColorChoice color = ColorChoice.AUTO;

    @Option(
            names = "--width",
            paramLabel = "COLUMNS",
            description = "Cut lines there; 0 never cuts. Default: the terminal's width.")
    @Nullable
    Integer width;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "How long a node has to answer, such as 500ms or 10s. Default: 3s.")
    Duration timeout = Duration.ofSeconds(3);

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this help.")
    boolean help;

    StatusCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        check();
        Found found =
                new NodeFinder(surroundings.properties(), surroundings.environment(), surroundings.isAlive()).find();
        found.refused().forEach(this::note);
        if (found.nodes().isEmpty()) {
            throw nobody(found);
        }
        Inquiry inquiry = new Inquiry(found.nodes(), new StatusPorts(timeout, surroundings.ticker()));
        List<Answer> answers = answers(found, inquiry);
        inquiry.notes().forEach(this::note);
        List<String> gaps =
                answers.stream().flatMap(answer -> answer.gaps().stream()).toList();
        print(answers);
        gaps.forEach(this::note);
        return gaps.isEmpty() && inquiry.notes().isEmpty() ? ExitCode.OK : ExitCode.PARTIAL;
    }

    private void check() {
        if (cluster && !names.isEmpty()) {
            throw usage("give either names or --cluster: --cluster shows every node anyway");
        }
        if (names.stream().anyMatch(String::isBlank)) {
            throw usage("a name is empty; separate names by one comma, such as alice,bob");
        }
        if (width != null && (width < 0 || width > 10_000)) {
            throw usage("--width is a number of columns from 0 to 10000, not " + width);
        }
        if (timeout.isNegative() || timeout.isZero() || timeout.compareTo(Duration.ofHours(1)) > 0) {
            throw usage("--timeout is a time from 1ms to 1h, not " + timeout.toMillis() + "ms");
        }
    }

    private ParameterException usage(String message) {
        if (spec == null) {
            throw new IllegalStateException("picocli sets this field before it runs the command");
        }
        return new ParameterException(spec.commandLine(), message);
    }

    private List<Answer> answers(Found found, Inquiry inquiry) {
        List<LocalNode> nodes = found.nodes();
        if (cluster) {
            return inquiry.clusters();
        }
        if (names.isEmpty()) {
            if (nodes.size() > 1) {
                throw choose(
                        nodes, nodes.size() + " nodes run on this machine, and it is not clear which one is meant");
            }
            return List.of(inquiry.node(nodes.get(0)));
        }
        if (names.size() == 1) {
            String name = names.get(0);
            List<LocalNode> meant =
                    nodes.stream().filter(node -> node.isNamed(name)).toList();
            if (meant.size() > 1) {
                throw choose(meant, meant.size() + " nodes of this machine go by \"" + Printable.line(name) + "\"");
            }
            if (meant.size() == 1) {
                return List.of(inquiry.node(meant.get(0)));
            }
        }
        return List.of(inquiry.named(names));
    }

    private static Trouble choose(List<LocalNode> nodes, String why) {
        boolean tellable = nodes.stream().map(LocalNode::alias).distinct().count() == nodes.size();
        StringBuilder next = new StringBuilder("run one of");
        nodes.stream()
                .limit(20)
                .forEach(node -> next.append("\n  fastn status ")
                        .append(Shell.quoted(tellable ? node.alias() : node.incarnation()))
                        .append("    # pid ")
                        .append(node.pid())
                        .append(", ")
                        .append(tellable ? node.url() : Printable.line(node.alias()))
                        .append(", since ")
                        .append(Printable.line(node.started())));
        next.append("\n  fastn status --cluster    # all of them, and the rest of their cluster");
        return new Trouble(ExitCode.USAGE, "no status is shown", why, next.toString());
    }

    private static Trouble nobody(Found found) {
        String folders = String.join(
                " and ",
                found.folders().stream()
                        .map(folder -> Printable.line(folder.toString()))
                        .toList());
        return new Trouble(
                ExitCode.UNREACHABLE,
                "no node is found on this machine",
                "no living process has a usable descriptor in " + folders,
                "deploy a StatusVerticle in the application (its options http and descriptors are on unless turned"
                        + " off),\nrun this command as the user that runs the application, or set FASTN_RUNTIME_DIR to"
                        + " the folder it uses");
    }

    private void print(List<Answer> answers) {
        Terminal terminal = Terminal.of(color, width, surroundings.interactive(), surroundings.environment());
        StatusRenderer renderer = terminal.renderer();
        StringBuilder text = new StringBuilder();
        for (Answer answer : answers) {
            if (json) {
                text.append(Sanitizer.json(answer.json(terminal.interactive()))).append('\n');
            } else {
                text.append(text.length() == 0 ? "" : "\n").append(answer.drawn(renderer));
            }
        }
        surroundings.out().print(text);
        surroundings.out().flush();
    }

    private void note(String sentence) {
        surroundings.err().println("fastn: " + sentence);
    }
}
