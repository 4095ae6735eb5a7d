package com.fastn.context.engine;

/**
 * Contexts of other runtimes of this process, which may have or want a lock of this one: such as one that is kept in a static
 * field, and used by two Vertx. Ids count in their own runtime, so that of a stranger means another context in this tree, or none.
 */
final class Strangers {
    /** What is told in place of the id of a stranger; no context has it. */
    static final long ID = 0;

    private Strangers() {}

    static boolean isOne(EngineRuntime runtime, ContextNode node) {
        return node.runtime() != runtime;
    }

    /** {@return the id by which a runtime tells of a context} */
    static long idIn(EngineRuntime runtime, ContextNode node) {
        return isOne(runtime, node) ? ID : node.id();
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
