package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.WarningSeverity;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** Good news of the machine, after which there is nothing to look at. */
final class UsageNormalRule extends NamedRule {
    UsageNormalRule() {
        super(WarningIds.USAGE_NORMAL, WarningSeverity.INFO, "figures normal");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        WarningSettings settings = WarningSettings.of(evidence.runtime().root());
        List<String> normal = Stream.of(UsageHighRule.CPU, UsageHighRule.MEMORY, UsageHighRule.DISK)
                .map(usage -> usage.goodNews(evidence, settings))
                .filter(Objects::nonNull)
                .toList();
        if (!normal.isEmpty() && !findings.isSilenced(this, settings)) {
            findings.add(this, settings, String.join(", ", normal), evidence.rootPath(), null, null);
        }
    }
}
