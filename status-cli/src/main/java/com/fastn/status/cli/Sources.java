package com.fastn.status.cli;

import com.fastn.context.status.ClusterStatus;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.NodeState;
import com.fastn.context.status.NodeStatus;
import com.fastn.status.cli.Feed.Listener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The feeds of a watch: one for whoever is meant, and where clusters are meant one for each, which is known only by what the nodes
 * say. Whom a feed asks is looked up again before each connection, for nodes are started anew at other ports.
 */
final class Sources {
    /** How long one that did not answer for itself is not asked again. */
    private static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(15);

    private final Map<String, Long> silentSince = new ConcurrentHashMap<>();
    private final Surroundings surroundings;
    private final String view;
    private final StatusPorts ports;
    private final List<Source> sources = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    /** Who was in the last answer of a feed. Read by the threads of the others. */
    private final Map<Integer, List<NodeIdentity>> listed = new ConcurrentHashMap<>();

    private Listener listener = news -> {};

    /**
     * Makes one without feeds.
     *
     * @param surroundings where nodes are looked for
     * @param view which part is wanted, as a query that is empty or ends with an ampersand
     * @param ports asks the nodes
     */
    Sources(Surroundings surroundings, String view, StatusPorts ports) {
        this.surroundings = surroundings;
        this.view = view;
        this.ports = ports;
    }

    /**
     * One feed.
     *
     * @param index whose it is, among those that are meant
     * @param meant whose it is
     * @param anchor the node that it was begun for, of a feed of a cluster, or {@code null}
     */
    private record Source(int index, Meant meant, @Nullable Endpoint anchor) {}

    /** Starts the feeds. {@return their threads; more may come to them} */
    List<Thread> start(List<Meant> meant, Listener told) {
        listener = told;
        for (int i = 0; i < meant.size(); i++) {
            Meant each = meant.get(i);
            if (each instanceof Meant.Clusters clusters
                    && clusters.ways().stream().noneMatch(LocalNode.class::isInstance)) {
                for (Endpoint remote : clusters.ways()) {
                    begin(new Source(i, each, remote));
                }
            } else {
                begin(new Source(i, each, null));
            }
        }
        return threads;
    }

    private void begin(Source source) {
        int number = sources.size();
        sources.add(source);
        // Of the nodes here, whom a name is asked of, each may be of a cluster that will never know it.
        boolean patient = !(source.meant instanceof Meant.Through);
        threads.add(
                new Feed(number, ways(number, source), query(source.meant), ports, this::completed, patient, listener)
                        .start());
    }

    /** {@return whether who a feed is of was given by name} */
    boolean isOfNames(int number) {
        return !(sources.get(number).meant instanceof Meant.Clusters);
    }

    /** {@return what happens next, as the end of a sentence} */
    static String then(Trouble trouble) {
        return trouble.isWaiting() ? "; waiting for it" : "; connecting again";
    }

    /** {@return how many feeds there are} */
    int count() {
        return sources.size();
    }

    /**
     * Takes note of who answers to whom, and begins to follow nodes of this machine that are in nobody's cluster.
     *
     * @param number the feed that has told something
     * @param answer what
     * @param broken the feeds that look for a way at the moment
     */
    void heard(int number, Answer answer, Set<Integer> broken) {
        Source source = sources.get(number);
        listed.put(number, answer.rows().stream().map(NodeStatus::node).toList());
        if (!(source.meant instanceof Meant.Clusters)) {
            return;
        }
        for (LocalNode node : local()) {
            boolean known = listed.values().stream().anyMatch(nodes -> lists(nodes, node))
                    || sources.stream().anyMatch(other -> node.equals(other.anchor))
                    || broken.stream()
                            .anyMatch(
                                    other -> aliases(other, sources.get(other)).contains(node.alias()));
            if (!known) {
                begin(new Source(source.index, source.meant, node));
            }
        }
    }

