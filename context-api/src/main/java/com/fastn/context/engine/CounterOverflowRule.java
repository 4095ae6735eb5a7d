package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Totals that reached the greatest number and stay there, and sums of a tree that do (rule M1). */
final class CounterOverflowRule extends NamedRule {
    private static final String GREATEST = HumanText.count(Long.MAX_VALUE);
    private static final String NEXT =
            "what is added to it: numbers that are no amounts, or a unit that is too small, such as nanoseconds";

    CounterOverflowRule() {
        super(WarningIds.COUNTER_OVERFLOW, WarningSeverity.WARNING, "counters overflowed");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        Miscounts miscounts = evidence.runtime().counterStore().miscounts();
        ContextPath top = evidence.visits().path(0);
        WarningSettings settings = WarningSettings.of(evidence.runtime().root());
        Set<String> told = new HashSet<>();
        for (CounterCell cell : miscounts.overflows()) {
            ContextPath path = cell.path().path();
            if (path.startsWith(top)) {
                told.add(cell.name());
                String what = "Total \"" + cell.name() + "\" of " + path + " reached " + GREATEST
                        + ", the greatest number, and stays there";
                judge(evidence, findings, settings, path, cell.name(), what);
            }
        }
        for (Map.Entry<String, Long> sum : evidence.totals().entrySet()) {
            if (sum.getValue() == Long.MAX_VALUE && !told.contains(sum.getKey())) {
                String what = "Totals \"" + sum.getKey() + "\" of " + top + " and all below it add up to " + GREATEST
                        + " or more, and that much is told";
                judge(evidence, findings, settings, top, sum.getKey(), what);
            }
        }
        if (top.parent() == null) {
            // Nobody knows where these are.
            findings.leavesOut(this, settings, miscounts.moreOverflows());
        }
    }

    private void judge(
            Evidence evidence,
            Findings findings,
            WarningSettings settings,
            ContextPath path,
            String counter,
            String what) {
        if (findings.accepts(this, settings)) {
            String which = id() + " " + path.child(counter);
            Duration since = evidence.runtime().seenSince().look(which, true, evidence.now());
            findings.add(this, settings, what, path.toString(), NEXT, since);
        }
    }
}
