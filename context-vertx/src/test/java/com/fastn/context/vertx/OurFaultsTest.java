package com.fastn.context.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextRuntime;
import com.fastn.context.FastnContext;
import com.fastn.context.engine.EngineRuntime;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageCodec;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxBootstrap;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.net.NetSocket;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Our own code fails, and the application goes on. */
class OurFaultsTest {
    private final List<Vertx> open = new ArrayList<>();

    @AfterEach
    void close() {
        open.forEach(vertx -> Waiting.result(vertx.close()));
    }

    private Vertx vertx() {
        Vertx vertx = Vertx.vertx();
        open.add(vertx);
        return vertx;
    }

    private Vertx withoutInstalling() {
        System.setProperty(AutoInstall.PROPERTY, "false");
        try {
            return vertx();
        } finally {
            System.clearProperty(AutoInstall.PROPERTY);
        }
    }

    private static <T> T broken(Class<T> type, InvocationHandler instead) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, instead));
    }

    @Test
    void aVertxIsMadeThoughAClassOfOursCannotBeLoaded() {
        VertxInternal failing = broken(VertxInternal.class, (proxy, method, arguments) -> {
            throw new NoClassDefFoundError("com/fastn/context/vertx/SomethingOfOurs");
        });
        new AutoInstall().init(failing);
        TracerSlot.share(broken(VertxBootstrap.class, (proxy, method, arguments) -> {
            throw new ExceptionInInitializerError("no");
        }));
    }

    @Test
    void anInstallationThatFailsMidwayLeavesNothingAndCanBeTriedAgain() {
        Vertx vertx = withoutInstalling();
        // So that a name of ours is taken.
        vertx.eventBus().registerDefaultCodec(EventFrame.class, new SomebodysCodec());
        assertThatThrownBy(() -> FastnVertx.install(vertx)).isInstanceOf(IllegalStateException.class);
        assertThat(FastnVertx.installedIn(vertx)).isNull();
        CompletableFuture<FastnContext> consumed = new CompletableFuture<>();
        vertx.eventBus().consumer("bank.pay", (Message<Object> message) -> {
            consumed.complete(FastnContext.current());
            message.reply("paid");
        });
        Waiting.result(vertx.eventBus().request("bank.pay", 1));
        assertThat(Waiting.result(consumed).name()).isNotEqualTo("bank.pay");

        vertx.eventBus().unregisterDefaultCodec(EventFrame.class);
        vertx.eventBus().unregisterCodec(new EventFrameCodec().name());
        EngineRuntime runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        // It was given back.
        assertThat(runtime).isSameAs(ContextRuntime.defaultRuntime());
        long before = runtime.root().subtreeTotal("messages");
        Waiting.result(vertx.eventBus().request("bank.pay", 1));
        assertThat(runtime.root().subtreeTotal("messages")).isEqualTo(before + 1);
    }

    private static final class SomebodysCodec implements MessageCodec<EventFrame, EventFrame> {
        private final EventFrameCodec ours = new EventFrameCodec();

        @Override
        public void encodeToWire(io.vertx.core.buffer.Buffer buffer, EventFrame frame) {
            ours.encodeToWire(buffer, frame);
        }

        @Override
        public EventFrame decodeFromWire(int position, io.vertx.core.buffer.Buffer buffer) {
            return ours.decodeFromWire(position, buffer);
        }

        @Override
        public EventFrame transform(EventFrame frame) {
            return frame;
        }

        @Override
        public String name() {
            return "somebody's";
        }

        @Override
        public byte systemCodecID() {
            return -1;
        }
    }

    @Test
    void aSocketThatCannotBeObservedIsHandledAllTheSame() {
        Vertx vertx = vertx();
        Front front = Front.deploy(vertx);
        NetSocket socket = broken(NetSocket.class, (proxy, method, arguments) -> {
            if (method.getName().equals("closeFuture")) {
                return Future.succeededFuture();
            }
            throw new NoSuchMethodError("a Vert.x that is not the one we know");
        });
        NetSocket handled = Waiting.on(front.place(), () -> {
            CompletableFuture<NetSocket> seen = new CompletableFuture<>();
            FastnVertx.sessions(seen::complete).handle(socket);
            return Future.succeededFuture(seen.getNow(null));
        });
        assertThat(handled == socket).isTrue();
    }

    @Test
    void aMessageWhoseReplyCannotBeWaitedForIsHandledAndItsContextEnds() {
        Vertx vertx = vertx();
        FastnVertx fastn = FastnVertx.install(vertx);
        EngineRuntime runtime = (EngineRuntime) fastn.runtime();
        ContextInternal home = (ContextInternal) vertx.getOrCreateContext();
        PendingReplies failing = new PendingReplies(
                runtime,
                broken(ContextInternal.class, (proxy, method, arguments) -> {
                    throw new AssertionError("no timer");
                }),
                fastn.workerQueue());
        new BusContexts(
                        runtime,
                        fastn.verticles(),
                        fastn.automatic(),
                        fastn.cancellation(),
                        failing,
                        fastn.awaitedReplies(),
                        new StatusDeliveries((VertxInternal) vertx, home, () -> "x"),
                        false,
                        false)
                .install(vertx.eventBus());
        long before = runtime.root().subtreeTotal("messages");
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        assertThat(Waiting.result(vertx.eventBus().request("bank.pay", 1)).body())
                .isEqualTo("paid");
        assertThat(bank.seen).hasSize(1);
        Waiting.until(() -> runtime.root().subtreeLive("messages") == 0);
        assertThat(runtime.root().subtreeTotal("messages")).isEqualTo(before + 2);
        assertThat(bank.only().children()).isEmpty();
    }

    @Test
    void aVertxThatIsClosingRefusesATimerAndNobodyIsTold() {
        EngineRuntime runtime = (EngineRuntime) FastnVertx.install(vertx()).runtime();
        PendingReplies replies = new PendingReplies(
                runtime,
                broken(ContextInternal.class, (proxy, method, arguments) -> {
                    throw new RejectedExecutionException("closed");
                }),
                new WorkerQueue());
        replies.expect("reply-1", runtime.root(), null);
        assertThat(replies.count()).isEqualTo(1);
    }
}
