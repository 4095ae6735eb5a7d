package com.fastn.context.engine;

import com.fastn.context.LockGuard;
import com.fastn.context.PermitGuard;
import org.jspecify.annotations.Nullable;

/** What the engine hands out for a lock of any kind; each kind shows the part that makes sense for it. */
interface AnyGuard<T extends @Nullable Object> extends LockGuard<T>, PermitGuard {}
