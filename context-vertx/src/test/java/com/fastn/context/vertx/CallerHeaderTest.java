package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.NodeIdentity;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CallerHeaderTest {
    private static final NodeIdentity ELSEWHERE = new NodeIdentity("bob", "19b-11");

    private static CallerLink roundTrip(String alias, String... names) {
        ContextRuntime runtime = ContextRuntime.builder().alias(alias).build();
        FastnContext context = runtime.root();
        for (String name : names) {
            context = context.child(name).open();
        }
        String header =
                CallerHeader.write(runtime.node(), "0123456789abcdef", context.id(), CallerHeader.text(context.path()));
        assertThat(header.length()).isLessThanOrEqualTo(CallerHeader.MOST_CHARS);
        CallerHeader.Caller caller = requireNonNull(CallerHeader.read(header, runtime.node(), true), header);
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
        CallerHeader.Caller read = requireNonNull(CallerHeader.read("1 19a-7f 88 5 alice global.api", ELSEWHERE, true));
        assertThat(read.key()).isNull();
        assertThat(read.link()).isEqualTo(new CallerLink("alice", "19a-7f", 88, "global.api"));
    }

    @Test
    void aHeaderWithoutAKeyIsReadAsItIsWritten() {
        ContextRuntime runtime = ContextRuntime.builder().alias("alice").build();
        FastnContext context = runtime.root().child("api").open();
        String header = CallerHeader.write(runtime.node(), null, context.id(), CallerHeader.text(context.path()));
        CallerHeader.Caller read = requireNonNull(CallerHeader.read(header, runtime.node(), true), header);
        assertThat(read.key()).isNull();
        assertThat(read.link())
                .isEqualTo(new CallerLink("alice", runtime.node().incarnation(), context.id(), "global.api"));
        runtime.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1",
                "1 ",
                "1  88 5 alice x",
                "1 19a-7f",
                "1 19a-7f 88",
                "1 19a-7f 88 5",
                "1 19a-7f 88 5 alice",
                "1 19a-7f 88 5 alice ",
                "1 19a-7f 88 5 alicex x",
                "1 19a-7f 88 6 alice x",
                "1 19a-7f 88 0 alice x",
                "1 19a-7f 88 -5 alice x",
                "1 19a-7f 88 2147483647 alice x",
                "1 19a-7f 88 99999999999 alice x",
                "1 19a-7f -88 5 alice x",
                "1 19a-7f x 5 alice x",
                "1 19a-7f  5 alice x",
                "1 19a-7f 99999999999999999999 5 alice x",
                "2 19a-7f key",
                "2 19a-7f key 88 5 alice",
                "2 19a-7f 88 5 alice x",
                "3 19a-7f 88 5 alice x",
                "1 19a-7f 88 5 alice x\n"
            })
    void whatIsNoHeaderIsNotRead(String text) {
        assertThat(CallerHeader.read(text, ELSEWHERE, true)).isNull();
        assertThat(CallerHeader.read(text, new NodeIdentity("alice", "19a-7f"), true))
                .isNull();
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

    /** Each counts once in a name and twice here. */
    @Test
    void anAliasOfTheWidestCharactersIsShortenedForAHeaderAndReadWhole() {
        String[] names = new String[10];
        Arrays.setAll(names, i -> "x".repeat(100));
        for (String before : List.of("", "a")) {
            CallerLink read = roundTrip(before + "\uD83D\uDE00".repeat(255), names);
            assertThat(read.path()).startsWith("\u2026.");
            assertThat(read.node())
                    .startsWith(before + "\uD83D\uDE00")
                    .doesNotMatch(".*[\uD800-\uDBFF]$")
                    .endsWith("\uD83D\uDE00");
        }
    }

    @Test
    void controlsInNamesDoNotMakeAHeaderThatIsNotRead() {
        assertThat(roundTrip("al\nce", "a\u0000b", "c\u0085d").path()).isNotEmpty();
    }
}
