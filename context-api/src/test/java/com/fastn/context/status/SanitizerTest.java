package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SanitizerTest {
    @Test
    void S6_noCodePointIsLeftThatATerminalWouldObeyOrNobodyCanSee() {
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            int type = Character.getType(c);
            boolean obeyed = type == Character.CONTROL
                    || type == Character.FORMAT
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR
                    || type == Character.SURROGATE;
            if (obeyed) {
                String spelled = "a\\u{" + Integer.toHexString(c) + "}b";
                assertThat(Sanitizer.clean("a" + Character.toString(c) + "b")).isEqualTo(spelled);
                assertThat(Sanitizer.line("a" + Character.toString(c) + "b", 40))
                        .isEqualTo(spelled);
            }
        }
        assertThat(Sanitizer.clean("gr\u00fc\u00dfe \ud83d\udd12")).isEqualTo("gr\u00fc\u00dfe \ud83d\udd12");
    }

    @Test
    void S7_aLineHasNoEndInItAndABound() {
        assertThat(Sanitizer.line("two\r\nlines", 100)).isEqualTo("two\\u{d}\\u{a}lines");
        assertThat(Sanitizer.line("short", 5)).isEqualTo("short");
        assertThat(Sanitizer.line("longer", 5)).isEqualTo("longe\u2026");
        assertThat(Sanitizer.line("\n".repeat(10_000_000), 20)).hasSize(21);
        assertThat(Sanitizer.line("1234\ud83d\udd12 cut in two", 5)).isEqualTo("1234\\\u2026");
    }

    @Test
    void jsonIsEscapedWithoutChangingItsValue() {
        assertThat(Sanitizer.json("{\"a\":\"b\"}")).isEqualTo("{\"a\":\"b\"}");
        assertThat(Sanitizer.json("\"\u009b\u202e\ud83d\ude00\udb40\udc41\""))
                .isEqualTo("\"\\u009b\\u202e\ud83d\ude00\\udb40\\udc41\"");
    }
}
