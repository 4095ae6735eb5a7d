package com.fastn.context.vertx;

import io.vertx.core.Vertx;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Gives every Vertx of a test class a tree of its own, by having another one adopt the default runtime: totals outlive their
 * contexts, and those of one test are none of the next one's business.
 */
final class OwnTree implements BeforeAllCallback, AfterAllCallback {
    private static final ExtensionContext.Namespace SPACE = ExtensionContext.Namespace.create(OwnTree.class);

    @Override
    public void beforeAll(ExtensionContext test) {
        test.getStore(SPACE).put(OwnTree.class, Vertx.vertx());
    }

    @Override
    public void afterAll(ExtensionContext test) {
        Waiting.result(test.getStore(SPACE).remove(OwnTree.class, Vertx.class).close());
    }
}
