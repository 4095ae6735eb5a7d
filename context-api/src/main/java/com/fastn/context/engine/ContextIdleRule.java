package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.BitSet;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/**
 * Contexts without a sign of life that nothing keeps alive, all in one sentence. Roots and services wait by nature. What runs on a
 * thread, is inside of an operation, holds a lock or waits for one is told of by other rules, if at all; and whoever has a child
 * that is not idle is open for it.
 */
final class ContextIdleRule extends NamedRule {
    ContextIdleRule() {
        super(WarningIds.CONTEXT_IDLE, WarningSeverity.INFO, "contexts idle");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        int idle = 0;
        SnapshotWalk.Visit longest = null;
        long longestNanos = 0;
        SnapshotWalk visits = evidence.visits();
        Set<ContextNode> ofLocks = ofLocks(evidence);
        BitSet live = new BitSet();
        // From the end on: children stand behind their parent.
        for (int i = visits.size() - 1; i >= 0; i--) {
            ContextNode node = visits.node(i);
            long nanos = node.idleNanos(evidence.now());
            WarningSettings settings = visits.settings(i);
            if (live.get(i)
                    || nanos <= settings.contextIdleNanos
                    || node.kind() == ContextKind.ROOT
                    || node.kind() == ContextKind.SERVICE
                    || node.isOnThread()
                    || node.isInOperation()
                    || ofLocks.contains(node)) {
                if (i > 0) {
                    live.set(visits.parent(i));
                }
            } else if (!findings.isSilenced(this, settings)) {
                idle++;
                // Of several, the one that was opened first.
                if (longest == null || nanos >= longestNanos) {
                    longest = visits.get(i);
                    longestNanos = nanos;
                }
            }
        }
        if (longest == null) {
            return;
        }
        Duration age = Duration.ofNanos(longestNanos);
        String who = evidence.shortName(longest);
        findings.add(
                this,
                longest.settings(),
                idle == 1
                        ? who + " idle for " + Evidence.time(age)
                        : idle + " contexts idle, the longest " + who + " for " + Evidence.time(age),
                longest.path().toString(),
                longest.node().id(),
                "whether " + who + " is done and was never closed; touch() says that it lives",
                age);
    }

    private static Set<ContextNode> ofLocks(Evidence evidence) {
        Set<ContextNode> all = Collections.newSetFromMap(new IdentityHashMap<>());
        evidence.locks().forEach(lock -> all.add(lock.grant().by));
        evidence.waiters().forEach(waiter -> all.add(waiter.node()));
        return all;
    }
}
