package com.fastn.verification.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.StatusJson;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The JSON of a status streams from the live tree: none of its records are made, and its text is never there as a whole. */
class WriteStatusAllocationTest {
    private static final int CONTEXTS = 10_000;
    /** The walk needs 75 of a context; its record takes 250, and its text 350. */
    private static final long MOST_PER_CONTEXT = 128;

    @Test
    void aStatusIsWrittenWithoutTheTreeOfItsRecords() {
        Allocations.assumeCounted();
        try (ContextRuntime runtime = ContextRuntime.builder().alias("bytes").build()) {
            FastnContext service = runtime.root().child("service").open();
            for (int i = 0; i < CONTEXTS; i++) {
                service.child("request").open();
            }
            ByteArrayOutputStream whole = new ByteArrayOutputStream();
            runtime.writeStatus(whole);
            assertThat(whole.toString(StandardCharsets.UTF_8).split("\"request\"", -1))
                    .as("all are in it")
                    .hasSizeGreaterThan(CONTEXTS);

            OutputStream nowhere = OutputStream.nullOutputStream();
            long written = Allocations.bytes(30, () -> {
                runtime.writeStatus(nowhere);
                return nowhere;
            });
            long built = Allocations.bytes(30, () -> {
                StatusJson.write(runtime.status(), nowhere);
                return nowhere;
            });
            System.out.printf(
                    "status of %,d contexts: %,d bytes to write it, %,d with its records%n", CONTEXTS, written, built);
            assertThat(written / CONTEXTS)
                    .as("bytes for each context, of a text of %d", whole.size() / CONTEXTS)
                    .isLessThan(MOST_PER_CONTEXT);
            assertThat(built / CONTEXTS)
                    .as("bytes for each context of one that makes records, so that the bound says something")
                    .isGreaterThan(2 * MOST_PER_CONTEXT);
        }
    }
}
