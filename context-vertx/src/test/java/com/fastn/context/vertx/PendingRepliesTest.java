package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.Operation;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.junit5.VertxExtension;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class PendingRepliesTest {
    private EngineRuntime runtime;
    private PendingReplies replies;
    private ContextNode message;

    @BeforeEach
    void open(Vertx vertx) {
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        replies = new PendingReplies(runtime, (ContextInternal) vertx.getOrCreateContext(), new WorkerQueue());
        message = runtime.root().openChild("bank.pay", ContextKind.MESSAGE, null);
        replies.expect("reply-1", message, null);
    }

    private void isStillThere() {
        replies.end(List.of("reply-1"));
        assertThat(message.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(note()).isEqualTo("no reply for 30 s");
        assertThat(replies.count()).isEqualTo(1);
    }

    private void endsNow() {
        replies.end(List.of("reply-1"));
        assertThat(message.state()).isEqualTo(ContextState.CLOSED);
        assertThat(message.getTotal("unanswered_messages")).isEqualTo(1);
        assertThat(replies.count()).isZero();
    }

    private String note() {
        return requireNonNull(message.getData("note")).asText();
    }

    @Test
    void aMessageWithoutReplySaysSoAndEnds() {
        endsNow();
        assertThat(note()).isEqualTo("no reply for 30 s");
    }

    @Test
    void aMessageThatIsStillAtWorkSaysSoAndLasts() {
        try (Operation ignored = message.operation("db")) {
            isStillThere();
        }
        endsNow();
    }

    @Test
    void aMessageWithOpenChildrenLasts() {
        FastnContext child = message.child("step").open();
        isStillThere();
        child.close();
        endsNow();
    }

    @Test
    void aMessageThatHoldsALockLasts() {
        LockGuard<?> guard;
        try (var ignored = message.makeCurrent()) {
            guard = Waiting.take(runtime.root().mutex("orders"));
        }
        isStillThere();
        guard.close();
        endsNow();
    }

    @Test
    void aMessageThatWaitsForALockLasts() {
        LockGuard<?> guard = Waiting.take(runtime.root().mutex("orders"));
        var waiting = message.wrapCallable((java.util.concurrent.Callable<java.util.concurrent.CompletionStage<?>>)
                () -> runtime.root().mutex("orders").lock());
        try {
            waiting.call().thenAccept(granted -> ((LockGuard<?>) granted).close());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        isStillThere();
        guard.close();
        endsNow();
    }

    @Test
    void aMessageThatWasAnsweredMeanwhileIsLeftAlone() {
        assertThat(replies.take("reply-1")).isSameAs(message);
        replies.end(List.of("reply-1"));
        assertThat(message.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(message.getData("note")).isNull();
        message.close();
    }

    /** Whoever sends may write the address of another one's reply. */
    @Test
    void aMessageWhoseReplyAddressIsAskedForAgainEndsWhenNothingIsLeftOfIt() {
        FastnContext child = message.child("step").open();
        ContextNode again = runtime.root().openChild("bank.pay", ContextKind.MESSAGE, null);
        replies.expect("reply-1", again, null);
        assertThat(message.state()).isEqualTo(ContextState.ACTIVE);
        child.close();
        assertThat(message.state()).isEqualTo(ContextState.CLOSED);
        assertThat(replies.take("reply-1")).isSameAs(again);
        again.close();
    }

    /** Its reply would be none otherwise, and who runs in it runs in its verticle. */
    @Test
    void aMessageWhoseHandlerStillRunsLasts() {
        message.enterThread();
        isStillThere();
        message.leaveThread();
        endsNow();
    }

    @Test
    void aReplyToSomethingElseTakesNothing() {
        assertThat(replies.take("reply-2")).isNull();
        assertThat(replies.count()).isEqualTo(1);
    }
}
