package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.WarningSeverity;

/** A lock that is held for longer than its holder may. */
final class LockLongHeldRule extends NamedRule {
    LockLongHeldRule() {
        super(WarningIds.LOCK_LONG_HELD, WarningSeverity.WARNING, "locks long held");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        for (Evidence.HeldLock lock : evidence.locks()) {
            LockStatus status = lock.status();
            if (!status.longHeld() || LockLeakedRule.isLeaked(lock)) {
                continue;
            }
            WarningSettings settings = WarningSettings.of(lock.grant().by);
            if (findings.accepts(this, settings)) {
                findings.add(
                        this,
                        settings,
                        "Long-held lock \"" + status.name() + "\" (" + Evidence.time(status.heldDuration())
                                + ") held by " + status.heldByContext() + waiting(status),
                        status.holderPath().toString(),
                        status.holderId(),
                        whatTheHolderDoes(status),
                        status.heldDuration());
            }
        }
    }

    static String waiting(LockStatus status) {
        return status.waiters() == 0 ? "" : ", " + status.waiters() + " waiting";
    }

    /** The place to look at is the same for the lock and for all who wait for it. */
    static String whatTheHolderDoes(LockStatus lock) {
        if (!lock.told()) {
            return "what the event loop of " + lock.heldByContext()
                    + " is doing, or the thread that released the lock: " + lock.heldByContext()
                    + " is not told yet that it has it";
        }
        return "what " + lock.heldByContext()
                + (lock.heldAt() == null
                        ? " is doing while it holds the lock"
                        : " is doing since it took the lock at " + lock.heldAt());
    }
}
