package com.fastn.context.status;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** How many bytes parts of a status take as JSON. */
final class JsonSizes {
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
        return counter.bytes;
    }

    /** Counts what comes and keeps nothing of it. */
    private static final class Counter extends OutputStream {
        private long bytes;

        @Override
        public void write(int b) {
            bytes++;
        }

        @Override
        public void write(byte[] some, int offset, int length) {
            bytes += length;
        }
    }
}
