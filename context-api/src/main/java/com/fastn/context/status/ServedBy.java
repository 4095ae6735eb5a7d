package com.fastn.context.status;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The other side of the caller links of a cluster: who works for a context that waits for a reply, where both sides are known. */
final class ServedBy {
    /** In a status of one node alone nobody looks for the other side. */
    static final ServedBy NOBODY = new ServedBy(Map.of());

    private final Map<Caller, List<String>> names;

    private record Caller(String incarnation, long contextId) {}

    private ServedBy(Map<Caller, List<String>> names) {
        this.names = names;
    }

    static ServedBy of(ClusterStatus cluster) {
        Map<Caller, List<String>> names = new HashMap<>();
        for (NodeStatus node : cluster.nodes()) {
            if (node.snapshot() != null) {
                add(names, node.snapshot());
            }
        }
        return new ServedBy(names);
    }

    private static void add(Map<Caller, List<String>> names, StatusSnapshot snapshot) {
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.push(snapshot.globalContext());
        while (!open.isEmpty()) {
            ContextStatus context = open.pop();
            CallerLink caller = context.caller();
            // Who sent without asking for a reply waits for none.
            if (caller != null && caller.owesReply() && context.state() == ContextState.ACTIVE) {
                names.computeIfAbsent(new Caller(caller.incarnation(), caller.contextId()), key -> new ArrayList<>())
                        .add(context.path().leaf() + "#" + context.id() + "@"
                                + snapshot.node().alias());
            }
            context.children().forEach(open::push);
        }
    }

    /** {@return those who work for a context of a node, in words; empty when nobody is known to} */
    String of(NodeIdentity node, ContextStatus context) {
        List<String> all = names.getOrDefault(new Caller(node.incarnation(), context.id()), List.of());
        if (all.isEmpty()) {
            return "";
        }
        String first = "served by " + Collections.min(all);
        return all.size() == 1 ? first : first + " and " + HumanText.count(all.size() - 1) + " more";
    }
}
