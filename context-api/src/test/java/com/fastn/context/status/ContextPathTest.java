package com.fastn.context.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

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

    @Test
    void aPathIsItsNames() {
        ContextPath path = ContextPath.of("app", "server", "worker");

        assertThat(path.names()).containsExactly("app", "server", "worker").isUnmodifiable();
        assertThat(path.leaf()).isEqualTo("worker");
        assertThat(path.depth()).isEqualTo(3);
        assertThat(path.parent()).isEqualTo(ContextPath.of("app", "server"));
        assertThat(ContextPath.of("app").parent()).isNull();
        assertThat(ContextPath.of("app", "server").child("worker"))
                .isEqualTo(path)
                .hasSameHashCodeAs(path);
        assertThat(path).isNotEqualTo(ContextPath.of("app", "Server", "worker"));
    }

    @Test
    void aPathWithoutNamesIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ContextPath.of(List.of()))
                .withMessageContaining("root");
    }

    @Test
    void aPathBeginsWithItselfAndItsAncestors() {
        ContextPath path = ContextPath.of("a", "b", "c");

        assertThat(path.startsWith(path)).isTrue();
        assertThat(path.startsWith(ContextPath.of("a", "b"))).isTrue();
        assertThat(path.startsWith(ContextPath.of("a", "c"))).isFalse();
        assertThat(path.startsWith(ContextPath.of("b"))).isFalse();
        assertThat(path.startsWith(path.child("d"))).isFalse();
    }

    @Test
    void pathsSortAsTheirListsOfNamesDo() {
        long seed = new Random().nextLong();
        System.out.println("ContextPathTest seed " + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 100_000; i++) {
            List<String> one = names(random);
            List<String> other = names(random);
            ContextPath a = ContextPath.of(one);
            ContextPath b = random.nextBoolean() ? ContextPath.of(other) : a.child("x");

            assertThat(Integer.signum(a.compareTo(b)))
                    .as("seed %d: %s and %s", seed, a, b)
                    .isEqualTo(Integer.signum(compare(a.names(), b.names())));
            assertThat(a.equals(b)).isEqualTo(a.names().equals(b.names()));
        }
    }

    private static List<String> names(Random random) {
        List<String> names = new ArrayList<>();
        for (int n = random.nextInt(4); n >= 0; n--) {
            names.add("abc".substring(random.nextInt(3)));
        }
        return names;
    }

    private static int compare(List<String> a, List<String> b) {
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
            int c = a.get(i).compareTo(b.get(i));
            if (c != 0) {
                return c;
            }
        }
        return a.size() - b.size();
    }
}
