package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CallNamesTest {
    private final CallNames names = new CallNames();

    @ParameterizedTest
    @CsvSource({
        "GET,  http://shop:8080/orders/17?x=1,     GET shop:8080",
        "POST, https://api.shop.example/orders,    POST api.shop.example",
        "GET,  http://127.0.0.1:8080/,             GET 127.0.0.1:8080",
        "GET,  http://[::1]:8080/,                 GET [::1]:8080",
        "GET,  http://who:secret@shop:8080/,       GET shop:8080",
        "GET,  http://a.b.c.d.e.f.g.h.i.example/,  GET a.b.c.d.e.f.g.h.*",
        "GET,  '',                                 'GET '"
    })
    void aCallIsNamedByItsMethodAndWhoItWasMadeTo(String method, String url, String name) {
        assertThat(names.call(method, url)).isEqualTo(name);
    }

    @Test
    void aHostOfEachTenantIsOneNameAndOthersKeepTheirs() {
        for (int i = 0; i < 100; i++) {
            names.call("GET", "https://pay.shop.example/");
        }
        Set<String> all = new TreeSet<>();
        for (int i = 0; i < 1_000; i++) {
            all.add(names.call("GET", "https://" + UUID.randomUUID() + ".shop.example/"));
        }
        assertThat(all).hasSizeLessThanOrEqualTo(LearnedWords.MOST_WORDS + 1).contains("GET :id.shop.example");
        assertThat(names.call("GET", "https://" + UUID.randomUUID() + ".shop.example/"))
                .isEqualTo("GET :id.shop.example");
        assertThat(names.call("GET", "https://pay.shop.example/")).isEqualTo("GET pay.shop.example");
    }
}
