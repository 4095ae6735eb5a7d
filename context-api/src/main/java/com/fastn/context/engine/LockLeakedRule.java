package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.WarningSeverity;

/** A lock that nobody may give back any more: its holder has ended, but the critical section may still run (rule L10). */
final class LockLeakedRule extends NamedRule {
    LockLeakedRule() {
        super(WarningIds.LOCK_LEAKED, WarningSeverity.CRITICAL, "locks leaked");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        for (Evidence.HeldLock lock : evidence.locks()) {
            if (!isLeaked(lock)) {
                continue;
            }
            WarningSettings settings = WarningSettings.of(lock.grant().by);
            if (findings.accepts(this, settings)) {
                LockStatus status = lock.status();
                findings.add(
                        this,
                        settings,
                        "Leaked lock \"" + status.name() + "\" (" + Evidence.time(status.heldDuration()) + ") held by "
                                + status.heldByContext() + ", which "
                                + (isLost(lock)
                                        ? "let its guard go unclosed"
                                        : lock.grant().scoped ? "has ended, while its withLock goes on" : "has ended")
                                + LockLongHeldRule.waiting(status),
                        status.holderPath().toString(),
                        status.holderId(),
                        "what " + status.heldByContext() + " left undone; "
                                + (lock.grant().scoped
                                        ? "let the stage or future that the work gives end"
                                        : "close the guard before the context, or use withLock")
                                + openedAt(lock),
                        status.heldDuration());
            }
        }
    }

    /** Work of a {@code withLock} may well outlive its context for a while; after too long nobody may be left to end it. */
    static boolean isLeaked(Evidence.HeldLock lock) {
        Grant<?> grant = lock.grant();
        if (!lock.status().told()) {
            // It goes on to the next one when it would reach a context that has ended.
            return false;
        }
        return grant.scoped ? lock.status().longHeld() && lock.isLeftBehind() : lock.isLeftBehind() || isLost(lock);
    }

    private static boolean isLost(Evidence.HeldLock lock) {
        LeakTracker.Opened opened = lock.grant().opened;
        return opened != null && opened.isLost();
    }

    private static String openedAt(Evidence.HeldLock lock) {
        LeakTracker.Opened opened = lock.grant().opened;
        String place = opened == null ? lock.status().heldAt() : opened.place();
        return place == null ? "" : "; it was locked at " + place;
    }
}
