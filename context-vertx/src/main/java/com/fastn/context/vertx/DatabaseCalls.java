package com.fastn.context.vertx;

import org.jspecify.annotations.Nullable;

/**
 * Names of bounded number for the calls of databases, made of what {@link DatabaseNames} reads: where each tenant or job has a
 * schema or a table of its own, its name is a value, as in {@code SELECT :id.orders}.
 */
final class DatabaseCalls {
    /** As many tables, of one schema, as an application may have. */
    static final int MOST_TABLES = 1_024;

    /** Each has tables of its own, so more of them than an application has by itself are values soon. */
    static final int MOST_SCHEMAS = 64;

    static final int MOST_COMMANDS = 512;

    private final LearnedWords tables = new LearnedWords("", ".", MOST_TABLES);
    private final LearnedWords tablesOfSchemas = new LearnedWords("", ".", MOST_SCHEMAS, MOST_TABLES);
    private final LearnedWords commands = new LearnedWords("", "", MOST_COMMANDS);

    String statement(String sql) {
        String name = DatabaseNames.statement(sql);
        int space = name.indexOf(' ');
        if (space < 0) {
            return name;
        }
        LearnedWords.Place place = (name.indexOf('.', space) < 0 ? tables : tablesOfSchemas).first();
        int at = space + 1;
        while (at >= 0) {
            int dot = name.indexOf('.', at);
            place = place.word(name.substring(at, dot < 0 ? name.length() : dot));
            at = dot < 0 ? -1 : dot + 1;
        }
        place.seen();
        return place.textAfter(name.substring(0, space));
    }

    String command(@Nullable String system, String command) {
        String name = DatabaseNames.command(system, command);
        int space = name.indexOf(' ');
        LearnedWords.Place place = commands.first().word(name.substring(space + 1));
        place.seen();
        return space < 0 ? place.text() : place.textAfter(name.substring(0, space));
    }
}
