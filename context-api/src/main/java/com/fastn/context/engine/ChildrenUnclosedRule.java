package com.fastn.context.engine;

import com.fastn.context.Unclosed;
import com.fastn.context.WarningIds;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;

/** A context that was closed some time ago, and is still there because children of it are open. */
final class ChildrenUnclosedRule extends NamedRule {
    ChildrenUnclosedRule() {
        super(WarningIds.CHILDREN_UNCLOSED, WarningSeverity.WARNING, "contexts with unclosed children");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        SnapshotWalk visits = evidence.visits();
        for (int i = 0; i < visits.size(); i++) {
            ContextNode node = visits.node(i);
            if (node.state() != ContextState.CLOSING) {
                continue;
            }
            long closing = node.closingNanos(evidence.now());
            if (closing > visits.settings(i).childrenUnclosedNanos) {
                judge(evidence, visits.get(i), Duration.ofNanos(closing), findings);
            }
        }
        LeakTracker leaks = evidence.runtime().leaks();
        if (leaks != null && evidence.visits().get(0).node().parent() == null) {
            leaks.lostWithoutLock().forEach(opened -> judge(opened, evidence, findings));
        }
    }

    /** In strict mode: an operation or a live count whose handle is gone, so that nobody can close it (rule L11). */
    private void judge(LeakTracker.Opened opened, Evidence evidence, Findings findings) {
        WarningSettings settings = WarningSettings.of(opened.node());
        if (findings.accepts(this, settings)) {
            Unclosed unclosed = opened.unclosed(evidence.now());
            findings.add(
                    this,
                    settings,
                    "The handle of " + unclosed.kind().text() + " \"" + unclosed.name() + "\" was let go unclosed",
                    unclosed.path().toString(),
                    opened.node().id(),
                    "the code that opened it, at " + unclosed.place(),
                    unclosed.age());
        }
    }

    private void judge(Evidence evidence, SnapshotWalk.Visit visit, Duration closing, Findings findings) {
        ContextNode oldest = null;
        int open = 0;
        for (ContextNode child : visit.node().childNodes()) {
            // One that closes itself waits for its own children, and is told of there.
            if (child.state() == ContextState.ACTIVE) {
                open++;
                oldest = oldest == null ? child : oldest;
            }
        }
        if (oldest == null || !findings.accepts(this, visit.settings())) {
            return;
        }
        String age = Evidence.time(Duration.ofNanos(oldest.durationNanos(evidence.now())));
        findings.add(
                this,
                visit.settings(),
                evidence.shortName(visit) + " was closed " + Evidence.time(closing) + " ago, but "
                        + (open == 1
                                ? "1 child is open: " + oldest.name() + " for " + age
                                : open + " children are open, the oldest " + oldest.name() + " for " + age),
                visit.path().toString(),
                visit.node().id(),
                "who opened " + oldest.name() + " and does not close it; in strict mode runtime.unclosed() tells",
                closing);
    }
}
