package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.DisplayWidth;
import com.fastn.status.cli.NodeFinder.Found;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Decides who is meant, out of the nodes of this machine and those of the configuration. */
final class Targets {
    private static final int MOST_OFFERS = 20;
    /** What a command ends with that names its nodes by an option. */
    private static final String ON = " --on";

    private final Found found;
    private final Config config;
    private final String command;

    private Targets(Found found, Config config, String command) {
        this.found = found;
        this.config = config;
        this.command = command;
    }

    /**
     * Looks around.
     *
     * @param surroundings where
     * @param command the command that asks, for what to run next, such as {@code status}
     * @return what is there
     * @throws Trouble if the configuration is wrong
     */
    static Targets find(Surroundings surroundings, String command) {
        Found found =
                new NodeFinder(surroundings.properties(), surroundings.environment(), surroundings.processes()).find();
        found.refused().forEach(surroundings::note);
        return new Targets(found, Config.read(surroundings), command);
    }

    /** {@return the nodes of this machine} */
    List<LocalNode> local() {
        return found.nodes();
    }

    /** {@return the nodes of this machine and those of the configuration} */
    List<Endpoint> all() {
        List<Endpoint> all = new ArrayList<>(found.nodes());
        all.addAll(config.nodes());
        return all;
    }

    /**
     * Decides.
     *
     * @param options what the command line says
     * @return one or more
     * @throws Trouble if it is not clear, or nobody is there
     */
    List<Meant> meant(TargetOptions options) {
        List<LocalNode> nodes = found.nodes();
        if (options.cluster) {
            return List.of(new Meant.Clusters(nodes.isEmpty() ? somebody() : List.copyOf(nodes)));
        }
        if (options.names.isEmpty()) {
            if (nodes.size() == 1) {
                return List.of(new Meant.Node(nodes.get(0)));
            }
            if (nodes.isEmpty()) {
                somebody();
                throw chooseConfigured();
            }
            throw choose(nodes, nodes.size() + " nodes run on this machine, and it is not clear which one is meant");
        }
        return named(options.names);
    }

    /** {@return the one node that is meant} @throws Trouble if there are several, or it cannot be asked itself */
    Endpoint one(TargetOptions options) {
        List<Meant> meant = meant(options);
        if (meant.size() == 1 && meant.get(0) instanceof Meant.Node node) {
            return node.endpoint();
        }
        throw new Trouble(
                ExitCode.USAGE,
                "fastn " + command + " wants one node that this machine can reach itself",
                "\"" + Printable.line(String.join(",", options.names))
                        + "\" is several, or a node that only its cluster knows",
                "name a node of this machine, or one of the configuration; fastn info lists them");
    }

    /** A node that is named twice, by its alias and its incarnation too, is meant once. */
    private List<Meant> named(List<String> names) {
        List<Meant> meant = new ArrayList<>();
        List<String> rest = new ArrayList<>();
        for (String name : new LinkedHashSet<>(names)) {
            Optional<RemoteNode> configured = config.node(name);
            if (configured.isPresent()) {
                meant.add(new Meant.Node(configured.get()));
            } else {
                rest.add(name);
            }
        }
        if (rest.isEmpty()) {
            return meant;
        }
        Set<Meant> here = new LinkedHashSet<>();
        boolean all = true;
        for (String name : rest) {
            List<LocalNode> matching =
                    found.nodes().stream().filter(node -> node.isNamed(name)).toList();
            if (matching.size() > 1) {
                throw choose(
                        matching, matching.size() + " nodes of this machine go by \"" + Printable.line(name) + "\"");
            }
            matching.forEach(node -> here.add(new Meant.Node(node)));
            all &= !matching.isEmpty();
        }
        if (all) {
            meant.addAll(here);
        } else {
            meant.add(new Meant.Through(List.copyOf(rest), ways(rest)));
        }
        return meant;
    }

    private List<Endpoint> ways(List<String> names) {
        return found.nodes().isEmpty() ? somebody() : ways(found.nodes(), names);
    }

    /** {@return whom to ask about some nodes, the best first} One that is meant itself is of the right cluster. */
    static List<Endpoint> ways(List<LocalNode> nodes, List<String> names) {
        return nodes.stream()
                .sorted(Comparator.comparing(node -> names.stream().noneMatch(node::isNamed)))
                .<Endpoint>map(node -> node)
                .toList();
    }

    private List<Endpoint> somebody() {
        List<Endpoint> all = all();
        if (all.isEmpty()) {
            throw nobody();
        }
        return all;
    }

    private Trouble chooseConfigured() {
        Map<String, String> offers = new LinkedHashMap<>();
        config.nodes().stream()
                .limit(MOST_OFFERS)
                .forEach(node -> offers.put(
                        offer(node.alias()), Printable.line(node.url().toString())));
        return new Trouble(
                ExitCode.USAGE,
                "no status is shown",
                "no node runs on this machine, and the configuration names others",
                runOneOf(offers));
    }

    private Trouble choose(List<LocalNode> nodes, String why) {
        boolean tellable = nodes.stream().map(LocalNode::alias).distinct().count() == nodes.size();
        Map<String, String> offers = new LinkedHashMap<>();
        nodes.stream()
                .limit(MOST_OFFERS)
                .forEach(node -> offers.put(
                        offer(tellable ? node.alias() : node.incarnation()),
                        "pid " + node.pid() + ", "
                                + Printable.line(tellable ? node.url().toString() : node.alias())
                                + ", since " + Printable.line(node.started())));
        // These two ask each node itself.
        boolean here = command.equals("doctor") || command.equals("episodes");
        offers.put("fastn " + ofAll(), "all of them" + (here ? "" : ", and the rest of their cluster"));
        return new Trouble(ExitCode.USAGE, "no status is shown", why, runOneOf(offers));
    }

    private String offer(String name) {
        return "fastn " + command + " " + Shell.quoted(name);
    }

    /** {@return the same command for every node} Those without the option ask all where none is named. */
    private String ofAll() {
        if (command.endsWith(ON)) {
            return command.substring(0, command.length() - ON.length());
        }
        return command.equals("doctor") ? command : command + " --cluster";
    }

    /** {@return commands and what is to be said of each, one below the other} */
    private static String runOneOf(Map<String, String> offers) {
        int widest = offers.keySet().stream().mapToInt(DisplayWidth::of).max().orElse(0);
        StringBuilder text = new StringBuilder("run one of");
        offers.forEach((offer, remark) -> text.append("\n  ")
                .append(offer)
                .append(" ".repeat(widest - DisplayWidth.of(offer)))
                .append("    # ")
                .append(remark));
        return text.toString();
    }

    private Trouble nobody() {
        String folders = String.join(
                " and ",
                found.folders().stream()
                        .map(folder -> Printable.line(folder.toString()))
                        .toList());
        String configured = config.file() == null
                ? ""
                : ", and no node is named in "
                        + Printable.line(requireNonNull(config.file()).toString());
        return new Trouble(
                ExitCode.UNREACHABLE,
                "no node is found on this machine",
                "no living process has a usable descriptor in " + folders + configured,
                "deploy a StatusVerticle in the application (its options http and descriptors are on unless turned"
                        + " off),\nrun this command as the user that runs the application, or set FASTN_RUNTIME_DIR to"
                        + " the folder it uses;\nfastn info shows every place that is looked at");
    }
}
