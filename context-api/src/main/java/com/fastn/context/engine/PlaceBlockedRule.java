package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.BlockedPlace;
import com.fastn.context.status.CauseKind;
import com.fastn.context.status.WarningSeverity;

/** An event loop that somebody holds up, or a worker pool that is full for long. */
final class PlaceBlockedRule implements WarningRule {
    @Override
    public String id() {
        return WarningIds.PLACE_BLOCKED;
    }

    @Override
    public WarningSeverity severity() {
        return WarningSeverity.WARNING;
    }

    @Override
    public String plural() {
        return "event loops and pools blocked";
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        WarningSettings settings = WarningSettings.of(evidence.runtime().root());
        for (BlockedPlace place : evidence.causes().blocked()) {
            if (!findings.accepts(this, settings)) {
                continue;
            }
            ContextNode by = place.busy().isEmpty()
                    ? null
                    : evidence.runtime().find(place.busy().get(0));
            String where = place.at().isEmpty() ? "" : " at " + place.at();
            String who = by == null ? "" : " by " + by.path();
            findings.add(
                    this,
                    settings,
                    place.kind() == CauseKind.POOL
                            ? "worker pool \"" + place.name() + "\" is full (" + Evidence.time(place.since()) + "), "
                                    + place.queued() + " queued"
                            : "event loop " + place.name() + " is blocked (" + Evidence.time(place.since()) + ")" + who
                                    + where,
                    by == null ? evidence.rootPath() : by.path().toString(),
                    by == null ? 0 : by.id(),
                    place.kind() == CauseKind.POOL ? "what its tasks wait for" : "what the code there waits for",
                    place.since());
        }
    }
}
