package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.WarningSeverity;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Names that look the same on a screen and are two, so that rows which seem to belong together do not (rule M6). */
final class LookAlikeNamesRule extends NamedRule {
    LookAlikeNamesRule() {
        super(WarningIds.NAMES_LOOK_ALIKE, WarningSeverity.INFO, "names look like others");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        List<LookAlikes.Pair> pairs = evidence.runtime().names().lookAlikes().pairs();
        if (pairs.isEmpty()) {
            return;
        }
        Map<String, Integer> bearers = bearers(evidence.visits(), pairs);
        boolean whole = evidence.visits().node(0).parent() == null;
        for (LookAlikes.Pair pair : pairs) {
            Integer later = bearers.get(pair.later());
            Integer bearer = later != null ? later : bearers.get(pair.first());
            if (bearer != null || whole) {
                judge(evidence, findings, pair, evidence.visits().get(bearer == null ? 0 : bearer));
            }
        }
    }

    /** The youngest open context of each of the names. */
    private static Map<String, Integer> bearers(SnapshotWalk visits, List<LookAlikes.Pair> pairs) {
        Set<String> names = new HashSet<>();
        for (LookAlikes.Pair pair : pairs) {
            names.add(pair.first());
            names.add(pair.later());
        }
        Map<String, Integer> bearers = new HashMap<>();
        for (int i = 0; i < visits.size(); i++) {
            String name = visits.node(i).name();
            if (names.contains(name)) {
                bearers.put(name, i);
            }
        }
        return bearers;
    }

    private void judge(Evidence evidence, Findings findings, LookAlikes.Pair pair, SnapshotWalk.Visit where) {
        if (!findings.accepts(this, where.settings())) {
            return;
        }
        String first = Sanitizer.ascii(pair.first());
        String later = Sanitizer.ascii(pair.later());
        Duration since = evidence.runtime().seenSince().look(id() + " " + first + " " + later, true, evidence.now());
        findings.add(
                this,
                where.settings(),
                "Names \"" + first + "\" and \"" + later + "\" are two and look the same",
                where.path().toString(),
                where.node().parent() == null ? 0 : where.node().id(),
                "where they come from: of names from outside choose one form, such as that of java.text.Normalizer (NFC)",
                since);
    }
}
