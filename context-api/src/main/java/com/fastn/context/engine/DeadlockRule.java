package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.ContextRef;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** Contexts that wait for each other: as a proof, and one severity lower as a suspicion (rule L14). */
enum DeadlockRule implements WarningRule {
    PROVEN(WarningIds.DEADLOCK, WarningSeverity.CRITICAL, "deadlocks"),
    SUSPECTED(WarningIds.DEADLOCK_SUSPECTED, WarningSeverity.WARNING, "suspected deadlocks");

    private final String id;
    private final WarningSeverity severity;
    private final String plural;

    DeadlockRule(String id, WarningSeverity severity, String plural) {
        this.id = id;
        this.severity = severity;
        this.plural = plural;
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public WarningSeverity severity() {
        return severity;
    }

    @Override
    public String plural() {
        return plural;
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        WarningSettings settings = WarningSettings.of(evidence.runtime().root());
        for (DeadlockReport report : evidence.causes().deadlocks()) {
            if (report.proven() == (this == PROVEN) && findings.accepts(this, settings)) {
                ContextRef first = firstOf(evidence.runtime(), report);
                findings.add(
                        this,
                        settings,
                        report.cycle(),
                        first == null ? evidence.runtime().root().path().toString() : first.path(),
                        first == null ? 0 : first.contextId(),
                        report.proven()
                                ? "take these locks in one order everywhere, or cancel one of these contexts"
                                : "whether another branch of one of them is about to release its guard",
                        age(report));
            }
        }
        DeadlockDetector.Told told = evidence.known().deadlocks();
        findings.leavesOut(this, settings, this == PROVEN ? told.moreProven() : told.moreSuspected());
    }

    /** The first of them that is of this runtime: ids count in each. */
    private static @Nullable ContextRef firstOf(EngineRuntime runtime, DeadlockReport report) {
        return report.parties().stream()
                .map(DeadlockReport.Party::context)
                .filter(context ->
                        context.node().incarnation().equals(runtime.node().incarnation()))
                .findFirst()
                .orElse(null);
    }

    /** It is there since the last one of them began to wait. */
    private static Duration age(DeadlockReport report) {
        return report.parties().stream()
                .map(DeadlockReport.Party::waited)
                .min(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
    }
}
