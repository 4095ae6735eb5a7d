package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ContextPathTest {
    @Test
    void dotsInsideNamesDoNotMixUpPaths_M5() {
        assertThat(ContextPath.of("a.b", "c")).isNotEqualTo(ContextPath.of("a", "b.c"));
        assertThat(ContextPath.of("a.b", "c")).hasToString("a\\.b.c");
        assertThat(ContextPath.of("a", "b.c")).hasToString("a.b\\.c");
    }

    @Test
    void differentPathsHaveDifferentTextsThatReadBack_M5() {
        long seed = new Random().nextLong();
        System.out.println("ContextPathTest seed " + seed);
        Random random = new Random(seed);
        Map<String, ContextPath> seen = new HashMap<>();
        for (int i = 0; i < 100_000; i++) {
            List<String> names = new ArrayList<>();
            for (int n = random.nextInt(5); n >= 0; n--) {
                StringBuilder name = new StringBuilder();
                for (int c = random.nextInt(5); c > 0; c--) {
                    name.append("a.\\é".charAt(random.nextInt(4)));
                }
                names.add(name.toString());
            }
            ContextPath path = ContextPath.of(names);
            ContextPath other = seen.putIfAbsent(path.toString(), path);
            assertThat(other == null || other.equals(path))
                    .as("seed %d: %s", seed, names)
                    .isTrue();
            assertThat(ContextPath.parse(path.toString())).isEqualTo(path);
        }
    }
}
