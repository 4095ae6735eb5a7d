/** A door into the engine for proofs that need a state which only chance brings about. */
@org.jspecify.annotations.NullMarked
package com.fastn.context.engine;
