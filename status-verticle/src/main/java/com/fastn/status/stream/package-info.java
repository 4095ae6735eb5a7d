/**
 * A stream of the status of nodes: numbered frames, first the whole, then what changed. Nothing here knows Vert.x.
 *
 * <p>An {@link com.fastn.status.stream.Outbox} is the writer's end, an {@link com.fastn.status.stream.Inbox} the reader's.
 */
@NullMarked
package com.fastn.status.stream;

import org.jspecify.annotations.NullMarked;
