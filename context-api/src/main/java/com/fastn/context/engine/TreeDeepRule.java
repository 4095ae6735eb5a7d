package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.Locale;

/** A tree so deep that somebody opens children of children without end (rule C6). */
final class TreeDeepRule extends NamedRule {
    // The whole path would be as long as the tree is deep.
    private static final int MAX_PATH = 8;

    TreeDeepRule() {
        super(WarningIds.TREE_DEEP, WarningSeverity.WARNING, "branches deep");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        SnapshotWalk.Visit deepest = null;
        long longestNanos = 0;
        SnapshotWalk visits = evidence.visits();
        for (int i = 0; i < visits.size(); i++) {
            int depth = visits.depth(i);
            if (depth > visits.settings(i).treeDeep) {
                // The tree is too deep for as long as the oldest of those that are too deep lives.
                longestNanos = Math.max(longestNanos, visits.node(i).ageNanos(evidence.now()));
                if (deepest == null || depth > deepest.depth()) {
                    deepest = visits.get(i);
                }
            }
        }
        if (deepest == null || findings.isSilenced(this, deepest.settings())) {
            return;
        }
        SnapshotWalk.Visit where = deepest;
        while (where.depth() > MAX_PATH && where.parent() >= 0) {
            where = visits.get(where.parent());
        }
        findings.add(
                this,
                deepest.settings(),
                "Tree is " + String.format(Locale.ROOT, "%,d", deepest.depth()) + " contexts deep, below "
                        + evidence.shortName(where),
                where.path().toString(),
                where.node().id(),
                "whether " + deepest.node().name() + " opens a child in itself for each step; open it in a parent",
                Duration.ofNanos(longestNanos));
    }
}
