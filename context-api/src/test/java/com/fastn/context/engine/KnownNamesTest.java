package com.fastn.context.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KnownNamesTest {
    private final KnownNames names = new KnownNames();

    @Test
    void M6_itCleansAsNamesDoesHoweverOftenAndInWhichOrderTheyCome() {
        Random random = new Random(7);
        List<String> all = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            StringBuilder name = new StringBuilder();
            int length = random.nextInt(160);
            for (int at = 0; at < length; at++) {
                name.append(
                        (char) (random.nextInt(20) == 0 ? 0xD800 + random.nextInt(0x800) : 'a' + random.nextInt(6)));
            }
            all.add(name.toString());
        }
        for (int i = 0; i < 20_000; i++) {
            String name = all.get(random.nextInt(all.size()));
            assertThat(names.clean(name)).isEqualTo(Names.clean(name));
        }
    }

    @Test
    void aNameThatComesAgainIsKeptOnce() {
        String first = names.clean(new String("GET /orders/:id"));
        assertThat(names.clean(new String("GET /orders/:id"))).isSameAs(first);
    }

    @Test
    void twoNamesOfOneHashAreNotTakenForEachOther() {
        assertThat("Aa").hasSameHashCodeAs("BB");
        assertThat(names.clean("Aa")).isEqualTo("Aa");
        assertThat(names.clean("BB")).isEqualTo("BB");
        assertThat(names.clean("Aa")).isEqualTo("Aa");
    }

    @Test
    void S5_whatLooksLikeASecretIsTakenOutEachTime() {
        String secret = "password=hunter2hunter2";
        String clean = Names.clean(secret);
        assertThat(clean).doesNotContain("hunter2");
        assertThat(names.clean(secret)).isEqualTo(clean);
        assertThat(names.clean(secret)).isEqualTo(clean);
    }

    @Test
    void aLongNameIsNotKept() {
        String name = "n".repeat(129);
        assertThat(names.clean(name)).isEqualTo(name);
        String again = new String(name);
        assertThat(names.clean(again)).isSameAs(again);
    }
}
