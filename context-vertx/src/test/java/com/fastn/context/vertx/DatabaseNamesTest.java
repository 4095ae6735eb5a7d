package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatabaseNamesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "SELECT * FROM orders WHERE id = $1 FOR UPDATE | SELECT orders",
                "select count(*) from shop.orders o join items i on i.id = o.id | SELECT shop.orders",
                "SELECT a FROM \"Orders\" | SELECT Orders",
                "SELECT a FROM [dbo].[Orders] | SELECT dbo.Orders",
                "SELECT a FROM `orders` | SELECT orders",
                "SELECT extract(year FROM placed), trim('x' FROM name) FROM orders | SELECT orders",
                "SELECT (SELECT max(n) FROM items) FROM orders | SELECT orders",
                "SELECT a FROM (SELECT b FROM (SELECT c FROM items) x) y | SELECT items",
                "(SELECT a FROM orders) UNION (SELECT a FROM items) | SELECT orders",
                "WITH RECURSIVE t(n) AS (VALUES (1) UNION SELECT n FROM x) INSERT INTO orders SELECT n FROM t | INSERT orders",
                "WITH a AS MATERIALIZED (DELETE FROM items) SELECT * FROM a | SELECT a",
                "INSERT INTO orders(id, note) VALUES (1, 'secret') | INSERT orders",
                "UPDATE ONLY orders SET n = 4 WHERE note = 'secret' | UPDATE orders",
                "DELETE FROM orders USING items | DELETE orders",
                "MERGE INTO orders USING items ON true | MERGE orders",
                "CREATE TABLE IF NOT EXISTS orders(id int) | CREATE orders",
                "DROP TABLE orders | DROP orders",
                "CREATE INDEX i ON orders(id) | CREATE",
                "LOCK TABLE orders IN EXCLUSIVE MODE | LOCK orders",
                "TRUNCATE orders | TRUNCATE orders",
                "CALL pay(17, 'secret') | CALL pay",
                "COPY (SELECT 1) TO STDOUT | COPY",
                "BEGIN | BEGIN",
                "SET password TO 'secret' | SET",
                "SELECT 1 | SELECT",
                "SELECT * FROM orders_2026_01 | SELECT orders_?_?",
                "SELECT * FROM tenant17.orders | SELECT ?.orders",
                "/* orders */ -- items⏎ SELECT 1 /* FROM secret */ FROM orders | SELECT orders",
                "SELECT 'it''s FROM secret', $tag$ FROM secret $tag$, $$ FROM secret $$ FROM orders | SELECT orders",
                "SELECT ARRAY['a] FROM secret'] FROM orders | SELECT orders",
                "SELECT \"a FROM secret\" FROM orders | SELECT orders",
                // Where a literal or comment ends is a matter of the database: nothing behind it is believed.
                "SELECT 'a\\' FROM secret ' FROM orders | SELECT",
                "SELECT \"a\\\" FROM secret \" FROM orders | SELECT",
                "SELECT E'\\' FROM secret' FROM orders | SELECT",
                "SELECT /* /* */ FROM secret */ a FROM orders | SELECT",
                "SELECT 'FROM secret | SELECT",
                "SELECT $a$ FROM secret | SELECT",
                "SELECT a FROM заказы | SELECT",
                "FROB secret | SQL",
                "'secret' | SQL",
                "\" | SQL",
                "~~ | SQL",
            })
    void aStatementIsNamedByWhatItDoesAndToWhichTable(String sql, String name) {
        assertThat(DatabaseNames.statement(sql.replace('⏎', '\n'))).isEqualTo(name);
    }

    @Test
    void aLongStatementIsReadInItsBeginningAndALongTableIsCut() {
        String columns = String.join(
                ", ", IntStream.range(0, 100_000).mapToObj(i -> "c" + i).toList());
        assertThat(DatabaseNames.statement("SELECT " + columns + " FROM orders"))
                .isEqualTo("SELECT");
        assertThat(DatabaseNames.statement("INSERT INTO orders VALUES " + columns))
                .isEqualTo("INSERT orders");
        assertThat(DatabaseNames.statement("DELETE FROM " + "a".repeat(5_000)))
                .isEqualTo("DELETE " + "a".repeat(64) + "*");
        assertThat(DatabaseNames.statement("(".repeat(100_000))).isEqualTo("SQL");
    }

    @Test
    void theNumberOfNamesDoesNotGrowWithValuesTablesOfDaysAndComments() {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < 10_000; i++) {
            names.add(DatabaseNames.statement("/* trace " + i + " */ SELECT " + i + ", '" + i + "', \"c" + i
                    + "\" FROM day_" + i + " WHERE t = 'x" + i + "'"));
        }
        assertThat(names).containsExactly("SELECT day_?");
    }

    @Test
    void S5_inRandomStatementsNoLiteralIsEverPartOfTheName() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<String> pieces = List.of(
                "SELECT",
                "FROM",
                "INTO",
                "UPDATE",
                "WITH",
                "AS",
                "(",
                ")",
                ",",
                ".",
                "orders",
                "'hunter'",
                "E'hunter'",
                "'x''hunter'",
                "$$hunter$$",
                "$t$hunter$t$",
                "'FROM hunter'",
                "'a\\' FROM hunter '",
                "--hunter\n",
                "/*FROM hunter*/",
                "/* /* */ FROM hunter */",
                "\"a\\\" FROM hunter\"",
                "[",
                "]",
                "$1",
                "17",
                "TABLE");
        for (int round = 0; round < 100_000; round++) {
            StringBuilder sql = new StringBuilder();
            for (int i = random.nextInt(12); i >= 0; i--) {
                sql.append(pieces.get(random.nextInt(pieces.size()))).append(random.nextInt(3) == 0 ? "" : " ");
            }
            assertThat(DatabaseNames.statement(sql.toString()))
                    .as("seed %d: %s", seed, sql)
                    .doesNotContain("hunter")
                    .hasSizeLessThan(100);
        }
    }

    @Test
    void aCommandIsAWordOfItsDatabase() {
        assertThat(DatabaseNames.command("redis", "get")).isEqualTo("redis GET");
        assertThat(DatabaseNames.command(null, "FT.SEARCH")).isEqualTo("FT.SEARCH");
        assertThat(DatabaseNames.command("redis", "get secret")).isEqualTo("redis OTHER");
        assertThat(DatabaseNames.command("redis", "x".repeat(1_000))).isEqualTo("redis OTHER");
        assertThat(DatabaseNames.command("", "")).isEqualTo("other OTHER");
    }
}
