package com.fastn.status;

import com.fastn.context.status.NodeIdentity;

/** When a node began, as far as its identity tells. */
final class BootTime {
    private BootTime() {}

    static long of(NodeIdentity node) {
        return 0;
    }
}
