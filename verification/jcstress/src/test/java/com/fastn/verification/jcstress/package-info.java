/** Races of two actors on one small tree, and what is never seen of them. */
@NullMarked
package com.fastn.verification.jcstress;

import org.jspecify.annotations.NullMarked;
