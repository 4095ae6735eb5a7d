/** What happened to a tree, told after it happened. */
@NullMarked
package com.fastn.context.event;

import org.jspecify.annotations.NullMarked;
