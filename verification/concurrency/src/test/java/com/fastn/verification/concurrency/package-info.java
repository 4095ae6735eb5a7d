/** Proofs about races, in the tree and in the locks. */
@NullMarked
package com.fastn.verification.concurrency;

import org.jspecify.annotations.NullMarked;
