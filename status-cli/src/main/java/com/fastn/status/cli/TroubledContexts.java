package com.fastn.status.cli;

import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.util.HashSet;
import java.util.Set;

/** Which contexts of a status are in trouble: stuck, holding a lock for long, or warned of. */
final class TroubledContexts {
    private final Set<Long> ids = new HashSet<>();
    private final Set<String> paths = new HashSet<>();

    TroubledContexts(StatusSnapshot snapshot) {
        snapshot.lockWaiters().stream()
                .filter(LockWaiter::stuck)
                .map(LockWaiter::contextId)
                .forEach(ids::add);
        snapshot.activeLocks().stream()
                .filter(LockStatus::longHeld)
                .map(LockStatus::holderId)
                .forEach(ids::add);
        for (StatusWarning warning : snapshot.warnings()) {
            if (warning.severity() != WarningSeverity.INFO && warning.contextId() != 0) {
                ids.add(warning.contextId());
            } else if (warning.severity() != WarningSeverity.INFO) {
                // Of several at this path, or of nobody knows which: nodes of before tell no more.
                paths.add(warning.contextPath());
            }
        }
        // What is said of the machine and of the whole is said of no context.
        paths.remove(snapshot.globalContext().path().toString());
    }

    boolean has(ContextStatus context) {
        return ids.contains(context.id())
                || context.operations().stream().anyMatch(OperationStatus::stuck)
                || (!paths.isEmpty() && paths.contains(context.path().toString()));
    }
}
