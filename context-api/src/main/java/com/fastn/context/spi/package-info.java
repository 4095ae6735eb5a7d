/**
 * What an environment plugs in: where the current context lives, and where tasks and completions are dispatched.
 *
 * <p>Found as a service; without one, the current context lives on the thread.
 */
@NullMarked
package com.fastn.context.spi;

import org.jspecify.annotations.NullMarked;
