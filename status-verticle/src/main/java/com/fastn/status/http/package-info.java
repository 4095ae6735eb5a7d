/**
 * How a node answers HTTP: who is let in, how much of it, and how a stream is kept alive. What is answered is given by its
 * parent package, as routes.
 *
 * <p>For readers of the code: {@code HttpGate}, {@code AccessToken}, {@code RequestBudget} and {@code ConnectionBudget} think
 * and know no Vert.x; {@code StatusServer} and {@code EventStream} wire.
 */
@NullMarked
package com.fastn.status.http;

import org.jspecify.annotations.NullMarked;
