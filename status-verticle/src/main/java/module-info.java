/** What a node and its cluster are doing, over the event bus and over HTTP. */
module com.fastn.status {
    // API
    exports com.fastn.status;

    requires transitive com.fastn.context;
    requires transitive com.fastn.context.vertx;
    requires transitive io.vertx.core;
    requires io.vertx.web;
    requires io.netty.transport;
    requires io.netty.common;
    requires com.fasterxml.jackson.core;
    requires com.github.oshi;
    requires java.management;
    requires org.slf4j;
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;
}
