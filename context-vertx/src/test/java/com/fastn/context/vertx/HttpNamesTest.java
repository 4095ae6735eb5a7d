package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
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
        assertThat(new HttpNames().request(method, path)).isEqualTo(name);
    }

    @Test
    void theNumberOfNamesDoesNotGrowWithIdsAndMethods() {
        HttpNames http = new HttpNames();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < 1_000; i++) {
            names.add(http.request("GET", "/orders/" + i + "/items/" + Integer.toHexString(i * 7919) + "0"));
            names.add(http.request("X" + i, "/orders"));
        }
        assertThat(names).containsExactlyInAnyOrder("GET /orders/:id/items/:id", "OTHER /orders");
    }

    /** A word that no other seed makes, of letters only. */
    private static String random(Random random) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            word.append((char) ('a' + random.nextInt(26)));
        }
        return word.toString();
    }

    @Test
    void whereverManyWordsStoodTheyAreValuesAndRoutesStayWords() {
        HttpNames http = new HttpNames();
        Random random = new Random(7);
        List<String> routes = List.of("/orders", "/orders/new", "/users", "/api/v1/prices", "/health");
        for (int i = 0; i < LearnedWords.ENOUGH; i++) {
            routes.forEach(route -> http.request("GET", route));
            http.request("GET", "/users/" + random(random));
        }
        Set<String> names = new HashSet<>();
        for (int i = 0; i < 100_000; i++) {
            names.add(http.request("GET", "/users/" + random(random)));
            names.add(http.request("GET", "/" + random(random)));
            names.add(http.request("GET", "/" + random(random) + "/" + random(random) + "/" + random(random)));
            names.add(http.request("GET", "/api/v1/" + random(random)));
        }
        assertThat(names).hasSizeLessThan(10 * LearnedWords.MOST_WORDS);
        for (String route : routes) {
            assertThat(http.request("GET", route)).isEqualTo("GET " + route);
        }
        assertThat(http.request("GET", "/users/alice")).isEqualTo("GET /users/:id");
        assertThat(http.request("GET", "/users/alice/cart")).isEqualTo("GET /users/:id/cart");
        assertThat(http.request("GET", "/wp-admin")).isEqualTo("GET /:id");
    }

    @Test
    void asManyWordsAsThereMayBeStayWordsAndOneMoreMakesValuesOfThemAll() {
        HttpNames http = new HttpNames();
        for (int times = 0; times < LearnedWords.ENOUGH; times++) {
            for (int i = 0; i < LearnedWords.MOST_WORDS; i++) {
                String user = "user-" + (char) ('A' + i / 8) + (char) ('a' + i % 8);
                assertThat(http.request("GET", "/users/" + user)).isEqualTo("GET /users/" + user);
            }
        }
        assertThat(http.request("GET", "/users/bob")).isEqualTo("GET /users/:id");
        assertThat(http.request("GET", "/users/user-Aa")).isEqualTo("GET /users/:id");
        assertThat(http.request("POST", "/users")).isEqualTo("POST /users");
    }

    @Test
    void whateverIsAskedForThereAreOnlySoManyNames() {
        HttpNames http = new HttpNames();
        Random random = new Random(11);
        List<String> words = Stream.generate(() -> random(random))
                .limit(LearnedWords.MOST_WORDS)
                .toList();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < 100_000; i++) {
            StringBuilder path = new StringBuilder();
            for (int depth = random.nextInt(10); depth >= 0; depth--) {
                path.append('/').append(words.get(random.nextInt(words.size())));
            }
            names.add(http.request("GET", path.toString()));
        }
        // Each word that was learned may have a value below it, and below that one.
        assertThat(names).hasSizeLessThan(10 * LearnedWords.MOST_IN_ALL);
    }

    @Test
    void aLongPathMakesAShortName() {
        assertThat(new HttpNames().request("GET", "/x".repeat(1_000_000)).length())
                .isLessThan(300);
        assertThat(new HttpNames().request("GET", "/" + "x".repeat(1_000_000))).isEqualTo("GET /:id");
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
