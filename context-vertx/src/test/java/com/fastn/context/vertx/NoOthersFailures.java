package com.fastn.context.vertx;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Who waits for something is not failed by what nobody caught in any thread of the process meanwhile, as Awaitility does
 * unless it is told so: a worker of the Vertx of the test before may meet an event loop that is gone. JUnit finds this class as a service.
 */
public final class NoOthersFailures implements BeforeAllCallback {
    /** Made by the service loader. */
    public NoOthersFailures() {}

    @Override
    public void beforeAll(ExtensionContext context) {
        Awaitility.doNotCatchUncaughtExceptionsByDefault();
    }
}
