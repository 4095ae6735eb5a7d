/**
 * A cluster of several JVMs, and what its nodes say of each other while some of them are killed or stand still.
 *
 * <p>alice takes orders over HTTP, bob has them fulfilled one at a time, carol takes the money: {@code ShopNode} is each of
 * them. dave, a {@code StrangerNode}, is in the same cluster and has nothing of this project on its class path. The tests talk
 * to all of them through {@code Jvm} and {@code Control}.
 *
 * <p>A {@code Fleet} of {@code FleetNode}s is what a {@code FaultPlan} is done to by a {@code FaultRun}, in a {@code Network} where
 * there can be one. {@code ChainNode}s have a {@code Root} planted on one of them and waits for it on others.
 */
@NullMarked
package com.fastn.verification.cluster;

import org.jspecify.annotations.NullMarked;
