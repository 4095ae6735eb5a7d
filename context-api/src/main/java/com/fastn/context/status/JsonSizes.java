package com.fastn.context.status;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/**
 * How many bytes parts of a status take as JSON. Parts of very short tokens count as more, since a reader also limits how
 * many tokens there are (rule S13).
 */
final class JsonSizes {
    private static final int BYTES_PER_TOKEN = 1 + (1 << 20) / JsonLimits.TOKENS_PER_MIB;

    private JsonSizes() {}

    static long of(StatusSnapshot snapshot) {
        return size(writer -> writer.write(snapshot));
    }

    /** {@return what a context takes without its children} */
    static long ofRow(ContextStatus context) {
        return size(writer -> writer.writeRow(context));
    }

    static long of(LockStatus lock) {
        return size(writer -> writer.write(lock));
    }

    static long of(LockWaiter waiter) {
        return size(writer -> writer.write(waiter));
    }

    static long of(StatusWarning warning) {
        return size(writer -> writer.write(warning));
    }

    static long of(FinishedContext finished) {
        return size(writer -> writer.write(finished));
    }

    static long of(CounterWindows windows) {
        return size(writer -> writer.write(windows));
    }

    static long of(String operation, OperationBaseline baseline) {
        return size(writer -> writer.writeBaselines(Map.of(operation, baseline)));
    }

    static long of(Causes causes) {
        return size(writer -> writer.write(causes));
    }

    /** Writes something. */
    private interface Part {
        void write(StatusJsonWriter writer) throws IOException;
    }

    private static long size(Part part) {
        Counter counter = new Counter();
        try (StatusJsonWriter writer = StatusJsonWriter.to(counter)) {
            part.write(writer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Math.max(counter.bytes, counter.tokens * BYTES_PER_TOKEN);
    }

    /** Counts what comes and keeps nothing of it. Marks inside of texts are taken for tokens, which is on the safe side. */
    private static final class Counter extends OutputStream {
        private long bytes;
        private long tokens;

        @Override
        public void write(int b) {
            bytes++;
            tokens += switch (b) {
                case ',', ':', '}', ']' -> 1;
                case '{', '[' -> 2; // itself, and what follows without a comma
                default -> 0;
            };
        }

        @Override
        public void write(byte[] some, int offset, int length) {
            for (int i = offset; i < offset + length; i++) {
                write(some[i]);
            }
        }
    }
}
