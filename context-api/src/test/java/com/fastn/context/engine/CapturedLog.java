package com.fastn.context.engine;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What is logged while some code runs: the logger of the tests writes to the standard error stream. */
final class CapturedLog {
    private CapturedLog() {}

    static String of(Runnable code) {
        PrintStream before = System.err;
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        try (PrintStream log = new PrintStream(written, true, StandardCharsets.UTF_8)) {
            System.setErr(log);
            code.run();
        } finally {
            System.setErr(before);
        }
        return written.toString(StandardCharsets.UTF_8);
    }
}
