/**
 * What a node and its cluster are doing, over the event bus and over HTTP.
 *
 * <p>Deploy a {@link com.fastn.status.StatusVerticle} on each node; {@link com.fastn.status.StatusOptions} says how it
 * behaves. Then {@code eventBus.request("fastn.status", null)} from any verticle on any node answers for the whole
 * cluster, {@code eventBus.consumer("fastn.status", ..)} hears of changes of its own node, and the node's HTTP port answers
 * even while every thread of the application is blocked.
 *
 * <p>For readers of the code: what thinks knows no Vert.x ({@code StatusQuery}, {@code NodeDirectory},
 * {@code SnapshotView}, {@code HttpGate}); what is called service, exchange, publisher, port or
 * query only wires.
 */
@NullMarked
package com.fastn.status;

import org.jspecify.annotations.NullMarked;
