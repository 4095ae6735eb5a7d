package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.NodeIdentity;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class CallerHeadersTest {
    private EngineRuntime runtime;
    private CallerHeaders headers;

    @BeforeEach
    void prepare(Vertx vertx) {
        FastnVertx fastn = FastnVertx.install(vertx);
        runtime = (EngineRuntime) fastn.runtime();
        headers = new CallerHeaders(fastn.cancellation());
    }

    private ContextNode open(String name) {
        return runtime.root().openChild(name, ContextKind.TASK, null);
    }

    private CallerLink link(ContextNode of) {
        return new CallerLink(
                runtime.node().alias(),
                runtime.node().incarnation(),
                of.id(),
                of.path().toString());
    }

    @Test
    void whoSendsAgainHasItsHeaderOnce() {
        ContextNode sender = open("sender");
        assertThat(headers.header(sender, runtime.node(), false))
                .isSameAs(headers.header(sender, runtime.node(), false))
                .isNotEqualTo(headers.sender(sender, runtime.node()));
        assertThat(headers.sender(sender, runtime.node())).isSameAs(headers.sender(sender, runtime.node()));
    }

    @Test
    void eachSenderHasItsOwnHowManyThereAre() {
        List<ContextNode> senders = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            senders.add(open("sender" + i % 7));
        }
        for (int round = 0; round < 2; round++) {
            for (ContextNode sender : senders) {
                String header = headers.header(sender, runtime.node(), false);
                assertThat(requireNonNull(headers.read(header, runtime.node(), true))
                                .link())
                        .isEqualTo(link(sender));
                String inside = headers.sender(sender, runtime.node());
                assertThat(requireNonNull(headers.readSender(inside, runtime.node()))
                                .link())
                        .isEqualTo(withoutReply(link(sender)));
                assertThat(headers.caller(sender, runtime.node()).link()).isEqualTo(link(sender));
            }
        }
    }

    @Test
    void aNodeThatIsNamedAnewSendsItsNewName() {
        ContextNode sender = open("sender");
        runtime.rename("alice");
        String before = headers.header(sender, runtime.node(), false);
        runtime.rename("bob");
        String after = headers.header(sender, runtime.node(), false);
        assertThat(requireNonNull(headers.read(before, runtime.node(), true))
                        .link()
                        .node())
                .isEqualTo("alice");
        assertThat(requireNonNull(headers.read(after, runtime.node(), true))
                        .link()
                        .node())
                .isEqualTo("bob");
    }

    @Test
    void whatWasReadIsGivenForThatTextAloneAndWhatIsNoHeaderNever() {
        NodeIdentity here = runtime.node();
        // Of one hash.
        String one = "1 19a-7f 88 5 alice Aa";
        String other = "1 19a-7f 88 5 alice BB";
        assertThat(one.hashCode()).isEqualTo(other.hashCode());
        for (int i = 0; i < 2; i++) {
            assertThat(requireNonNull(headers.read(one, here, true)).link().path())
                    .isEqualTo("Aa");
            assertThat(requireNonNull(headers.read(other, here, true)).link().path())
                    .isEqualTo("BB");
            assertThat(headers.read("1 19a-7f 88 5 alice", here, true)).isNull();
            assertThat(headers.read("x".repeat(1_000_000), here, true)).isNull();
        }
        assertThat(headers.read(one, here, true)).isSameAs(headers.read(one, here, true));
        assertThat(requireNonNull(headers.read(one, here, false)).link().owesReply())
                .as("of another message")
                .isFalse();
        assertThat(requireNonNull(headers.read(one, here, true)).link().owesReply())
                .isTrue();
    }

    private static CallerLink withoutReply(CallerLink link) {
        return new CallerLink(link.node(), link.incarnation(), link.contextId(), link.path(), false);
    }
}
