package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.FastnContext;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.ContextKind;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class CalleeSlicesTest {
    private static final int CALLEES = 20_000;

    private static boolean isOneLeft(FastnVertx fastn) {
        return IntStream.range(0, CALLEES)
                .anyMatch(i ->
                        !requireNonNull(fastn.pendingReplies().of("reply-" + i)).isCancelled());
    }

    @Test
    void whileTheCalleesOfACallerAreCancelledOthersHaveTheEventLoopToo(Vertx vertx) {
        FastnVertx fastn = FastnVertx.install(vertx);
        EngineRuntime runtime = (EngineRuntime) fastn.runtime();
        ContextNode caller = runtime.root().openChild("caller", ContextKind.SERVICE, null);
        CallerLink link = new CallerLink(
                "alice",
                runtime.node().incarnation(),
                caller.id(),
                caller.path().toString());
        CompletableFuture<Boolean> othersFirst = new CompletableFuture<>();
        List<ContextNode> callees = IntStream.range(0, CALLEES)
                .mapToObj(i -> {
                    ContextNode callee = runtime.root().openChild("bank.pay", ContextKind.MESSAGE, link);
                    // Registered off Vert.x: it runs where they are cancelled.
                    var unused = callee.onCancel(reason -> {
                        if (!othersFirst.isDone()) {
                            fastn.home().runOnContext(now -> othersFirst.complete(isOneLeft(fastn)));
                        }
                    });
                    fastn.pendingReplies().expect("reply-" + i, callee, null);
                    return callee;
                })
                .toList();
        fastn.cancellation().waitsInVain(caller);
        assertThat(Waiting.result(othersFirst)).isTrue();
        Waiting.until(() -> callees.stream().allMatch(FastnContext::isCancelled));
        for (int i = 0; i < CALLEES; i++) {
            requireNonNull(fastn.pendingReplies().take("reply-" + i)).close();
        }
        caller.close();
    }
}
