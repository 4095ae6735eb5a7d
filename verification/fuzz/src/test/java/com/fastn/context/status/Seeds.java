package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The status that every target knows. */
final class Seeds {
    private Seeds() {}

    static StatusSnapshot snapshot() {
        return StatusJson.readSnapshot(
                bytes("StatusJsonFuzzTestInputs/aSnapshotIsReadAndCanBeUsedOrIsRefused/locks.json"));
    }

    private static byte[] bytes(String name) {
        try (InputStream in = requireNonNull(Seeds.class.getResourceAsStream(name), name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
