package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What the rules found: so many of a rule, and how many more; what settings silence is counted. */
final class Findings {
    static final int MAX_PER_RULE = 20;

    private final String rootPath;
    private final WarningSettings rootSettings;
    private final List<StatusWarning> found = new ArrayList<>();
    private final Set<String> silencedIds = new TreeSet<>();
    private long silenced;
    private int accepted;
    private long more;

    Findings(String rootPath, WarningSettings rootSettings) {
        this.rootPath = rootPath;
        this.rootSettings = rootSettings;
    }

    /** Whether one more is to be told in full. Otherwise it is counted here, and the rule goes on to the next. */
    boolean accepts(WarningRule rule, WarningSettings settings) {
        if (isSilenced(rule, settings)) {
            return false;
        }
        if (accepted == MAX_PER_RULE) {
            more++;
            return false;
        }
        accepted++;
        return true;
    }

    /** For a rule that is told of some only, and of how many more there are. */
    void leavesOut(WarningRule rule, WarningSettings settings, long count) {
        if (count > 0 && !isSilenced(rule, settings, count)) {
            more += count;
        }
    }

    /** For a rule that tells all in one sentence. */
    boolean isSilenced(WarningRule rule, WarningSettings settings) {
        return isSilenced(rule, settings, 1);
    }

    private boolean isSilenced(WarningRule rule, WarningSettings settings, long count) {
        boolean off = settings.isOff(rule.id());
        if (off) {
            silenced += count;
            silencedIds.add(rule.id());
        }
        return off;
    }

    /** Of several contexts, or of none. */
    void add(
            WarningRule rule,
            WarningSettings settings,
            String message,
            String path,
            @Nullable String next,
            @Nullable Duration since) {
        add(rule, settings, message, path, 0, next, since);
    }

    /** Of the context with that id. */
    void add(
            WarningRule rule,
            WarningSettings settings,
            String message,
            String path,
            long contextId,
            @Nullable String next,
            @Nullable Duration since) {
        found.add(new StatusWarning(
                rule.id(), settings.severity(rule.id(), rule.severity()), message, path, contextId, next, since));
    }

    void endOf(WarningRule rule) {
        if (more > 0) {
            add(rule, rootSettings, "+" + more + " more " + rule.plural(), rootPath, "what comes before it", null);
        }
        accepted = 0;
        more = 0;
    }

    /** The worst first. */
    List<StatusWarning> list() {
        if (silenced > 0) {
            found.add(new StatusWarning(
                    WarningIds.WARNINGS_SILENCED,
                    WarningSeverity.INFO,
                    silenced + (silenced == 1 ? " warning" : " warnings") + " silenced: "
                            + String.join(", ", silencedIds),
                    rootPath,
                    "which contexts have the setting fastn.warnings.off"));
        }
        found.sort(Comparator.comparing(StatusWarning::severity).reversed());
        return found;
    }
}
