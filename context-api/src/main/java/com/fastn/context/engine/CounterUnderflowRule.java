package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;

/** Live counts of which more was taken than added: they stay at 0, and whatever they count is perhaps counted wrong (rule M3). */
final class CounterUnderflowRule extends NamedRule {
    CounterUnderflowRule() {
        super(WarningIds.COUNTER_UNDERFLOW, WarningSeverity.INFO, "live counts were taken from below 0");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        ContextPath top = evidence.visits().path(0);
        WarningSettings settings = WarningSettings.of(evidence.runtime().root());
        for (Miscounts.Underflow each :
                evidence.runtime().counterStore().miscounts().underflows()) {
            if (each.path().startsWith(top) && findings.accepts(this, settings)) {
                String which = id() + " " + each.path().child(each.counter());
                Duration since = evidence.runtime().seenSince().look(which, true, evidence.now());
                findings.add(
                        this,
                        settings,
                        "Live count \"" + each.counter() + "\" of " + each.path() + " was decremented "
                                + HumanText.count(each.times()) + (each.times() == 1 ? " time" : " times")
                                + " more than its contexts had added",
                        each.path().toString(),
                        "who calls decrementLive(..) twice, or in another context than incrementLive(..); the handle of"
                                + " trackLive(..) counts once",
                        since);
            }
        }
    }
}
