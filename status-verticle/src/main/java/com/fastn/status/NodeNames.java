package com.fastn.status;

import com.fastn.context.status.NodeIdentity;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * Names that mean nodes, as in {@link NodeDirectory#select}. However many there are, to ask for those of a node takes as long as
 * the node's own names are.
 */
final class NodeNames {
    private final Set<String> names;
    private final int longest;

    NodeNames(Collection<String> names) {
        this.names = Set.copyOf(names);
        this.longest = names.stream().mapToInt(String::length).max().orElse(0);
    }

    /** {@return all of them} */
    Set<String> all() {
        return names;
    }

    /** {@return which of them mean a node} */
    List<String> of(NodeIdentity node) {
        List<String> meant = new ArrayList<>();
        if (names.contains(node.alias())) {
            meant.add(node.alias());
        }
        String incarnation = node.incarnation();
        int end = Math.min(longest, incarnation.length());
        for (int length = NodeDirectory.SHORTEST_PREFIX; length <= end; length++) {
            String beginning = incarnation.substring(0, length);
            if (names.contains(beginning) && !beginning.equals(node.alias())) {
                meant.add(beginning);
            }
        }
        return meant;
    }
}
