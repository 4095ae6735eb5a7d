/** Contexts on Vert.x: made by themselves for verticles, requests and messages, and carried over the event bus. */
module com.fastn.context.vertx {
    // API
    exports com.fastn.context.vertx;

    requires transitive com.fastn.context;
    requires transitive io.vertx.core;
    requires io.vertx.core.logging;
    requires io.netty.buffer;
    requires io.netty.codec.http;
    requires io.netty.codec.http2;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
    requires static io.vertx.web;
    requires static io.opentelemetry.api;
    requires org.slf4j;
    requires static transitive org.jspecify;
    requires static com.google.errorprone.annotations;

    provides io.vertx.core.spi.VertxServiceProvider with
            com.fastn.context.vertx.ContextSlot;
    provides io.vertx.core.spi.VerticleFactory with
            com.fastn.context.vertx.AutoInstall;
    provides com.fastn.context.spi.ContextBinding with
            com.fastn.context.vertx.VertxBinding;
}
