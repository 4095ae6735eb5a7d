package com.fastn.status.cli;

import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusRenderer;
import com.fastn.context.status.WarningSeverity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code fastn status}: what the nodes of this machine, or of their clusters, are doing. */
final class StatusCommand implements Subcommand {
    private final Surroundings surroundings;
    private final Syntax syntax;
    private final TargetOptions targets = new TargetOptions();
    private boolean watch;
    private final ViewOptions view = new ViewOptions();
    private @Nullable FailOn failOn;
    private final LookOptions look = new LookOptions();

    StatusCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax(
                        "status",
                        this,
                        "Shows what a node or its cluster is doing: contexts, locks, who waits for whom, what is wrong.")
                .footer(
                        "",
                        "Nodes of this machine are found by themselves. One that is alone is shown; of several one is chosen by"
                                + " its alias, or --cluster shows all.",
                        "",
                        "Examples:",
                        "  fastn status                 the node of this machine",
                        "  fastn status -w              the same, again whenever something changes",
                        "  fastn status alice           a node here, in the configuration or the cluster",
                        "  fastn status alice,bob,prod  three nodes",
                        "  fastn status --cluster       every node of the cluster",
                        "  fastn status alice --json    the same for programs",
                        "",
                        ExitCode.TOLD)
                .with(targets)
                .flag(
                        "-w, --watch",
                        "Shows it again whenever something changes, until Ctrl-C; with --json one line each time.",
                        given -> watch = given)
                .with(view)
                .option(
                        "--fail-on",
                        FailOn.class,
                        "SEVERITY",
                        "Ends with exit code 5 if there is a warning as bad as this: warning or critical.",
                        given -> failOn = given)
                .with(look)
                .common();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    /** How bad a warning has to be to change the exit code. */
    enum FailOn {
        /** Worth a look, or worse. */
        WARNING(WarningSeverity.WARNING),
        /** A proof, or a great danger. */
        CRITICAL(WarningSeverity.CRITICAL);

        private final WarningSeverity least;

        FailOn(WarningSeverity least) {
            this.least = least;
        }
    }

    @Override
    public Integer call() {
        targets.check(syntax);
        view.check(syntax);
        look.check(syntax);
        if (watch && failOn != null) {
            throw syntax.misuse("--fail-on ends a single look, and --watch does not end; give one of them");
        }
        if (view.recent && targets.cluster) {
            throw syntax.misuse("--recent is what each node remembers for itself; name nodes instead of --cluster");
        }
        Targets there = Targets.find(surroundings, "status");
        List<Meant> meant = there.meant(targets);
        if (view.recent && meant.stream().anyMatch(Meant.Through.class::isInstance)) {
            throw new Trouble(
                    ExitCode.USAGE,
                    "no status is shown",
                    "--recent is what each node remembers for itself, and \""
                            + Printable.line(String.join(",", targets.names))
                            + "\" names one that only its cluster knows",
                    "leave out --recent, run it on the machine of that node, or name it in the configuration");
        }
        StatusPorts ports = new StatusPorts(targets.timeout, surroundings.ticker());
        Terminal terminal = look.terminal(surroundings);
        if (watch) {
            return new Watch(surroundings, terminal, look, view, ports).run(meant);
        }
        Inquiry inquiry = new Inquiry(
                there.local(),
                ports,
                view.queryOfALook(),
                () -> surroundings.ticker().wallTime());
        List<Answer> answers = inquiry.about(meant);
        inquiry.notes().forEach(surroundings::note);
        TreeShape shape = view.shape();
        print(answers.stream().map(answer -> answer.shaped(shape)).toList(), terminal);
        List<String> gaps =
                answers.stream().flatMap(answer -> answer.gaps().stream()).toList();
        gaps.forEach(surroundings::note);
        FailOn least = failOn;
        if (least != null && answers.stream().anyMatch(answer -> answer.hasWarning(least.least))) {
            return ExitCode.WARNED;
        }
        return gaps.isEmpty() && inquiry.notes().isEmpty() ? ExitCode.OK : ExitCode.PARTIAL;
    }

    private void print(List<Answer> answers, Terminal terminal) {
        StatusRenderer renderer = view.onPaper(terminal.renderer());
        StringBuilder text = new StringBuilder();
        for (Answer answer : answers) {
            switch (view.format()) {
                case JSON ->
                    text.append(Sanitizer.json(answer.json(terminal.interactive())))
                            .append('\n');
                case NDJSON -> text.append(Sanitizer.json(answer.json(false))).append('\n');
                case TEXT -> text.append(text.length() == 0 ? "" : "\n").append(answer.drawn(renderer));
            }
        }
        surroundings.out().print(text);
        surroundings.out().flush();
    }
}
