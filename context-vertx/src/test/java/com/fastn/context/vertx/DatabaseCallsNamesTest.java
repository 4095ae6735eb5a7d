package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatabaseCallsNamesTest {
    private final DatabaseCalls names = new DatabaseCalls();

    @ParameterizedTest
    @CsvSource({
        "SELECT * FROM orders,       SELECT orders",
        "DELETE FROM shop.orders,    DELETE shop.orders",
        "BEGIN,                      BEGIN",
        "SELECT * FROM orders_17,    SELECT orders_?",
    })
    void aStatementIsNamedAsItReads(String sql, String name) {
        assertThat(names.statement(sql)).isEqualTo(name);
    }

    @Test
    void aCommandIsNamedByItsWord() {
        assertThat(names.command("redis", "get")).isEqualTo("redis GET");
        assertThat(names.command(null, "find")).isEqualTo("FIND");
    }

    /** A letter after the other, as tenants are called: no digit tells that they are values. */
    private static String tenant(int number) {
        StringBuilder name = new StringBuilder();
        for (int rest = number; name.length() < 6; rest /= 26) {
            name.append((char) ('a' + rest % 26));
        }
        return name.toString();
    }

    @Test
    void aSchemaOrTableOfEachTenantIsOneNameInTheEndAndOthersKeepTheirs() {
        for (int i = 0; i < 100; i++) {
            assertThat(names.statement("SELECT * FROM orders")).isEqualTo("SELECT orders");
        }
        Set<String> all = new TreeSet<>();
        for (int i = 0; i < 20_000; i++) {
            all.add(names.statement("SELECT * FROM " + tenant(i) + ".orders"));
            all.add(names.statement("INSERT INTO orders_" + tenant(i) + " VALUES (1)"));
        }
        assertThat(all)
                .hasSizeLessThanOrEqualTo(2 * DatabaseCalls.MOST_TABLES)
                .contains("SELECT :id.orders", "INSERT :id");
        assertThat(names.statement("SELECT * FROM " + tenant(30_000) + ".orders"))
                .isEqualTo("SELECT :id.orders");
        assertThat(names.statement("SELECT * FROM orders")).isEqualTo("SELECT orders");
    }

    @Test
    void manyTablesInTheSchemaOfEachTenantKeepTheirNamesBelowAValue() {
        for (int i = 0; i < 500; i++) {
            for (int table = 0; table < 100; table++) {
                var unused = names.statement("SELECT * FROM " + tenant(i) + ".t_" + tenant(table));
            }
        }
        assertThat(names.statement("SELECT * FROM " + tenant(30_000) + ".orders"))
                .isEqualTo("SELECT :id.orders");
        assertThat(names.statement("SELECT * FROM invoices")).isEqualTo("SELECT invoices");
    }

    @Test
    void thereIsAnEndOfCommandsToo() {
        Set<String> all = new TreeSet<>();
        for (int i = 0; i < 20_000; i++) {
            all.add(names.command("redis", tenant(i)));
        }
        assertThat(all)
                .hasSizeLessThanOrEqualTo(DatabaseCalls.MOST_COMMANDS + 1)
                .contains("redis :id");
    }
}
