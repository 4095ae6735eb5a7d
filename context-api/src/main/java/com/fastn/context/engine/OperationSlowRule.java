package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A context that is inside of an operation for longer than it may be. */
final class OperationSlowRule extends NamedRule {
    OperationSlowRule() {
        super(WarningIds.OPERATION_SLOW, WarningSeverity.WARNING, "operations slow");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        Map<SnapshotWalk.Visit, RunningOperation> slow = new LinkedHashMap<>();
        ShortNames slowNames = new ShortNames();
        SnapshotWalk visits = evidence.visits();
        for (int i = 0; i < visits.size(); i++) {
            RunningOperation operation = innermostSlow(visits.node(i), visits.settings(i), evidence.now());
            if (operation != null && findings.accepts(this, visits.settings(i))) {
                SnapshotWalk.Visit visit = visits.get(i);
                slow.put(visit, operation);
                slowNames.add(visit.node().id(), visit.path());
            }
        }
        slowNames.decide();
        slow.forEach((visit, operation) -> {
            long id = visit.node().id();
            String name = (evidence.names().knows(id) ? evidence.names() : slowNames).of(id);
            Duration elapsed = Duration.ofNanos(operation.elapsedNanos(evidence.now()));
            findings.add(
                    this,
                    visit.settings(),
                    name + " stuck on \"" + operation.name() + "\" (" + Evidence.time(elapsed) + ")",
                    visit.path().toString(),
                    visit.node().id(),
                    "who has to answer \"" + operation.name() + "\", and whether the wait has a timeout",
                    elapsed);
        });
    }

    /** The youngest that is slow. A fresh one beside it says nothing about the others: they may run side by side. */
    private static @Nullable RunningOperation innermostSlow(ContextNode node, WarningSettings settings, long now) {
        List<RunningOperation> running = node.operationsUnderWay();
        for (int i = running.size() - 1; i >= 0; i--) {
            if (running.get(i).elapsedNanos(now) > settings.operationSlowNanos) {
                return running.get(i);
            }
        }
        return null;
    }
}