    private static boolean lists(List<NodeIdentity> nodes, LocalNode node) {
        return nodes.stream().anyMatch(each -> each.incarnation().equals(node.incarnation()));
    }

    private Set<String> aliases(int number, Source source) {
        Set<String> aliases = new HashSet<>();
        listed.getOrDefault(number, List.of()).forEach(node -> aliases.add(node.alias()));
        if (source.anchor != null) {
            aliases.add(source.anchor.alias());
        }
        return aliases;
    }

    // ------------------------------------------------------------------------------------------------------------ rows

    /**
     * {@return what is known of everybody, each node once}
     *
     * @param meant how many are meant
     * @param answers by feed
     * @param troubles by feed
     */
    List<NodeStatus> rows(int meant, Map<Integer, Answer> answers, Map<Integer, Trouble> troubles) {
        List<NodeStatus> rows = new ArrayList<>();
        for (int i = 0; i < meant; i++) {
            Map<NodeIdentity, NodeStatus> nodes = new LinkedHashMap<>();
            for (int number = 0; number < sources.size(); number++) {
                if (sources.get(number).index == i) {
                    for (NodeStatus row : rows(number, answers.get(number), troubles.get(number))) {
                        nodes.merge(row.node(), row, Sources::better);
                    }
                }
            }
            rows.addAll(nodes.values());
        }
        return rows;
    }

    private static NodeStatus better(NodeStatus one, NodeStatus other) {
        boolean more = (one.snapshot() == null && other.snapshot() != null)
                || (one.state() != NodeState.UP && other.state() == NodeState.UP);
        return more ? other : one;
    }

    /** {@return what is known by one feed} */
    List<NodeStatus> rows(int number, @Nullable Answer answer, @Nullable Trouble trouble) {
        if (answer != null) {
            if (trouble == null) {
                return answer.rows();
            }
            String reason = trouble.why() + then(trouble);
            return answer.rows().stream()
                    .map(row -> new NodeStatus(
                            row.node(),
                            NodeState.STALE,
                            row.age(),
                            "this is the last that was heard; " + reason,
                            row.summary(),
                            row.snapshot()))
                    .toList();
        }
        NodeState state = trouble == null
                ? NodeState.STALE
                // It lives, and says that it has no such thing, or does not know the question.
                : (trouble instanceof NotFound || trouble instanceof NotUnderstood)
                                && sources.get(number).meant instanceof Meant.Node
                        ? NodeState.UP
                        : NodeState.DOWN;
        String reason = trouble == null ? "no answer yet" : trouble.why();
        return names(sources.get(number)).stream()
                .map(name ->
                        new NodeStatus(new NodeIdentity(name, "unknown"), state, Duration.ZERO, reason, null, null))
                .toList();
    }

    private static List<String> names(Source source) {
        if (source.meant instanceof Meant.Node node) {
            return List.of(node.endpoint().alias());
        }
        if (source.meant instanceof Meant.Through through) {
            return through.names();
        }
        return List.of(source.anchor == null ? "cluster" : source.anchor.alias());
    }

    // ---------------------------------------------------------------------------------------------------------- asking

    private String query(Meant meant) {
        if (meant instanceof Meant.Through through) {
            return Inquiry.nodesQuery(through.names()) + "&" + view;
        }
        return (meant instanceof Meant.Clusters ? "scope=cluster&" : "") + view;
    }

    private Supplier<List<Endpoint>> ways(int number, Source source) {
        if (source.meant instanceof Meant.Through through) {
            return () -> {
                List<LocalNode> now = local();
                return now.isEmpty() ? remote(through.ways()) : Targets.ways(now, through.names());
            };
        }
        if (source.meant instanceof Meant.Clusters) {
            Endpoint anchor = source.anchor;
            return anchor != null && !(anchor instanceof LocalNode)
                    ? () -> List.of(anchor)
                    : () -> clusterWays(number, source);
        }
        Endpoint endpoint = ((Meant.Node) source.meant).endpoint();
        return endpoint instanceof LocalNode node ? () -> List.of(again(node)) : () -> List.of(endpoint);
    }

