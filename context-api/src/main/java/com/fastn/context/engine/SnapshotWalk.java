package com.fastn.context.engine;

import com.fastn.context.status.ContextPath;
import java.util.AbstractList;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The contexts of a tree as a walk meets them: breadth first, each behind its parent, the children of one side by side and
 * the oldest first. Nobody who opens or closes a context waits for more than some hundred siblings of it (rule C7).
 *
 * <p>It takes two words for each context, and one more for each thing that is not the same for all. What a context has from its
 * ancestors is handed down, so that no depth makes anybody go up again; a path is made when it is asked for.
 */
final class SnapshotWalk extends AbstractList<SnapshotWalk.Visit> {
    private final ContextPath topPath;
    private final WarningSettings topSettings;
    private final @Nullable PathCounters topCounters;
    private ContextNode[] nodes;
    private int[] parents;
    private int size;

    // Made when somebody below counts, has settings of its own, or is asked for its path.
    private @Nullable PathCounters @Nullable [] counters;
    private WarningSettings @Nullable [] settings;
    private @Nullable ContextPath @Nullable [] paths;

    private SnapshotWalk(ContextNode from, int expected) {
        this.nodes = new ContextNode[expected];
        this.parents = new int[expected];
        this.topSettings = WarningSettings.of(from);
        this.topPath = from.path();
        this.topCounters = from.runtime().counterStore().find(topPath);
    }

    /** Reads each node with the children that it has, each once, so the result is always a tree (rule M9). */
    static SnapshotWalk from(ContextNode from) {
        long open = from.parent() == null ? from.runtime().openContexts() : 0;
        SnapshotWalk walk = new SnapshotWalk(from, (int) Math.max(64, Math.min(open + open / 64, 1 << 24)));
        walk.add(from, -1);
        for (int i = 0; i < walk.size; i++) {
            int before = walk.size;
            walk.nodes[i].addChildrenTo(walk, i);
            for (int child = before; child < walk.size; child++) {
                walk.handDown(i, child);
            }
        }
        return walk;
    }

    /** Whether the next one is added without longer arrays: copying many is nothing to do under the monitor of a list. */
    boolean hasRoom() {
        return size < nodes.length;
    }

    void add(ContextNode node, int parent) {
        if (!hasRoom()) {
            int longer = size + size / 2;
            nodes = Arrays.copyOf(nodes, longer);
            parents = Arrays.copyOf(parents, longer);
            if (counters != null) {
                counters = Arrays.copyOf(counters, longer);
            }
            if (settings != null) {
                settings = Arrays.copyOf(settings, longer);
            }
        }
        nodes[size] = node;
        parents[size] = parent;
        size++;
    }

    /** Puts those that were added since into the order in which they were created. */
    void sortFrom(int first) {
        Arrays.sort(nodes, first, size, TreeNode.OLDEST_FIRST);
    }

    private void handDown(int parent, int child) {
        ContextNode node = nodes[child];
        PathCounters found = node.countersOrNull();
        PathCounters up = counters(parent);
        if (found == null && up != null) {
            found = up.childOrNull(node.name());
        }
        // One that counts together with others has nothing of its own.
        if (found != null && !found.isBucket()) {
            @Nullable PathCounters[] counted = counters;
            if (counted == null) {
                counted = new PathCounters[nodes.length];
                counters = counted;
            }
            counted[child] = found;
        }
        WarningSettings inherited = settings(parent);
        WarningSettings own = inherited.below(node);
        WarningSettings[] all = settings;
        if (all == null && own != topSettings) {
            all = new WarningSettings[nodes.length];
            Arrays.fill(all, 0, child, topSettings);
            settings = all;
        }
        if (all != null) {
            all[child] = own;
        }
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public Visit get(int index) {
        return new Visit(this, index);
    }

    ContextNode node(int index) {
        return nodes[index];
    }

    int parent(int index) {
        return parents[index];
    }

    @Nullable
    PathCounters counters(int index) {
        if (index == 0) {
            return topCounters;
        }
        @Nullable PathCounters[] all = counters;
        return all == null ? null : all[index];
    }

    /** How many names its path has. */
    int depth(int index) {
        return nodes[index].depth() + 1;
    }

    WarningSettings settings(int index) {
        WarningSettings[] all = settings;
        return all == null ? topSettings : all[index];
    }

    /** Shares the paths of all above, which are made as well. */
    ContextPath path(int index) {
        if (index == 0) {
            return topPath;
        }
        @Nullable ContextPath[] all = paths;
        if (all == null) {
            all = new ContextPath[size];
            all[0] = topPath;
            paths = all;
        }
        ContextPath known = all[index];
        if (known != null) {
            return known;
        }
        ContextPath above = all[parents[index]];
        return above != null ? pathBelow(above, index, all) : pathFromFirstKnown(index, all);
    }

    private ContextPath pathBelow(ContextPath above, int index, @Nullable ContextPath[] all) {
        PathCounters counted = counters(index);
        ContextPath path = counted != null ? counted.path() : above.child(nodes[index].name());
        all[index] = path;
        return path;
    }

    private ContextPath pathFromFirstKnown(int index, @Nullable ContextPath[] all) {
        int[] below = new int[8];
        int count = 0;
        int at = index;
        ContextPath known = all[at];
        for (; known == null; known = all[at]) {
            below = count == below.length ? Arrays.copyOf(below, 2 * count) : below;
            below[count++] = at;
            at = parents[at];
        }
        while (count > 0) {
            known = pathBelow(known, below[--count], all);
        }
        return known;
    }

    /** A look at one of the contexts. No record, as the walk it points to is a list and equals others by all that is in it. */
    static final class Visit {
        private final SnapshotWalk walk;
        private final int index;

        private Visit(SnapshotWalk walk, int index) {
            this.walk = walk;
            this.index = index;
        }

        ContextNode node() {
            return walk.node(index);
        }

        int parent() {
            return walk.parent(index);
        }

        ContextPath path() {
            return walk.path(index);
        }

        /** How many names its path has. */
        int depth() {
            return walk.depth(index);
        }

        WarningSettings settings() {
            return walk.settings(index);
        }
    }
}
