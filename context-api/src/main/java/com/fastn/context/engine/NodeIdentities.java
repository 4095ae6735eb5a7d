package com.fastn.context.engine;

import com.fastn.context.status.NodeIdentity;
import java.security.SecureRandom;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Makes the identity of a node. */
final class NodeIdentities {
    private NodeIdentities() {}

    static NodeIdentity make(@Nullable String alias, Instant boot) {
        // The boot time stands first and has a fixed width, so that of two incarnations the later one sorts last (D3).
        String incarnation = String.format("%012x-%016x", boot.toEpochMilli(), new SecureRandom().nextLong());
        return new NodeIdentity(alias != null ? Names.clean(alias) : defaultAlias(), incarnation);
    }

    private static String defaultAlias() {
        String set = System.getenv("FASTN_ALIAS");
        if (set != null && !set.isBlank()) {
            return Names.clean(set.trim());
        }
        // Not by name service, which may block for seconds.
        String host = System.getenv("HOSTNAME");
        long pid = ProcessHandle.current().pid();
        return Names.clean((host == null || host.isBlank() ? "node" : host.trim()) + "-" + pid);
    }
}
