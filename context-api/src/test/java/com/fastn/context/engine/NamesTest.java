package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class NamesTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    @Test
    void M6_anyTextIsAName() {
        for (String name :
                new String[] {"a", "a b", "ä.ö/ü", "\u4e2d\u6587", "\ud83d\ude00", "line\nbreak", "\u0000"}) {
            assertThat(tree.open(name).name()).isEqualTo(name);
        }
    }

    @Test
    void M6_anEmptyNameIsShownAsUnnamed() {
        assertThat(tree.open("").name()).isEqualTo("(unnamed)");
    }

    @Test
    void M6_loneSurrogatesAreReplaced() {
        assertThat(tree.open("a\ud83db").name()).isEqualTo("a\ufffdb");
        assertThat(tree.open("a\ude00").name()).isEqualTo("a\ufffd");
    }

    @Test
    void M6_aLongNameIsCutAndTellsItselfApartByAHash() {
        String one = tree.open("x".repeat(300) + "1").name();
        String other = tree.open("x".repeat(300) + "2").name();

        assertThat(one).hasSize(256).startsWith("xxxx").matches("x+~[0-9a-f]{24}");
        assertThat(other).isNotEqualTo(one);
        assertThat(tree.open("x".repeat(256)).name()).isEqualTo("x".repeat(256));
    }

    @Test
    void M6_longNamesThatAreMadeToMeetAreStillTwo() {
        // "Aa" and "BB" are one to String.hashCode() and to whatever else adds up with 31.
        String rest = "x".repeat(300);
        for (String ends : new String[] {"Aa/BB", "AaAa/BBBB", "AaBB/BBAa", "AaAaAa/BBBBBB"}) {
            String one = ends.substring(0, ends.indexOf('/'));
            String other = ends.substring(ends.indexOf('/') + 1);
            assertThat(tree.root.mutex(rest + one)).isNotSameAs(tree.root.mutex(rest + other));
            assertThat(Names.clean(rest + one)).isNotEqualTo(Names.clean(rest + other));
            assertThat(Names.clean(rest + one + rest)).isNotEqualTo(Names.clean(rest + other + rest));
        }
        assertThat(tree.root.mutex(rest + "Aa")).isSameAs(tree.root.mutex(rest + "Aa"));
        // What is cut off is hashed as it was given, and its length with it.
        assertThat(Names.bounded("\0".repeat(300))).isNotEqualTo(Names.bounded("\0".repeat(301)));
    }

    @Test
    void M6_namesThatDifferInOneCharacterAreTwo() {
        int length = 3_072;
        Set<String> names = new HashSet<>();
        for (int i = 0; i < length; i++) {
            StringBuilder name = new StringBuilder("x".repeat(length));
            name.setCharAt(i, 'y');
            names.add(Names.bounded(name.toString()));
        }
        assertThat(names).hasSize(length);

        // Of a longer one the beginning, the end, and the length.
        String huge = "x".repeat(100_000);
        assertThat(new HashSet<>(List.of(
                        Names.bounded(huge),
                        Names.bounded(huge + "x"),
                        Names.bounded("y" + huge.substring(1)),
                        Names.bounded(huge.substring(0, 1_023) + "y" + huge.substring(1_024)),
                        Names.bounded(huge.substring(1) + "y"),
                        Names.bounded(huge.substring(0, 99_000) + "y" + huge.substring(99_001)),
                        Names.bounded("x".repeat(50_000) + "y".repeat(200) + "x".repeat(49_800)))))
                .hasSize(7);
    }

    @Test
    void M6_aNameIsAtMostOneKilobyteOfUtf8AndNoCharacterIsCutInTwo() {
        Random random = new Random(1);
        for (int i = 0; i < 10_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int c = random.nextInt(400); c > 0; c--) {
                text.appendCodePoint(random.nextInt(Character.MAX_CODE_POINT + 1));
            }
            String name = Names.clean(text.toString());

            assertThat(name).isNotEmpty();
            assertThat(name.codePointCount(0, name.length())).isLessThanOrEqualTo(256);
            assertThat(name.getBytes(StandardCharsets.UTF_8).length).isLessThanOrEqualTo(1024);
            assertThat(name.codePoints().noneMatch(p -> p >= 0xD800 && p <= 0xDFFF))
                    .isTrue();
            assertThat(Names.clean(name)).as("cleaning twice changes nothing").isEqualTo(name);
        }
    }

    @Test
    void M6_aHugeNameCostsNoMoreThanItsLimit() {
        String huge = "ü".repeat(10_000_000);
        // Ten million characters each time would be 10^11 steps.
        for (int i = 0; i < 10_000; i++) {
            assertThat(Names.clean(huge)).hasSizeLessThan(300);
        }
    }

    @Test
    void M6_keysCountersLocksAndOperationsAreMadeSafeToo() {
        String hostile = "\ud83d" + "x".repeat(5_000);
        String clean = Names.clean(hostile);
        tree.root.setData(hostile, 1);
        tree.root.addMetric(hostile, 1);
        tree.root.incrementTotal(hostile);
        var status = tree.runtime.status().globalContext();

        assertThat(status.data()).containsOnlyKeys(clean);
        assertThat(status.metrics()).containsOnlyKeys(clean);
        assertThat(status.totalCounters()).containsOnlyKeys(clean);
        assertThat(tree.root.getData(hostile)).isNotNull();
        assertThat(tree.root.getTotal(hostile)).isEqualTo(1);
        assertThat(tree.root.mutex(hostile).name()).isEqualTo(clean);
    }
}
