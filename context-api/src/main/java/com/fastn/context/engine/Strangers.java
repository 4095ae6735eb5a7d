package com.fastn.context.engine;

/**
 * Contexts of other runtimes of this process, which may have or want a lock of this one: such as one that is kept in a static
 * field, and used by two Vertx. Ids count in their own runtime, so that of a stranger means another context in this tree, or none.
 * What is told in its place is negative, as no id of a context is, the same as long as the stranger lives, and another one for
 * each.
 */
final class Strangers {
    /** Together with the bits that tell runtimes apart few enough that a double holds them (rule M2). */
    private static final int ID_BITS = 32;

    private static final long ID_MASK = (1L << ID_BITS) - 1;
    private static final int RUNTIME_BITS = 20;
    /** Spreads over all bits what differs in some. */
    private static final int GOLDEN_RATIO = 0x9E3779B9;

    private Strangers() {}

    static boolean isOne(EngineRuntime runtime, ContextNode node) {
        return node.runtime() != runtime;
    }

    /** {@return the id by which a runtime tells of a context} */
    static long idIn(EngineRuntime runtime, ContextNode node) {
        return isOne(runtime, node) ? -(runtimeBits(node) << ID_BITS | (node.id() & ID_MASK)) - 1 : node.id();
    }

    /** Two runtimes of one process have the same only once in a million. */
    private static long runtimeBits(ContextNode node) {
        int hash = node.runtime().node().incarnation().hashCode() * GOLDEN_RATIO;
        return Integer.toUnsignedLong(hash) >>> (Integer.SIZE - RUNTIME_BITS);
    }

    /** Adds a context to those that are to have short names; a stranger needs none. */
    static void add(EngineRuntime runtime, ShortNames names, ContextNode node) {
        if (!isOne(runtime, node)) {
            names.add(node.id(), node.path());
        }
    }

    /** {@return the short name of a context, with its node where that is another one} */
    static String name(EngineRuntime runtime, ShortNames names, ContextNode node) {
        return isOne(runtime, node) ? node.name() + "@" + node.runtime().node().alias() : names.of(node.id());
    }
}
