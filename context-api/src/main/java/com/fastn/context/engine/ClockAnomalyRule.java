package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;

/** A clock for durations that showed less than before, so that what is told of times is perhaps too short (rule M7). */
final class ClockAnomalyRule extends NamedRule {
    ClockAnomalyRule() {
        super(WarningIds.CLOCK_ANOMALY, WarningSeverity.WARNING, "clocks went back");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        long looks = evidence.runtime().counterStore().clockAnomalies();
        Duration since = evidence.runtime().seenSince().look(id(), looks > 0, evidence.now());
        WarningSettings settings = WarningSettings.of(evidence.runtime().root());
        if (looks > 0 && !findings.isSilenced(this, settings)) {
            findings.add(
                    this,
                    settings,
                    "The clock went back, as " + HumanText.count(looks) + (looks == 1 ? " look" : " looks")
                            + " at it found: durations may be told too short",
                    evidence.rootPath(),
                    "the clock source of the machine or of its virtual machine, or the Ticker that the runtime was given",
                    since);
        }
    }
}
