package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.status.cli.Terminal.ColorChoice;
import java.util.List;
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

    @Test
    void whatHasToBeReadToItsEndGoesOnBelow() {
        Terminal narrow = new Terminal(true, false, false, 20);
        assertThat(narrow.wrapped("  key    one two three four", 9))
                .containsExactly("  key    one two", "         three four");
        assertThat(narrow.wrapped("  key    " + "x".repeat(25), 9))
                .as("a word that is too long, and what is left of the margin")
                .containsExactly("  key    xxxxxxxxxxx", "         xxxxxxxxxxx", "         xxx");
        assertThat(narrow.wrapped("short", 9)).containsExactly("short");
        assertThat(narrow.wrapped("", 9)).containsExactly("");
        assertThat(narrow.wrapped("exactly twenty colum", 9)).hasSize(1);
        assertThat(narrow.wrapped("exactly twenty colum ", 9)).hasSize(1);
        assertThat(narrow.wrapped("one two three four five", 18))
                .as("no room is left for a margin")
                .containsExactly("one two three four", "five");
        assertThat(narrow.wrapped("語".repeat(15), 0)).containsExactly("語".repeat(10), "語".repeat(5));
        assertThat(new Terminal(true, false, true, 20).wrapped("語".repeat(5), 0))
                .as("spelled out")
                .allMatch(line -> line.length() <= 20)
                .hasSizeGreaterThan(1);
        assertThat(new Terminal(true, false, false, 1).wrapped("a 😀 語", 9)).contains("a", "😀", "語");
        assertThat(new Terminal(false, false, false, 0).wrapped("one ".repeat(100), 9))
                .hasSize(1);
    }

    @Test
    void coloursTakeNoRoomAndAreNotBroken() {
        String red = "\u001b[31m";
        String reset = "\u001b[0m";
        assertThat(Wrapping.of(red + "one two" + reset + " three", 13, 2)).hasSize(1);
        assertThat(Wrapping.of("one " + red + "two" + reset + " three", 8, 0))
                .containsExactly("one " + red + "two" + reset, "three");
        for (int columns = 9; columns < 20; columns++) {
            List<String> lines = Wrapping.of("a".repeat(8) + red + "b".repeat(20) + reset + "c".repeat(9), columns, 1);
            assertThat(String.join("", lines).replace(" ", ""))
                    .isEqualTo("a".repeat(8) + red + "b".repeat(20) + reset + "c".repeat(9));
            assertThat(lines).as("%d columns", columns).allMatch(line -> line.matches("([a-c ]|\u001b\\[\\d+m)*"));
        }
    }

    private static Terminal auto(boolean interactive, Map<String, String> environment) {
        return Terminal.of(ColorChoice.AUTO, false, null, interactive, environment::get);
    }
}
