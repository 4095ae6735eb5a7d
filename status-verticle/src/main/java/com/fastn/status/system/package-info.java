/**
 * The machine under the application: read only when somebody asks, and never on an event loop.
 *
 * <p>{@link com.fastn.status.system.SystemSampler} keeps the last readings and knows how old each of them is;
 * {@link com.fastn.status.system.SamplerThread} takes new ones. {@link com.fastn.status.system.OshiMachine} is the only
 * class that sees OSHI.
 */
@NullMarked
package com.fastn.status.system;

import org.jspecify.annotations.NullMarked;
