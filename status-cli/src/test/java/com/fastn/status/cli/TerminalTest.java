package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.status.cli.Terminal.ColorChoice;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TerminalTest {

    @Test
    void coloursAreForTerminalsThatWantThem() {
        assertThat(auto(true, Map.of()).colours()).isTrue();
        assertThat(auto(true, Map.of("TERM", "xterm", "NO_COLOR", "")).colours())
                .isTrue();
        assertThat(auto(false, Map.of()).colours()).isFalse();
        assertThat(auto(true, Map.of("NO_COLOR", "1")).colours()).isFalse();
        assertThat(auto(true, Map.of("TERM", "dumb")).colours()).isFalse();
        assertThat(auto(true, Map.of("CLICOLOR", "0")).colours()).isFalse();
        assertThat(auto(false, Map.of("CLICOLOR_FORCE", "1")).colours()).isTrue();
        assertThat(auto(false, Map.of("CLICOLOR_FORCE", "0")).colours()).isFalse();
        assertThat(auto(true, Map.of("CLICOLOR_FORCE", "1", "NO_COLOR", "1")).colours())
                .isFalse();
    }

    @Test
    void whereTheLocaleHasNoUnicodeNothingButAsciiIsDrawn() {
        assertThat(auto(true, Map.of()).ascii()).isFalse();
        assertThat(auto(true, Map.of("LANG", "de_DE.UTF-8")).ascii()).isFalse();
        assertThat(auto(true, Map.of("LANG", "C.utf8")).ascii()).isFalse();
        assertThat(auto(true, Map.of("LANG", "C")).ascii()).isTrue();
        assertThat(auto(true, Map.of("LC_ALL", "de_DE.ISO-8859-1", "LANG", "de_DE.UTF-8"))
                        .ascii())
                .isTrue();
        assertThat(Terminal.of(ColorChoice.AUTO, true, null, true, Map.<String, String>of()::get)
                        .ascii())
                .isTrue();
    }

    @Test
    void whoSaysAlwaysOrNeverIsObeyed() {
        Map<String, String> plain = Map.of("NO_COLOR", "1", "TERM", "dumb");
        assertThat(Terminal.of(ColorChoice.ALWAYS, false, null, false, plain::get)
                        .colours())
                .isTrue();
        assertThat(Terminal.of(ColorChoice.NEVER, false, null, true, Map.<String, String>of()::get)
                        .colours())
                .isFalse();
    }

    @Test
    void linesAreCutOnlyWhereSomebodyKnowsTheWidth() {
        assertThat(auto(true, Map.of("COLUMNS", "90")).width()).isEqualTo(90);
        assertThat(auto(true, Map.of("COLUMNS", "90", "FASTN_COLUMNS", "132")).width())
                .isEqualTo(132);
        assertThat(auto(false, Map.of("COLUMNS", "90")).width()).isZero();
        assertThat(auto(true, Map.of("COLUMNS", "wide")).width()).isZero();
        assertThat(auto(true, Map.of()).width()).isZero();
        assertThat(Terminal.of(ColorChoice.AUTO, false, 40, false, Map.of("COLUMNS", "90")::get)
                        .width())
                .isEqualTo(40);
    }

    private static Terminal auto(boolean interactive, Map<String, String> environment) {
        return Terminal.of(ColorChoice.AUTO, false, null, interactive, environment::get);
    }
}
