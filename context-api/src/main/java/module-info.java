/** Hierarchical contexts, counters, named locks, operations and their status, for any Java program. */
@SuppressWarnings("requires-automatic") // HdrHistogram has no module name of its own
module com.fastn.context {
    // API
    exports com.fastn.context;
    exports com.fastn.context.event;
    exports com.fastn.context.status;

    // SPI
    exports com.fastn.context.spi;

    // Internal, for our own binding to Vert.x
    exports com.fastn.context.engine to
            com.fastn.context.vertx;

    requires transitive com.fasterxml.jackson.databind;
    requires com.fasterxml.jackson.core;
    requires org.slf4j;
    requires HdrHistogram;
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;

    uses com.fastn.context.ContextEngine;
    uses com.fastn.context.spi.ContextBinding;

    provides com.fastn.context.ContextEngine with
            com.fastn.context.engine.Engine;
}
