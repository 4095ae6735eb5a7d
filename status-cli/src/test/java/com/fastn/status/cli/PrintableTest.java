package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PrintableTest {

    @Test
    void S6_noCodePointReachesATerminalThatItWouldObey() {
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            String shown = Printable.line("a" + Character.toString(c) + "b");
            int type = Character.getType(c);
            boolean obeyed = type == Character.CONTROL
                    || type == Character.FORMAT
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR
                    || type == Character.SURROGATE;
            if (obeyed) {
                assertThat(shown).isEqualTo("a\\u{" + Integer.toHexString(c) + "}b");
            }
        }
        assertThat(Printable.line("grüße 🔒")).isEqualTo("grüße 🔒");
    }

    @Test
    void aLineIsBounded() {
        assertThat(Printable.line("x".repeat(10_000)).length()).isLessThan(500);
        assertThat(Printable.line("\n".repeat(10_000)).length()).isLessThan(500);
    }
}
