package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code fastn nodes}: who is there. */
@Command(
        name = "nodes",
        sortOptions = false,
        description = "Lists the nodes of this machine with their clusters, and those of the configuration.",
        footer = {"", "A node that does not answer is a row with the reason.", "", ExitCode.TOLD})
final class NodesCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    TargetOptions targets = new TargetOptions();

    @Option(names = "--json", description = "JSON for programs: a cluster status without trees.")
    boolean json;

    @Mixin
    LookOptions look = new LookOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    NodesCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        CommandSpec given = requireNonNull(spec, "picocli sets this field before it runs the command");
        targets.check(given);
        look.check(given);
        Targets there = Targets.find(surroundings, "nodes");
        if (targets.names.isEmpty()) {
            targets.cluster = true;
        }
        Inquiry inquiry = new Inquiry(
                there.local(),
                new StatusPorts(targets.timeout, surroundings.ticker()),
                "depth=1&",
                () -> surroundings.ticker().wallTime());
        List<NodeStatus> rows = new ArrayList<>();
        Map<String, Endpoint> endpoints = new TreeMap<>();
        there.local().forEach(node -> endpoints.put(node.incarnation(), node));
        if (targets.cluster && !there.local().isEmpty()) {
            rows.addAll(rows(inquiry, there.meant(targets)));
            there.local().stream()
                    .filter(node -> rows.stream()
                            .noneMatch(row -> row.node().incarnation().equals(node.incarnation())))
                    .forEach(node -> rows.addAll(rows(inquiry, List.of(new Meant.Node(node)))));
            for (Endpoint remote : there.all()) {
                if (remote instanceof RemoteNode) {
                    List<NodeStatus> known = rows(inquiry, List.of(new Meant.Node(remote)));
                    known.forEach(row -> endpoints.put(row.node().incarnation(), remote));
                    rows.addAll(known);
                }
            }
        } else {
            rows.addAll(rows(inquiry, targets.cluster ? each(there) : there.meant(targets)));
        }
        print(rows, endpoints);
        boolean all = rows.stream().allMatch(row -> row.state() == NodeState.UP);
        boolean none = rows.stream().noneMatch(row -> row.state() == NodeState.UP);
        return all ? ExitCode.OK : none ? ExitCode.UNREACHABLE : ExitCode.PARTIAL;
    }

    private List<Meant> each(Targets there) {
        if (there.all().isEmpty()) {
            there.meant(targets); // tells that nobody is there
        }
        return there.all().stream().<Meant>map(Meant.Node::new).toList();
    }

    /** A list of nodes shows who does not answer, and does not end with it. */
    private static List<NodeStatus> rows(Inquiry inquiry, List<Meant> meant) {
        List<NodeStatus> rows = new ArrayList<>();
        try {
            inquiry.about(meant).forEach(answer -> rows.addAll(answer.rows()));
        } catch (NotFound unknown) {
            throw unknown;
        } catch (Trouble trouble) {
            for (Meant each : meant) {
                if (each instanceof Meant.Clusters) {
                    return List.of();
                }
                rows.addAll(Inquiry.silent(each, trouble));
            }
        }
        return rows;
    }

    private void print(List<NodeStatus> rows, Map<String, Endpoint> endpoints) {
        Terminal terminal = look.terminal(surroundings);
        if (json) {
            List<NodeStatus> bare = rows.stream()
                    .map(row -> new NodeStatus(row.node(), row.state(), row.age(), row.reason(), row.summary(), null))
                    .toList();
            ClusterStatus all = new ClusterStatus(surroundings.ticker().wallTime(), "fastn", bare);
            surroundings
                    .out()
                    .println(Sanitizer.json(
                            terminal.interactive() ? StatusJson.writePretty(all) : StatusJson.write(all)));
            return;
        }
        Table table = new Table(
                "ALIAS",
                "STATE",
                "CONTEXTS",
                "LOCKS",
                "WAITING",
                "WARNINGS",
                "PID",
                "ADDRESS",
                "INCARNATION",
                "REASON");
        for (NodeStatus row : rows) {
            Endpoint endpoint = endpoints.get(row.node().incarnation());
            NodeSummary summary = row.summary();
            table.row(
                    row.node().alias(),
                    row.state().name().toLowerCase(Locale.ROOT),
                    summary == null ? "" : HumanText.count(summary.contexts()),
                    summary == null ? "" : HumanText.count(summary.locksHeld()),
                    summary == null ? "" : HumanText.count(summary.lockWaiters()),
                    summary == null ? "" : HumanText.count(summary.warnings()),
                    endpoint instanceof LocalNode here ? here.pid() : "",
                    endpoint == null ? "through the cluster" : endpoint.url(),
                    row.node().incarnation(),
                    row.reason() == null ? "" : row.reason());
        }
        surroundings.out().print(table.drawn(terminal));
    }
}
