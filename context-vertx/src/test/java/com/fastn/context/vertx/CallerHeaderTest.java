package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.status.CallerLink;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CallerHeaderTest {
    private static CallerLink roundTrip(String alias, String... names) {
        ContextRuntime runtime = ContextRuntime.builder().alias(alias).build();
        FastnContext context = runtime.root();
        for (String name : names) {
            context = context.child(name).open();
        }
        String header = CallerHeader.write(runtime.node(), "0123456789abcdef", (ContextNode) context);
        assertThat(header.length()).isLessThanOrEqualTo(CallerHeader.MOST_CHARS);
        CallerHeader.Caller caller = requireNonNull(CallerHeader.read(header), header);
        assertThat(caller.key()).isEqualTo("0123456789abcdef");
        CallerLink read = caller.link();
        assertThat(read.contextId()).isEqualTo(context.id());
        assertThat(read.incarnation()).isEqualTo(runtime.node().incarnation());
        runtime.close();
        return read;
    }

    @Test
    void whatIsWrittenIsRead() {
        CallerLink read = roundTrip("alice", "api", "GET /orders/:id");
        assertThat(read.node()).isEqualTo("alice");
        assertThat(read.path()).isEqualTo("global.api.GET /orders/:id");
    }

    @Test
    void aHeaderOfTheVersionBeforeIsReadAndHasNoKey() {
        CallerHeader.Caller read = requireNonNull(CallerHeader.read("1 19a-7f 88 5 alice global.api"));
        assertThat(read.key()).isNull();
        assertThat(read.link()).isEqualTo(new CallerLink("alice", "19a-7f", 88, "global.api"));
    }

    @Test
    void aHeaderWithoutAKeyIsReadAsItIsWritten() {
        ContextRuntime runtime = ContextRuntime.builder().alias("alice").build();
        FastnContext context = runtime.root().child("api").open();
        String header = CallerHeader.write(runtime.node(), null, (ContextNode) context);
        CallerHeader.Caller read = requireNonNull(CallerHeader.read(header), header);
        assertThat(read.key()).isNull();
        assertThat(read.link())
                .isEqualTo(new CallerLink("alice", runtime.node().incarnation(), context.id(), "global.api"));
        runtime.close();
    }

    @Test
    void anAliasMayHaveSpacesAndBeAsLongAsAnyName() {
        for (String alias : List.of("a b c", " ", "7 5 x", "\u00e9".repeat(200), "x".repeat(256))) {
            assertThat(roundTrip(alias, "api").path()).as(alias).isEqualTo("global.api");
        }
    }

    @Test
    void aLongPathKeepsItsLastNames() {
        String[] names = new String[200];
        Arrays.setAll(names, i -> "level-" + i);
        CallerLink read = roundTrip("alice", names);
        assertThat(read.path()).startsWith("\u2026.").endsWith("level-198.level-199");
    }

    @Test
    void aLongNameOfTheLongestKindStillFits() {
        String[] names = new String[3];
        Arrays.setAll(names, i -> ".".repeat(256));
        assertThat(roundTrip("\\".repeat(256), names).path()).isNotEmpty();
    }

    @Test
    void controlsInNamesDoNotMakeAHeaderThatIsNotRead() {
        assertThat(roundTrip("al\nce", "a\u0000b", "c\u0085d").path()).isNotEmpty();
    }
}
