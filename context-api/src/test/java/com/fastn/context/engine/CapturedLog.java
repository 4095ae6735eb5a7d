package com.fastn.context.engine;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * What a thread logs while it runs some code: the logger of the tests writes to the standard error stream. What others log
 * meanwhile, such as the workers of a test before this one, goes on to where it went before.
 */
final class CapturedLog {
    private CapturedLog() {}

    static String of(Runnable code) {
        PrintStream before = System.err;
        Thread mine = Thread.currentThread();
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        OutputStream sorted = new OutputStream() {
            @Override
            public void write(int b) {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int from, int length) {
                if (Thread.currentThread() == mine) {
                    written.write(bytes, from, length);
                } else {
                    before.write(bytes, from, length);
                }
            }
        };
        try (PrintStream log = new PrintStream(sorted, true, StandardCharsets.UTF_8)) {
            System.setErr(log);
            code.run();
        } finally {
            System.setErr(before);
        }
        return written.toString(StandardCharsets.UTF_8);
    }
}
