package com.fastn.context.engine;

import com.fastn.context.status.StatusWarning;
import java.util.List;

/** What is worth a look in a snapshot. Ages are opinions; none of these is ever called a deadlock (rule L15). */
final class WarningRules {
    /** In the order in which warnings of one severity are told. */
    static final List<WarningRule> ALL = List.of(
            DeadlockRule.PROVEN,
            DeadlockRule.SUSPECTED,
            new PlaceBlockedRule(),
            new LockLeakedRule(),
            new LockLongHeldRule(),
            new WaiterStuckRule(),
            new OperationSlowRule(),
            new ChildrenUnclosedRule(),
            new TreeDeepRule(),
            new ContextIdleRule(),
            new CounterOverflowRule(),
            new CounterUnderflowRule(),
            new CountersFoldedRule(),
            new LookAlikeNamesRule(),
            new ClockAnomalyRule(),
            UsageHighRule.CPU,
            UsageHighRule.MEMORY,
            UsageHighRule.DISK,
            new UsageNormalRule());

    private WarningRules() {}

    static List<StatusWarning> judge(Evidence evidence) {
        Findings findings = new Findings(
                evidence.rootPath(), WarningSettings.of(evidence.runtime().root()));
        for (WarningRule rule : ALL) {
            rule.judge(evidence, findings);
            findings.endOf(rule);
        }
        return findings.list();
    }
}
