package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.status.ContextPath;
import org.junit.jupiter.api.Test;

class PathTextsTest {
    private final PathTexts texts = new PathTexts();

    @Test
    void thePathsThatAreAskedForAgainHaveTheirTextOnce() {
        String text = texts.of(ContextPath.of("global", "a.b"));
        assertThat(text).isEqualTo("global.a\\.b");
        assertThat(texts.of(ContextPath.of("global", "a.b"))).isSameAs(text);
    }

    @Test
    void eachPathHasItsOwnTextHoweverManyThereAreAndWhateverTheirHashes() {
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 1_000; i++) {
                assertThat(texts.of(ContextPath.of("global", "x" + i))).isEqualTo("global.x" + i);
            }
            // Two names of one hash.
            assertThat(texts.of(ContextPath.of("global", "Aa"))).isEqualTo("global.Aa");
            assertThat(texts.of(ContextPath.of("global", "BB"))).isEqualTo("global.BB");
        }
    }
}
