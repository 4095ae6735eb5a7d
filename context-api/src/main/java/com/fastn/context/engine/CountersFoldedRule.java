package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.Locale;

/** Counters of so many paths or names that some are no longer kept apart (rule M4). */
final class CountersFoldedRule extends NamedRule {
    CountersFoldedRule() {
        super(WarningIds.COUNTERS_FOLDED, WarningSeverity.WARNING, "folded counters");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        long folded = evidence.runtime().counterStore().folded();
        Duration since = evidence.runtime().seenSince().look(id(), folded > 0, evidence.now());
        WarningSettings settings = WarningSettings.of(evidence.runtime().root());
        if (folded > 0 && !findings.isSilenced(this, settings)) {
            findings.add(
                    this,
                    settings,
                    "Counters of paths were folded into __folded__ of their parents "
                            + String.format(Locale.ROOT, "%,d", folded) + (folded == 1 ? " time" : " times"),
                    evidence.rootPath(),
                    "which names are made of values, such as user ids: name the kind of work instead",
                    since);
        }
    }
}
