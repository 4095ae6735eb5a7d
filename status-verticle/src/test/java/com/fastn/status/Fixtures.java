package com.fastn.status;

import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockType;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.NodeIdentity;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusSnapshot;
import com.fastn.context.status.StatusWarning;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Status that was thought up. */
final class Fixtures {
    static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    private Fixtures() {}

    static ContextStatus context(
            long id, ContextPath path, List<OperationStatus> operations, ContextStatus... children) {
        return new ContextStatus(
                id,
                path.leaf(),
                path.leaf(),
                path,
                path.depth() == 1 ? ContextKind.ROOT : ContextKind.TASK,
                ContextState.ACTIVE,
                null,
                null,
                Duration.ofSeconds(10),
                Duration.ZERO,
                null,
                false,
                null,
                operations,
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                List.of(children),
                FoldedChildren.NONE);
    }

    static ContextStatus context(long id, String path, ContextStatus... children) {
        return context(id, ContextPath.parse(path), List.of(), children);
    }

    static StatusSnapshot snapshot(NodeIdentity node, long version, ContextStatus root) {
        return snapshot(node, version, root, List.of(), List.of(), List.of());
    }

    static StatusSnapshot snapshot(
            NodeIdentity node,
            long version,
            ContextStatus root,
            List<LockStatus> locks,
            List<LockWaiter> waiters,
            List<StatusWarning> warnings) {
        return new StatusSnapshot(node, NOW, version, null, root, locks, waiters, warnings);
    }

    static LockStatus lock(long lockId, long holderId, String holderPath) {
        ContextPath path = ContextPath.parse(holderPath);
        return new LockStatus(
                "orders", lockId, LockType.MUTEX, path.leaf(), holderId, path, Duration.ofSeconds(12), 1, 1, true);
    }

    static LockWaiter waiter(long lockId, long contextId, String contextPath) {
        ContextPath path = ContextPath.parse(contextPath);
        return new LockWaiter(path.leaf(), contextId, path, "orders", lockId, Duration.ofSeconds(8), true);
    }
}