    /**
     * Of a cluster that has answered only those that were in it, or took their place; first those that no other feed tells of. Where
     * clusters became one there are no such, and then both feeds tell of the same nodes, which are shown once.
     */
    private List<Endpoint> clusterWays(int number, Source source) {
        Set<String> aliases = aliases(number, source);
        Set<String> others = new HashSet<>();
        listed.forEach((other, nodes) -> {
            if (other != number) {
                nodes.forEach(node -> others.add(node.incarnation()));
            }
        });
        List<LocalNode> named = local().stream()
                .filter(node -> aliases.isEmpty() || aliases.contains(node.alias()))
                .sorted(Comparator.comparing(node -> !node.equals(source.anchor)))
                .toList();
        List<LocalNode> alone = named.stream()
                .filter(node -> !others.contains(node.incarnation()))
                .toList();
        List<LocalNode> now = alone.isEmpty() && !aliases.isEmpty() ? named : alone;
        if (now.isEmpty()) {
            throw gone(
                    aliases.isEmpty() ? "no node" : "node \"" + Printable.line(String.join(",", aliases)) + "\"",
                    "no living process of its alias is found on this machine");
        }
        return List.copyOf(now);
    }

    private static List<Endpoint> remote(Collection<Endpoint> ways) {
        List<Endpoint> remote =
                ways.stream().filter(way -> !(way instanceof LocalNode)).toList();
        if (remote.isEmpty()) {
            throw gone("the way to the cluster", "no node is found on this machine any more");
        }
        return remote;
    }

    /** A node that was started anew is another life of the same alias, at another port. */
    private LocalNode again(LocalNode node) {
        List<LocalNode> now = local();
        List<LocalNode> same = now.stream()
                .filter(other -> other.incarnation().equals(node.incarnation()))
                .toList();
        List<LocalNode> named = same.isEmpty()
                ? now.stream()
                        .filter(other -> other.alias().equals(node.alias()))
                        .toList()
                : same;
        if (named.isEmpty()) {
            throw gone(
                    "node \"" + Printable.line(node.alias()) + "\"",
                    "its process " + node.pid() + " has ended, and no other one of its alias is found");
        }
        return named.get(0);
    }

    private static Trouble gone(String who, String why) {
        return new Trouble(
                ExitCode.UNREACHABLE, who + " is gone", why, "start it again; fastn info shows where it is looked for");
    }

    private List<LocalNode> local() {
        return new NodeFinder(surroundings.properties(), surroundings.environment(), surroundings.processes())
                .find()
                .nodes();
    }

    /** A node that its cluster does not hear is asked itself, as a single look does. */
    private Answer completed(Answer answer) {
        boolean whole = answer.rows().stream().noneMatch(row -> row.snapshot() == null);
        if (whole || !(answer instanceof Answer.OfCluster cluster)) {
            return answer;
        }
        // Who stood still a moment ago would hold up what the others tell, and is asked again later.
        long now = surroundings.ticker().nanos();
        List<LocalNode> asked = local().stream()
                .filter(node -> {
                    Long since = silentSince.get(node.incarnation());
                    return since == null || now - since > SILENT_NANOS;
                })
                .toList();
        Inquiry inquiry =
                new Inquiry(asked, ports, view, () -> surroundings.ticker().wallTime());
        ClusterStatus completed = inquiry.completed(cluster.cluster());
        long after = surroundings.ticker().nanos();
        for (NodeStatus row : completed.nodes()) {
            String incarnation = row.node().incarnation();
            if (asked.stream().anyMatch(node -> node.incarnation().equals(incarnation))) {
                if (row.snapshot() == null) {
                    silentSince.put(incarnation, after);
                } else {
                    silentSince.remove(incarnation);
                }
            }
        }
        return new Answer.OfCluster(completed);
    }
}
