package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpNamesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET  | /                                  | GET /",
                "GET  | ''                                 | GET /",
                "GET  | /orders                            | GET /orders",
                "GET  | /orders/                           | GET /orders",
                "GET  | //orders///new                     | GET /orders/new",
                "GET  | orders                             | GET /orders",
                "GET  | /orders/17                         | GET /orders/:id",
                "GET  | /orders/17/items/3                 | GET /orders/:id/items/:id",
                "PUT  | /api/v1/orders/a1b2                | PUT /api/v1/orders/:id",
                "GET  | /v12/x                             | GET /v12/x",
                "GET  | /v123/x                            | GET /:id/x",
                "GET  | /users/3f2504e0-4f89-11d3-9a0c     | GET /users/:id",
                "GET  | /users/alice@example.com           | GET /users/:id",
                "GET  | /search/a%20b                      | GET /search/:id",
                "GET  | /static/main.css                   | GET /static/main.css",
                "GET  | /a-b_c.d                           | GET /a-b_c.d",
                "GET  | /orders?id=17                      | GET /orders",
                "GET  | /orders#17                         | GET /orders",
                "GET  | ?id=17                             | GET /",
                "GET  | /1/2/3/4/5/6/7/8                   | GET /:id/:id/:id/:id/:id/:id/:id/:id",
                "GET  | /a/b/c/d/e/f/g/h/i                 | GET /a/b/c/d/e/f/g/h/*",
                "GET  | /thisisaverylongwordthatnobodywouldwrite | GET /:id",
                "GET  | /bücher                            | GET /:id",
                "PROPFIND | /dav                           | PROPFIND /dav",
                "get  | /orders                            | OTHER /orders",
                "HAX17 | /orders                           | OTHER /orders",
            })
    void valuesAreFoldedOutOfTheName(String method, String path, String name) {
        assertThat(HttpNames.request(method, path)).isEqualTo(name);
    }

    @Test
    void theNumberOfNamesDoesNotGrowWithIdsAndMethods() {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < 1_000; i++) {
            names.add(HttpNames.request("GET", "/orders/" + i + "/items/" + Integer.toHexString(i * 7919) + "0"));
            names.add(HttpNames.request("X" + i, "/orders"));
        }
        assertThat(names).containsExactlyInAnyOrder("GET /orders/:id/items/:id", "OTHER /orders");
    }

    @Test
    void aLongPathMakesAShortName() {
        assertThat(HttpNames.request("GET", "/x".repeat(1_000_000)).length()).isLessThan(300);
        assertThat(HttpNames.request("GET", "/" + "x".repeat(1_000_000))).isEqualTo("GET /:id");
    }

    @ParameterizedTest
    @CsvSource({
        "http://bank.example:8080/pay?x=1, bank.example:8080",
        "http://bank.example, bank.example",
        "https://user:secret@bank.example/pay, bank.example",
        "https://user:sec@ret@bank.example/pay, bank.example",
        "bank.example/pay, bank.example",
        "http://[::1]:8080/, [::1]:8080",
        "/pay, ''",
        "'', ''",
        "http://, ''",
    })
    void theAuthorityIsHostAndPortWithoutUser(String url, String authority) {
        assertThat(HttpNames.authority(url)).isEqualTo(authority);
    }

    @ParameterizedTest
    @CsvSource({
        "http://bank.example:8080/pay?x=1, /pay?x=1",
        "http://bank.example, ''",
        "/pay, /pay",
        "'', ''",
    })
    void thePathBeginsAtTheFirstSlashAfterTheAuthority(String url, String path) {
        assertThat(HttpNames.pathOf(url)).isEqualTo(path);
    }
}
