package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Each check is run twice: with what we do to a text, where it holds, and with nothing done to it, where it has to fail. */
class HostileTextTest {
    private static final String SECRET = "c0rrecthorsebatterystaple";
    private static final List<String> WITH_SECRET = List.of(
            "password=" + SECRET,
            "db_passwd: " + SECRET,
            "{\"api_key\": \"" + SECRET + "\"}",
            "Authorization: Bearer " + SECRET,
            "/login?sessionId=" + SECRET + "&n=1",
            "mysql://root:" + SECRET + "@db:3306/x",
            "-----BEGIN PRIVATE KEY-----\n" + SECRET + "\n-----END PRIVATE KEY-----",
            "eyJhbGciOiJIUzI1NiJ9.eyJ" + SECRET + "." + SECRET);
    private static final Pattern OBEYED =
            Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\x{2800}\\x{3164}\\x{e0000}-\\x{e0fff}]");

    private static void holdsUnlessNothingIsDone(UnaryOperator<String> done, Consumer<UnaryOperator<String>> check) {
        check.accept(done);
        assertThatThrownBy(() -> check.accept(text -> text))
                .as("the check has to notice a text to which nothing was done")
                .isInstanceOf(AssertionError.class);
    }

    @Test
    void S5_secretsAreTakenOut() {
        holdsUnlessNothingIsDone(
                Redactor.standard()::text,
                redactor ->
                        assertThat(WITH_SECRET).extracting(redactor::apply).noneMatch(text -> text.contains(SECRET)));
    }

    @Test
    void S6_noCodePointIsLeftThatATerminalObeys() {
        holdsUnlessNothingIsDone(Sanitizer::clean, cleaner -> {
            for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
                String clean = cleaner.apply("a" + Character.toString(c) + "b");
                if (OBEYED.matcher(clean).find()) {
                    throw new AssertionError("U+%04x is left".formatted(c));
                }
            }
        });
    }

    @Test
    void S7_aTextIsOneLineOfBoundedLength() {
        holdsUnlessNothingIsDone(text -> Sanitizer.line(text, 200), line -> {
            for (String forged :
                    List.of("x\r\nFAKE", "x\u2028FAKE", "x\u0085FAKE", "x\u000bFAKE", "y".repeat(10_000))) {
                assertThat(line.apply(forged)).hasLineCount(1).hasSizeLessThan(250);
                assertThat(line.apply(forged).codePoints()).noneMatch(c -> c < 0x20 || c == 0x85 || c == 0x2028);
            }
        });
    }
}
