package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.context.status.StatusFormatException;
import com.fastn.context.status.StatusJson;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.SystemMetrics;
import com.fastn.context.status.WarningSeverity;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** {@code fastn doctor}: what is wrong with the way from here to a node, and from it to its cluster. */
final class DoctorCommand implements Subcommand {
    private static final Duration SLOW = Duration.ofMillis(200);
    private static final Duration CLOCKS_APART = Duration.ofSeconds(5);
    private final Surroundings surroundings;
    private final Syntax syntax;
    private final TargetOptions targets = TargetOptions.ofNodes();
    private final LookOptions look = new LookOptions();

    DoctorCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax(
                        "doctor",
                        this,
                        "Tries the way to a node step by step: port, event loop, status, versions, clock, warnings; what the"
                                + " node finds about its cluster, its addresses and its contexts; the other nodes, and TLS.")
                .footer(
                        "",
                        "Exit codes: 0 nothing is wrong, 1 something is, 2 not clear which node is meant, 3 none is found.")
                .with(targets)
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
        Targets there = Targets.find(surroundings, "doctor");
        List<Endpoint> nodes = targets.names.isEmpty() ? there.all() : List.of(there.one(targets));
        if (nodes.isEmpty()) {
            there.meant(targets); // tells that nobody is there
        }
        boolean well = true;
        for (Endpoint node : nodes) {
            Findings findings = new Findings(look.terminal(surroundings));
            examine(node, findings);
            surroundings.out().print(findings.drawn());
            well &= findings.isWell();
        }
        return well ? ExitCode.OK : ExitCode.ERROR;
    }

    private void examine(Endpoint node, Findings findings) {
        StatusPorts ports = new StatusPorts(targets.timeout, surroundings.ticker());
        findings.title(node.described());
        Asked health = ask(ports, node, "/health");
        if (health.trouble != null) {
            findings.bad("port", health.trouble);
            return;
        }
        // The first answer is as late as this command is slow to start.
        health = ask(ports, node, "/health");
        findings.judged(
                health.took.compareTo(SLOW) <= 0,
                "port",
                "answers in " + health.took.toMillis() + " ms",
                "the machine is busy, or the node collects garbage: see JVM in fastn status");
        loop(ports, node, findings);
        StatusSnapshot snapshot = status(ports, node, findings);
        if (snapshot != null) {
            clock(snapshot, findings);
            warnings(snapshot, findings);
        }
        own(ports, node, findings);
        cluster(ports, node, findings);
        tls(node, findings);
    }

    /** What only the node itself can look at, such as what its cluster manager knows. */
    private void own(StatusPorts ports, Endpoint node, Findings findings) {
        Asked asked = ask(ports, node, "/status/checks?format=json");
        if (asked.trouble instanceof NotFound) {
            findings.well("own checks", "the node is of an older version and looks at nothing by itself");
            return;
        }
        if (asked.trouble != null) {
            findings.bad("own checks", asked.trouble);
            return;
        }
        try {
            for (NodeCheck check : NodeCheck.read(asked.body)) {
                @Nullable String next = check.next();
                findings.judged(check.well(), check.what(), check.found(), next == null ? "fastn status" : next);
            }
        } catch (IOException e) {
            findings.bad("own checks", String.valueOf(e.getMessage()), node.ifStrange());
        }
    }

    private void loop(StatusPorts ports, Endpoint node, Findings findings) {
        Asked ready = ask(ports, node, "/health?ready=true");
        if (ready.trouble == null) {
            findings.well("event loop", "the status verticle's answers in " + ready.took.toMillis() + " ms");
        } else if (ready.trouble.exitCode() == ExitCode.UNREACHABLE) {
            findings.bad(
                    "event loop",
                    "the status verticle's stands still, so the cluster cannot hear this node",
                    "fastn status shows what is stuck; the node's own answer at /threads shows every thread");
        } else {
            findings.bad("event loop", ready.trouble);
        }
    }

    private @Nullable StatusSnapshot status(StatusPorts ports, Endpoint node, Findings findings) {
        Asked status = ask(ports, node, "/status?format=json");
        if (status.trouble != null) {
            findings.bad("status", status.trouble);
            return null;
        }
        try {
            StatusSnapshot snapshot = StatusJson.readSnapshot(status.body, Inquiry.LIMITS);
            findings.well("status", "is told in " + status.took.toMillis() + " ms, " + status.body.length + " bytes");
            SystemMetrics metrics = snapshot.systemMetrics();
            SystemMetrics.Jvm jvm = metrics == null ? null : metrics.jvm();
            findings.well(
                    "versions",
                    "its answers are understood by fastn " + Fastn.Version.of()
                            + (jvm == null ? "" : "; the node runs on Java " + jvm.version()));
            return snapshot;
        } catch (StatusFormatException e) {
            findings.bad("versions", e.what() + ": " + e.why(), e.next());
            return null;
        }
    }

    private void clock(StatusSnapshot snapshot, Findings findings) {
        Instant here = surroundings.ticker().wallTime();
        Duration apart = Duration.between(snapshot.timestamp(), here).abs();
        findings.judged(
                apart.compareTo(CLOCKS_APART) <= 0,
                "clock",
                "is " + HumanText.duration(apart) + " apart from here",
                "set the clocks by NTP; durations are right all the same, but times of different nodes do not compare");
    }

    /** What the node found out about itself: open cluster, loops that stand still, handlers on contexts that are shared. */
    private static void warnings(StatusSnapshot snapshot, Findings findings) {
        List<StatusWarning> serious = snapshot.warnings().stream()
                .filter(warning -> warning.severity() != WarningSeverity.INFO)
                .toList();
        if (serious.isEmpty()) {
            findings.well("warnings", "the node has none");
        }
        serious.stream().limit(10).forEach(warning -> {
            @Nullable String next = warning.next();
            findings.bad(
                    "warning " + warning.id(),
                    warning.message(),
                    next == null ? "fastn status --path " + Shell.quoted(warning.contextPath()) : next);
        });
        if (serious.size() > 10) {
            findings.bad("warnings", "+" + (serious.size() - 10) + " more", "fastn status --warnings");
        }
    }

    private void cluster(StatusPorts ports, Endpoint node, Findings findings) {
        Asked asked = ask(ports, node, "/status?scope=cluster&depth=1&format=json");
        if (asked.trouble != null) {
            findings.bad("cluster", asked.trouble);
            return;
        }
        try {
            ClusterStatus cluster = StatusJson.readCluster(asked.body, Inquiry.LIMITS);
            List<NodeStatus> silent = cluster.nodes().stream()
                    .filter(row -> row.snapshot() == null)
                    .toList();
            findings.judged(
                    silent.isEmpty(),
                    "cluster",
                    (cluster.nodes().size() - silent.size()) + " of "
                            + HumanText.count(cluster.nodes().size()) + " nodes answered over the event bus in "
                            + asked.took.toMillis() + " ms",
                    "each node that did not is told below");
            for (NodeStatus row : silent) {
                findings.bad(
                        "node " + row.node().alias(),
                        row.reason() == null ? "did not answer" : row.reason(),
                        "run fastn doctor on its machine; if it is well there, look at the network between them");
            }
            for (NodeStatus row : cluster.nodes()) {
                if (row.state() == NodeState.CONFLICT) {
                    findings.bad(
                            "alias " + row.node().alias(),
                            "two live nodes use it",
                            "give each an alias of its own: option alias, or FASTN_ALIAS");
                }
            }
        } catch (StatusFormatException e) {
            findings.bad("cluster", e.what() + ": " + e.why(), e.next());
        }
    }

    private static void tls(Endpoint node, Findings findings) {
        if ("https".equals(node.url().getScheme())) {
            findings.well("TLS", "the node's certificate is trusted" + (node.ca() == null ? " by the JDK" : ""));
        } else if (staysHere(node)) {
            findings.well("TLS", "none, and none is needed: " + node.url().getHost() + " does not leave this machine");
        } else {
            findings.bad(
                    "TLS",
                    "none, so whoever is on the way to " + node.url().getHost() + " can read what the node tells",
                    "set httpTlsCert and httpTlsKey at the node, and https in the configuration; or reach it through"
                            + " an SSH tunnel");
        }
    }

    /** {@return whether what is asked and answered without TLS is read by nobody on the way} */
    static boolean staysHere(Endpoint node) {
        return node instanceof LocalNode || ConfigFile.isLoopback(node.url().getHost());
    }

    private Asked ask(StatusPorts ports, Endpoint node, String question) {
        long start = surroundings.ticker().nanos();
        Supplier<Duration> took = () -> Duration.ofNanos(surroundings.ticker().nanos() - start);
        try {
            byte[] body = ports.ask(node, question);
            return new Asked(body, took.get(), null);
        } catch (Trouble trouble) {
            return new Asked(new byte[0], took.get(), trouble);
        }
    }

    /** What came of a question. */
    @SuppressWarnings("ArrayRecordComponent") // Handed over once and never compared.
    private record Asked(
            byte[] body, Duration took, @Nullable Trouble trouble) {}

    /** What was found, as lines. */
    private static final class Findings {
        private static final String OK = "  ok    ";
        private static final String WRONG = "  WRONG ";
        private static final String NEXT = "        next: ";

        private final Terminal terminal;
        private final StringBuilder text = new StringBuilder();
        private boolean well = true;

        Findings(Terminal terminal) {
            this.terminal = terminal;
        }

        void title(String node) {
            line(Printable.line(node), 0);
        }

        void well(String what, String found) {
            line(OK + Printable.line(what + ": " + found), OK.length());
        }

        void judged(boolean fine, String what, String found, String next) {
            if (fine) {
                well(what, found);
            } else {
                bad(what, found, next);
            }
        }

        void bad(String what, Trouble trouble) {
            bad(what, trouble.why(), trouble.next());
        }

        void bad(String what, String found, String next) {
            well = false;
            line(WRONG + Printable.line(what + ": " + found), WRONG.length());
            next.lines().forEach(each -> line(NEXT + Printable.line(each), NEXT.length()));
        }

        /** What to do is of no use when it is cut, so what is too long for a line goes on below it. */
        private void line(String line, int indent) {
            terminal.wrapped(line, indent).forEach(each -> text.append(each).append('\n'));
        }

        boolean isWell() {
            return well;
        }

        String drawn() {
            return text.toString();
        }
    }
}
