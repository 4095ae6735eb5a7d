package com.fastn.status.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Lines of a connection that stays open. Empty lines are signs of life and not passed on. */
final class LineStream implements AutoCloseable {
    private final InputStream in;
    private final int longest;
    private final Function<IOException, Trouble> explained;
    private final Runnable disconnect;
    private byte[] buffer = new byte[32 << 10];
    private int begin;
    private int end;

    /**
     * Makes a stream.
     *
     * @param in what comes in
     * @param longest how many bytes a line may have
     * @param explained says what a failure means
     * @param disconnect ends the connection
     */
    LineStream(InputStream in, int longest, Function<IOException, Trouble> explained, Runnable disconnect) {
        this.in = in;
        this.longest = longest;
        this.explained = explained;
        this.disconnect = disconnect;
    }

    /**
     * Waits for the next line.
     *
     * @return the line, or {@code null} at the end
     * @throws Trouble if the connection breaks, or is silent for too long
     */
    @Nullable
    String next() {
        try {
            int looked = begin;
            while (true) {
                for (; looked < end; looked++) {
                    if (buffer[looked] == '\n') {
                        String line = new String(buffer, begin, looked - begin, StandardCharsets.UTF_8).strip();
                        begin = looked + 1;
                        if (!line.isEmpty()) {
                            return line;
                        }
                    }
                }
                int passed = begin;
                makeRoom();
                looked -= passed - begin;
                int n = in.read(buffer, end, buffer.length - end);
                if (n < 0) {
                    return null;
                }
                end += n;
            }
        } catch (IOException e) {
            throw explained.apply(e);
        }
    }

    private void makeRoom() throws IOException {
        if (begin > 0) {
            System.arraycopy(buffer, begin, buffer, 0, end - begin);
            end -= begin;
            begin = 0;
        }
        if (end == buffer.length) {
            if (end >= longest) {
                throw new ProtocolException("a line is longer than " + (longest >> 20) + " MiB");
            }
            buffer = java.util.Arrays.copyOf(buffer, Math.min(longest, 2 * buffer.length));
        }
    }

    @Override
    public void close() {
        disconnect.run();
    }
}
