package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** What is drawn, whatever the names are (rules S5, S6, S7). */
class SanitizerFuzzTest {
    private static final Pattern OUR_COLOURS = Pattern.compile("\u001b\\[[0-9;]*m");
    private static final Pattern OBEYED = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}&&[^\n]]");
    private static final int WIDTH = 60;
    private static final String TEMPLATE = StatusJson.write(Seeds.snapshot());

    @FuzzTest
    void aTextOnALineIsHarmless(byte[] bytes) {
        // Both ways: lone surrogates come only of the second.
        check(new String(bytes, StandardCharsets.UTF_8));
        check(new String(bytes, StandardCharsets.UTF_16BE));
    }

    private static void check(String text) {
        String clean = Sanitizer.clean(text);
        assertThat(clean).doesNotContain("\n").doesNotContainPattern(OBEYED);
        assertThat(Sanitizer.clean(clean)).isEqualTo(clean);
        assertThat(Sanitizer.ascii(clean)).matches("[\\x20-\\x7e]*");
        for (int longest : new int[] {1, 5, 80}) {
            String line = Sanitizer.line(text, longest);
            assertThat(line).hasSizeLessThanOrEqualTo(longest + 1).doesNotContain("\n");
            assertThat(line).doesNotContainPattern(OBEYED);
        }
        assertThat(Redactor.standard().text(text)).isNotNull();
    }

    @FuzzTest
    void jsonForATerminalMeansTheSame(byte[] bytes) throws IOException {
        String text = new String(bytes, StandardCharsets.UTF_8);
        String json = "\"" + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + "\"";
        String safe = Sanitizer.json(json);
        assertThat(safe).doesNotContainPattern(OBEYED);
        try (JsonParser parser = new JsonFactory().createParser(safe)) {
            var unused = parser.nextToken();
            assertThat(parser.getText()).isEqualTo(text);
        }
    }

    @FuzzTest
    void aDrawingIsOfRowsAndOurOwnColours(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        String quoted = new String(JsonStringEncoder.getInstance().quoteAsString(text));
        StatusSnapshot snapshot = StatusJson.readSnapshot(
                TEMPLATE.replace("alice", quoted), StatusJson.ReadLimits.DEFAULT.withMaxLength(16 << 20));
        String drawn = StatusRenderer.ansi(WIDTH).render(snapshot);
        String shown = OUR_COLOURS.matcher(drawn).replaceAll("");
        assertThat(shown).doesNotContainPattern(OBEYED);
        assertThat(shown.lines().count())
                .as("no name makes a row of its own")
                .isEqualTo(StatusRenderer.ansi(WIDTH)
                        .render(Seeds.snapshot())
                        .lines()
                        .count());
        assertThat(shown.lines().mapToInt(DisplayWidth::of).max().orElse(0)).isLessThanOrEqualTo(WIDTH);
        assertThat(StatusRenderer.plain().ascii().render(snapshot)).matches("[\\x20-\\x7e\n]*");
    }
}
