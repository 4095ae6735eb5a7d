package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.NodeSummary;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusJson;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** {@code fastn nodes}: who is there. */
final class NodesCommand implements Subcommand {
    private final Surroundings surroundings;
    private final Syntax syntax;
    private final TargetOptions targets = new TargetOptions();
    private boolean json;
    private final LookOptions look = new LookOptions();

    NodesCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax(
                        "nodes",
                        this,
                        "Lists the nodes of this machine with their clusters, and those of the configuration.")
                .footer("", "A node that does not answer is a row with the reason.", "", ExitCode.TOLD)
                .with(targets)
                .flag("--json", "JSON for programs: a cluster status without trees.", given -> json = given)
                .with(look)
                .common();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    @Override
    public Integer call() {
        targets.check(syntax);
        look.check(syntax);
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
        // Those that are silent have no incarnation to be told apart by.
        IdentityHashMap<NodeStatus, Endpoint> asked = new IdentityHashMap<>();
        there.local().forEach(node -> endpoints.put(node.incarnation(), node));
        List<Meant> meant;
        if (targets.cluster && !there.local().isEmpty()) {
            there.meant(targets).forEach(clusters -> rows.addAll(rows(inquiry, clusters)));
            meant = there.all().stream()
                    .filter(node -> !(node instanceof LocalNode here)
                            || rows.stream()
                                    .noneMatch(row -> row.node().incarnation().equals(here.incarnation())))
                    .<Meant>map(Meant.Node::new)
                    .toList();
        } else {
            meant = targets.cluster ? each(there) : there.meant(targets);
        }
        boolean several = meant.size() > 1 || !rows.isEmpty();
        Inquiry.atOnce(meant, each -> rowsOrNotFound(inquiry, each, several)).forEach((each, known) -> {
            if (known instanceof NotFound unknown) {
                throw unknown;
            }
            for (Object one : (List<?>) known) {
                NodeStatus row = (NodeStatus) one;
                if (each instanceof Meant.Node node) {
                    asked.put(row, node.endpoint());
                }
                rows.add(row);
            }
        });
        print(rows, asked, endpoints);
        boolean all = rows.stream().allMatch(row -> row.state() == NodeState.UP);
        // Nodes that share an alias have answered.
        boolean none = rows.stream().noneMatch(row -> row.state() == NodeState.UP || row.state() == NodeState.CONFLICT);
        return all ? ExitCode.OK : none ? ExitCode.UNREACHABLE : ExitCode.PARTIAL;
    }

    private List<Meant> each(Targets there) {
        if (there.all().isEmpty()) {
            there.meant(targets); // tells that nobody is there
        }
        return there.all().stream().<Meant>map(Meant.Node::new).toList();
    }

    /** A list of nodes shows who does not answer, each with its own reason, and does not end with it. */
    private static List<NodeStatus> rows(Inquiry inquiry, Meant each) {
        try {
            return inquiry.about(List.of(each)).stream()
                    .flatMap(answer -> answer.rows().stream())
                    .toList();
        } catch (NotFound unknown) {
            throw unknown;
        } catch (Trouble trouble) {
            return each instanceof Meant.Clusters ? List.of() : Inquiry.silent(each, trouble);
        }
    }

    /** Of a node among several also an answer as if it did not know the question is no end of the list. */
    private static Object rowsOrNotFound(Inquiry inquiry, Meant each, boolean several) {
        try {
            return rows(inquiry, each);
        } catch (NotFound unknown) {
            return several && each instanceof Meant.Node ? Inquiry.silent(each, unknown) : unknown;
        }
    }

    private void print(
            List<NodeStatus> rows, IdentityHashMap<NodeStatus, Endpoint> asked, Map<String, Endpoint> endpoints) {
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
                "ALIAS", "STATE", "CONTEXTS", "LOCKS", "WAITING", "WARNINGS", "PID", "ADDRESS", "INCARNATION");
        for (NodeStatus row : rows) {
            Endpoint known = asked.get(row);
            Endpoint endpoint = known != null ? known : endpoints.get(row.node().incarnation());
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
                    row.node().incarnation());
        }
        // Of nodes that share an alias nothing else tells which is meant.
        boolean shared = rows.stream().map(row -> row.node().alias()).distinct().count() < rows.size();
        String[] spare = {"INCARNATION", "PID", "CONTEXTS", "LOCKS", "WAITING"};
        table.fit(terminal, shared ? Arrays.copyOfRange(spare, 1, spare.length) : spare);
        StringBuilder reasons = new StringBuilder();
        // Below the table, where there is room for them: they are what somebody with a silent node looks for.
        rows.stream().filter(row -> row.reason() != null).forEach(row -> {
            String reason = Printable.line(row.node().alias() + ": " + row.reason());
            reasons.append(terminal.ascii() ? Sanitizer.ascii(reason) : reason).append('\n');
        });
        surroundings.out().print(table.drawn(terminal) + (reasons.isEmpty() ? "" : "\n") + reasons);
    }
}
