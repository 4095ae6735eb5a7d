package com.fastn.status.http;

import org.jspecify.annotations.Nullable;

/**
 * One item of a stream.
 *
 * @param event what it is
 * @param id its version, or {@code null} when it has none
 * @param line the item on one line, as UTF-8; nobody writes to it any more
 */
@SuppressWarnings("ArrayRecordComponent") // Handed over once and never compared.
public record StreamItem(String event, @Nullable String id, byte[] line) {}
