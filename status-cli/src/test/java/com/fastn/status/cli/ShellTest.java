package com.fastn.status.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ShellTest {

    @Test
    void aWordThatIsPastedIsOneWordAndRunsNothing() {
        assertThat(Shell.quoted("alice-1.eu_west")).isEqualTo("alice-1.eu_west");
        assertThat(Shell.quoted("two words")).isEqualTo("'two words'");
        assertThat(Shell.quoted("$(rm -rf x)")).isEqualTo("'$(rm -rf x)'");
        assertThat(Shell.quoted("it's")).isEqualTo("'it'\\''s'");
        assertThat(Shell.quoted("-option")).isEqualTo("'-option'");
        assertThat(Shell.quoted("")).isEqualTo("''");
    }
}
