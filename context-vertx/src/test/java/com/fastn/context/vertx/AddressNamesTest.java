package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressNamesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bank.pay                                      | bank.pay",
                "bank                                          | bank",
                "orders2.v1                                    | orders2.v1",
                "''                                            | ''",
                ".a..b.                                        | .a..b.",
                "shop/orders:new                               | shop/orders:new",
                "orders.17.paid                                | orders.:id.paid",
                "user.3f2504e0-4f89-11d3-9a0c-0305e82c3301     | user.:id",
                "a.b.c.d.e.f.g.h                               | a.b.c.d.e.f.g.h",
                "a.b.c.d.e.f.g.h.i.j                           | a.b.c.d.e.f.g.h.*",
            })
    void anAddressIsItsNameButForValues(String address, String name) {
        AddressNames names = new AddressNames();
        assertThat(names.name(address)).isEqualTo(name);
        assertThat(names.name(address)).isEqualTo(name);
    }

    @Test
    void anAddressForEachUserIsOneName() {
        AddressNames addresses = new AddressNames();
        Random random = new Random(3);
        Set<String> names = new HashSet<>();
        for (int i = 0; i < LearnedWords.ENOUGH; i++) {
            assertThat(addresses.name("bank.pay")).isEqualTo("bank.pay");
        }
        for (int i = 0; i < 100_000; i++) {
            String word = Long.toString(random.nextLong() & Long.MAX_VALUE, 36).replaceAll("[0-9]", "x");
            names.add(addresses.name("user." + word));
            names.add(addresses.name("user." + word + ".inbox"));
            names.add(addresses.name(word));
            names.add(addresses.name("session." + new UUID(random.nextLong(), random.nextLong())));
        }
        assertThat(names).hasSizeLessThan(6 * LearnedWords.MOST_WORDS);
        assertThat(addresses.name("user.alice")).isEqualTo("user.:id");
        assertThat(addresses.name("user.alice.inbox")).isEqualTo("user.:id.inbox");
        assertThat(addresses.name("bank.pay")).isEqualTo("bank.pay");
    }

    @Test
    void whatWasAWordIsAValueForAllThreadsOnceTooManyStoodThere() throws InterruptedException {
        AddressNames addresses = new AddressNames();
        CountDownLatch done = new CountDownLatch(4);
        for (int thread = 0; thread < 4; thread++) {
            Thread one = new Thread(() -> {
                for (int i = 0; i < 50_000; i++) {
                    addresses.name("user." + (char) ('a' + i % 20) + (char) ('a' + i / 20 % 20));
                }
                done.countDown();
            });
            one.start();
        }
        done.await();
        Set<String> names = new HashSet<>();
        IntStream.range(0, 400)
                .forEach(i -> names.add(addresses.name("user." + (char) ('a' + i % 20) + (char) ('a' + i / 20))));
        assertThat(names).containsExactly("user.:id");
    }
}
