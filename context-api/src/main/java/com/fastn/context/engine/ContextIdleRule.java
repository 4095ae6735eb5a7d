package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;

/** Contexts without a sign of life, all in one sentence. Roots and services wait by nature. */
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
        for (int i = 0; i < visits.size(); i++) {
            ContextNode node = visits.node(i);
            if (node.kind() == ContextKind.ROOT || node.kind() == ContextKind.SERVICE) {
                continue;
            }
            long nanos = node.idleNanos(evidence.now());
            WarningSettings settings = visits.settings(i);
            if (nanos > settings.contextIdleNanos && !findings.isSilenced(this, settings)) {
                idle++;
                if (longest == null || nanos > longestNanos) {
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
}
