package com.fastn.context.engine;

import com.fastn.context.WarningIds;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.WarningSeverity;
import java.util.HashMap;
import java.util.Map;

/** A wait for a lock that is longer than the waiter may wait. */
final class WaiterStuckRule extends NamedRule {
    WaiterStuckRule() {
        super(WarningIds.WAITER_STUCK, WarningSeverity.WARNING, "waiters stuck");
    }

    @Override
    public void judge(Evidence evidence, Findings findings) {
        // The one that holds it for the longest: the locks come in that order.
        Map<Long, LockStatus> locks = new HashMap<>();
        evidence.locks().forEach(lock -> locks.putIfAbsent(lock.status().lockId(), lock.status()));
        for (Evidence.WaitingContext waiting : evidence.waiters()) {
            LockWaiter waiter = waiting.status();
            if (!waiter.stuck()) {
                continue;
            }
            WarningSettings settings = WarningSettings.of(waiting.node());
            if (findings.accepts(this, settings)) {
                LockStatus lock = locks.get(waiter.lockId());
                findings.add(
                        this,
                        settings,
                        waiter.contextName() + " stuck waiting (" + Evidence.time(waiter.waitingDuration()) + ") for \""
                                + waiter.lockName() + "\"" + (waiter.waitsAt() == null ? "" : " at " + waiter.waitsAt())
                                + (lock == null
                                        ? ""
                                        : (lock.told() ? ", held by " : ", granted to ") + lock.heldByContext()),
                        waiter.contextPath().toString(),
                        waiter.contextId(),
                        lock == null
                                ? "what the holder is doing while it holds the lock"
                                : LockLongHeldRule.whatTheHolderDoes(lock),
                        waiter.waitingDuration());
            }
        }
    }
}
