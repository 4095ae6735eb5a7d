/**
 * Contexts on Vert.x.
 *
 * <p>A tour: with this jar on the class path, each {@link io.vertx.core.Vertx} has a tree of contexts, its {@link
 * com.fastn.context.vertx.FastnVertx}. Each verticle is a service in it, each HTTP request a child of the port that it came to,
 * and each event bus message a child of the verticle that consumes it; a message knows who called it, on this node or another. {@link
 * com.fastn.context.vertx.FutureContext} gives code that works with Vert.x futures its children, locks and counters.
 * Whoever consumes {@link com.fastn.context.vertx.Addresses#EVENTS_LOCKS} and its sisters hears of changes in {@linkplain
 * com.fastn.context.vertx.EventFrame frames}.
 *
 * <p>How it is done: {@code ContextSlot} holds the place where the current context of a Vert.x context is kept, {@code
 * VertxBinding} reads and writes it for the engine, {@code AutoInstall} has every new Vertx installed. {@code
 * VerticleContexts}, {@code BusContexts} and {@code ContextTracer} make the contexts of verticles, messages and requests.
 * {@code EventPublisher} drains {@code EventJournal}s into frames.
 */
@NullMarked
package com.fastn.context.vertx;

import org.jspecify.annotations.NullMarked;
