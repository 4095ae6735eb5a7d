package com.fastn.context.vertx;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.Operation;
import com.fastn.context.engine.ContextNode;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.Cause;
import com.fastn.context.status.ContextKind;
import com.fastn.context.status.ContextState;
import com.fastn.context.status.Explanation;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusJson;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageCodec;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.eventbus.MessageConsumerOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.junit5.VertxExtension;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith({OwnTree.class, VertxExtension.class})
class BusContextsTest {
    private static final String OUR_HEADER = "fastn-caller";

    private EngineRuntime runtime;
    private Front front;

    @BeforeEach
    void deploy(Vertx vertx) {
        runtime = (EngineRuntime) FastnVertx.install(vertx).runtime();
        front = Front.deploy(vertx);
    }

    private <T extends @Nullable Object> T inFront(Callable<Future<T>> piece) {
        return Waiting.onDuplicate(front.place(), piece);
    }

    /** A name of a user would be in each status, and take the places of names that say something. */
    @Test
    void requestsToAnAddressOfEachUserAreOneOperationWhoseNameSaysNoUser(Vertx vertx) {
        List<String> users = IntStream.range(0, 2_000)
                .mapToObj(i -> UUID.randomUUID().toString())
                .toList();
        for (String user : users) {
            Waiting.result(vertx.eventBus()
                    .consumer("user." + user, (Message<Object> message) -> message.reply("x"))
                    .completion());
        }
        inFront(() -> FutureContext.current()
                .child("ask")
                .run(ctx -> Future.join(users.stream()
                        .map(user -> vertx.eventBus().request("user." + user, 1))
                        .toList())));
        assertThat(runtime.operationBaselines()).containsOnlyKeys("request user.:id");
        assertThat(runtime.misuses()).isEmpty();
        String seen = StatusJson.write(runtime.status());
        assertThat(users).noneMatch(seen::contains);
    }

    @Test
    void twoRequestsThatAreWaitedForAreExplainedByWhoServesThem(Vertx vertx) {
        String user = "user." + UUID.randomUUID();
        Service slow = Service.deploy(vertx, user, message -> {});
        Service pays = Service.deploy(vertx, "bank.pay", message -> {});
        CompletableFuture<FastnContext> asking = new CompletableFuture<>();
        Promise<Void> goOn = Promise.promise();
        front.place()
                .runOnContext(now -> FutureContext.current().child("ask").run(ctx -> {
                    asking.complete(ctx.context());
                    var unused = vertx.eventBus().request(user, 1);
                    return goOn.future();
                }));
        FastnContext first = slow.only();
        FastnContext ask = Waiting.result(asking);
        front.place().runOnContext(now -> FutureContext.of(ask).request("bank.pay", 2));
        FastnContext second = pays.only();
        assertThat(first.name()).isEqualTo("user.:id");
        assertThat(ask.subtreeStatus().globalContext().operations())
                .extracting(OperationStatus::name)
                .containsExactly("request user.:id", "request bank.pay");
        Cause waits = requireNonNull(runtime.explain(ask.id())).chain().get(0);
        assertThat(waits.next().contextId()).isEqualTo(first.id());
        slow.messages.get(0).reply("x");
        Waiting.until(() -> ask.subtreeStatus().globalContext().operations().size() <= 1);
        Waiting.until(() -> first.state() == ContextState.CLOSED);
        Explanation left = requireNonNull(runtime.explain(ask.id()));
        assertThat(left.chain().get(0).next().contextId()).isEqualTo(second.id());
        pays.messages.get(0).reply("x");
        goOn.complete();
    }

    @Test
    void eachMessageHasAContextOfItsOwnUnderTheVerticleThatConsumesIt(Vertx vertx) {
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Waiting.result(vertx.eventBus().request("bank.pay", 1));
        Waiting.result(vertx.eventBus().request("bank.pay", 2));
        FastnContext service = Waiting.on(bank.place(), () -> Future.succeededFuture(FastnContext.current()));
        assertThat(bank.seen).hasSize(2).doesNotHaveDuplicates().allSatisfy(context -> {
            assertThat(context.name()).isEqualTo("bank.pay");
            assertThat(context.kind()).isEqualTo(ContextKind.MESSAGE);
            assertThat(context.parent()).isSameAs(service);
            assertThat(context.state()).isEqualTo(ContextState.CLOSED);
        });
        FastnContext context = bank.seen.get(0);
        assertThat(context.getTotal("messages")).isEqualTo(2);
        assertThat(context.getTotal("successful_messages")).isEqualTo(2);
        assertThat(context.getLive("messages")).isZero();
    }

    @Test
    void theContextOfAMessageIsFoundInsideOfWhateverScope(Vertx vertx) {
        FastnVertx fastn = FastnVertx.install(vertx);
        List<FastnContext> found = new CopyOnWriteArrayList<>();
        CompletableFuture<Boolean> over = new CompletableFuture<>();
        Service bank = Service.deploy(vertx, "one-way", message -> {
            FastnContext child = FastnContext.current().child("child").open();
            FastnContext stranger = runtime.root().child("stranger").open();
            try (ContextScope ignored = stranger.makeCurrent()) {
                found.add(fastn.context(message));
            }
            FutureContext.of(child)
                    .child("run")
                    .run(run -> {
                        found.add(fastn.context(message));
                        return vertx.executeBlocking(stranger.wrapCallable(() -> found.add(fastn.context(message))));
                    })
                    .onComplete(done -> {
                        found.add(fastn.context(message));
                        stranger.close();
                        child.close();
                        over.complete(true);
                    });
        });
        vertx.eventBus().send("one-way", "x");
        assertThat(Waiting.result(over)).isTrue();
        assertThat(found).hasSize(4).allSatisfy(each -> assertThat(each).isSameAs(bank.only()));
    }

    @Test
    void aPublishedMessageHasAContextWithEachConsumer(Vertx vertx) {
        Service one = Service.deploy(vertx, "news", message -> {});
        Service two = Service.deploy(vertx, "news", message -> {});
        vertx.eventBus().publish("news", "x");
        assertThat(one.only()).isNotSameAs(two.only());
        assertThat(one.only().parent()).isNotSameAs(two.only().parent());
    }

    @Test
    void aMessageOnTheSameNodeKnowsItsCaller(Vertx vertx) {
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        FastnContext caller = inFront(() -> FutureContext.current()
                .child("checkout")
                .run(ctx -> vertx.eventBus().request("bank.pay", 1).map(reply -> ctx.context())));
        CallerLink link = requireNonNull(bank.only().caller());
        assertThat(link)
                .isEqualTo(new CallerLink(
                        runtime.node().alias(), runtime.node().incarnation(), caller.id(), "global.Front.checkout"));
    }

    @Test
    void whetherTheCallerAskedForAReplyIsKnown(Vertx vertx) {
        Service audit = Service.deploy(vertx, "audit", message -> {});
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Object reply = inFront(() -> {
            vertx.eventBus().send("audit", 1);
            vertx.eventBus().publish("audit", 2);
            return vertx.eventBus().request("bank.pay", 1).map(Message::body);
        });
        assertThat(reply).isEqualTo("paid");
        assertThat(requireNonNull(bank.only().caller()).owesReply()).isTrue();
        Waiting.until(() -> audit.seen.size() == 2);
        assertThat(audit.seen)
                .allSatisfy(context ->
                        assertThat(requireNonNull(context.caller()).owesReply()).isFalse());
    }

    @Test
    void aMessageFromOutsideOfAnyContextHasNoCallerAndNoHeader(Vertx vertx) {
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Waiting.result(vertx.eventBus().request("bank.pay", 1));
        assertThat(bank.only().caller()).isNull();
        assertThat(bank.messages.get(0).headers().contains(OUR_HEADER)).isFalse();
    }

    @Test
    void whoConsumesInTheSameVertxLearnsWhoSentAndFindsNothingOfOursInTheMessage(Vertx vertx) {
        List<String> seenOnTheWay = new CopyOnWriteArrayList<>();
        Handler<DeliveryContext<Object>> looking = delivery -> {
            Message<Object> message = delivery.message();
            if (message.address().equals("news")) {
                seenOnTheWay.add(
                        message.replyAddress() + " " + message.headers().names());
            }
            delivery.next();
            if (message.address().equals("news")) {
                seenOnTheWay.add("afterwards " + message.replyAddress());
            }
        };
        vertx.eventBus().addOutboundInterceptor(looking);
        vertx.eventBus().addInboundInterceptor(looking);
        Service one = Service.deploy(vertx, "news", message -> {});
        Service other = Service.deploy(vertx, "news", message -> {});
        List<FastnContext> senders = new CopyOnWriteArrayList<>();
        for (String how : List.of("publish", "send", "send")) {
            senders.add(inFront(() -> FutureContext.current().child(how).run(ctx -> {
                if (how.equals("send")) {
                    vertx.eventBus().send("news", how);
                } else {
                    vertx.eventBus().publish("news", how);
                }
                return Future.succeededFuture(ctx.context());
            })));
        }
        Waiting.until(() -> one.seen.size() == 2 && other.seen.size() == 2);
        assertThat(Stream.concat(one.seen.stream(), other.seen.stream()))
                .extracting(context -> requireNonNull(context.caller()))
                .containsExactlyInAnyOrderElementsOf(Stream.of(0, 0, 1, 2)
                        .map(i -> new CallerLink(
                                runtime.node().alias(),
                                runtime.node().incarnation(),
                                senders.get(i).id(),
                                "global.Front." + senders.get(i).name(),
                                false))
                        .toList());
        assertThat(Stream.concat(one.messages.stream(), other.messages.stream()))
                .allSatisfy(message -> {
                    assertThat(message.headers().names()).isEmpty();
                    assertThat(message.replyAddress()).isNull();
                    message.reply("nobody wants it");
                });
        Waiting.until(() -> seenOnTheWay.size() == 14);
        assertThat(seenOnTheWay).allMatch(seen -> seen.equals("null []") || seen.startsWith("afterwards "));
    }

    /** Vert.x answers what it has no room for, if it wants a reply. */
    @Test
    void aMessageThatWantsNoReplyHasNoneAlsoWhereThereIsNoRoomForIt(Vertx vertx) {
        List<String> sent = new CopyOnWriteArrayList<>();
        CompletableFuture<MessageConsumer<Object>> consumer = new CompletableFuture<>();
        Waiting.result(vertx.deployVerticle(new Front() {
            @Override
            public Future<?> start() {
                MessageConsumer<Object> small = vertx.eventBus()
                        .consumer(
                                new MessageConsumerOptions().setAddress("news").setMaxBufferedMessages(1));
                consumer.complete(small);
                small.handler(message -> {});
                small.pause();
                return small.completion();
            }
        }));
        vertx.eventBus().addOutboundInterceptor(delivery -> {
            sent.add(delivery.message().address());
            delivery.next();
        });
        inFront(() -> FutureContext.current().child("sender").run(ctx -> {
            for (int i = 0; i < 20; i++) {
                vertx.eventBus().send("news", i);
            }
            return Future.succeededFuture();
        }));
        Throwable failure = Waiting.failure(vertx.eventBus().request("news", "x"));
        assertThat(failure).isInstanceOf(ReplyException.class);
        assertThat(sent).filteredOn(address -> address.equals("news")).hasSize(21);
        assertThat(sent).noneMatch(address -> address.contains("fastn.sender"));
        Waiting.result(Waiting.result(consumer).unregister());
    }

    @Test
    void theCallerOfARequestIsKnownAlsoWhereCallsAreNoOperations(Vertx vertx) {
        FastnVertx.builder()
                .options(new VertxContextOptions().setClientCalls(false))
                .install(vertx);
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        FastnContext caller = inFront(() -> FutureContext.current()
                .child("checkout")
                .run(ctx -> vertx.eventBus().request("bank.pay", 1).map(reply -> ctx.context())));
        assertThat(requireNonNull(bank.only().caller()).contextId()).isEqualTo(caller.id());
    }

    @Test
    void theHeadersOfOptionsThatAreUsedAgainDoNotAccumulate() {
        // Without our tracer a message has a header also where it stays in its Vertx.
        Vertx untraced = LostTracerTest.withoutTracer();
        try {
            Service bank = Service.deploy(untraced, "bank.pay", message -> message.reply("paid"));
            Front from = Front.deploy(untraced);
            DeliveryOptions options = new DeliveryOptions().addHeader("mine", "1");
            List<FastnContext> callers = new CopyOnWriteArrayList<>();
            for (int i = 0; i < 3; i++) {
                callers.add(Waiting.onDuplicate(
                        from.place(),
                        () -> FutureContext.current()
                                .child("checkout")
                                .run(ctx -> untraced.eventBus()
                                        .request("bank.pay", 1, options)
                                        .map(reply -> ctx.context()))));
            }
            assertThat(options.getHeaders().getAll(OUR_HEADER)).hasSize(1);
            assertThat(options.getHeaders().getAll("mine")).containsExactly("1");
            assertThat(bank.seen)
                    .extracting(context -> requireNonNull(context.caller()).contextId())
                    .containsExactlyElementsOf(
                            callers.stream().map(FastnContext::id).toList());
        } finally {
            Waiting.result(untraced.close());
        }
    }

    @Test
    void whereMessagesHaveNoContextsNothingOfOursTravels(Vertx vertx) {
        FastnVertx.builder()
                .options(new VertxContextOptions().setMessages(false))
                .install(vertx);
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        inFront(() -> FutureContext.current().child("checkout").run(ctx -> {
            vertx.eventBus().send("bank.pay", 0);
            return vertx.eventBus().request("bank.pay", 1);
        }));
        assertThat(bank.messages)
                .hasSize(2)
                .allSatisfy(message -> assertThat(message.headers().names()).isEmpty());
        assertThat(bank.messages.get(0).replyAddress()).isNull();
    }

    @Test
    void aStaleHeaderIsTakenOutWhenNoContextSends(Vertx vertx) {
        FastnVertx.builder()
                .options(new VertxContextOptions().setClientCalls(false))
                .install(vertx);
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        DeliveryOptions options = new DeliveryOptions().addHeader("mine", "1");
        inFront(() -> FutureContext.current()
                .child("checkout")
                .run(ctx -> vertx.eventBus().request("bank.pay", 1, options)));
        Waiting.result(vertx.eventBus().request("bank.pay", 1, options));
        assertThat(bank.seen.get(1).caller()).isNull();
        assertThat(bank.messages.get(1).headers().names()).containsExactly("mine");
        assertThat(options.getHeaders().contains(OUR_HEADER)).isFalse();
    }

    @Test
    void aReplyNeitherChangesTheCallersContextNorHasOne(Vertx vertx) {
        Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Waiting.<@Nullable Void>onDuplicate(
                front.place(),
                () -> FutureContext.current()
                        .child("checkout")
                        .run(ctx -> vertx.eventBus().request("bank.pay", 1).map(reply -> {
                            assertThat(FastnContext.current()).isSameAs(ctx.context());
                            return null;
                        })));
        assertThat(runtime.status().toString()).doesNotContain("__vertx");
    }

    @Test
    void aMessageWithoutReplyEndsWhenItsHandlerHasReturned(Vertx vertx) {
        Service log = Service.deploy(vertx, "log", message -> {
            assertThat(FastnContext.current().state()).isEqualTo(ContextState.ACTIVE);
        });
        vertx.eventBus().send("log", "x");
        Waiting.until(() -> log.only().state() == ContextState.CLOSED);
    }

    @Test
    void aMessageWhoseHandlerReturnedLastsUntilItsOperationsHaveEnded(Vertx vertx) {
        AtomicReference<@Nullable Operation> running = new AtomicReference<>();
        Service log = Service.deploy(vertx, "log", message -> running.set(begin("writing")));
        vertx.eventBus().send("log", "x");
        FastnContext message = log.only();
        Waiting.on(log.place(), Future::succeededFuture);
        assertThat(message.state()).isEqualTo(ContextState.ACTIVE);
        requireNonNull(running.get()).close();
        assertThat(message.state()).isEqualTo(ContextState.CLOSED);
    }

    @SuppressWarnings("MustBeClosedChecker") // the test closes it
    private static Operation begin(String name) {
        return FastnContext.current().operation(name);
    }

    @Test
    void aRequestLastsUntilItsReplyThoughTheHandlerHasReturned(Vertx vertx) {
        AtomicReference<@Nullable Message<Object>> pending = new AtomicReference<>();
        Service bank = Service.deploy(vertx, "bank.pay", pending::set);
        Future<Message<Object>> reply = vertx.eventBus().request("bank.pay", 1);
        FastnContext message = bank.only();
        Waiting.on(bank.place(), Future::succeededFuture);
        assertThat(message.state()).isEqualTo(ContextState.ACTIVE);
        assertThat(message.getLive("messages")).isEqualTo(1);
        requireNonNull(pending.get()).reply("paid");
        Waiting.result(reply);
        assertThat(message.state()).isEqualTo(ContextState.CLOSED);
    }

    @Test
    void aFailureReplyEndsTheMessageAndIsCounted(Vertx vertx) {
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.fail(7, "no money"));
        Waiting.failure(vertx.eventBus().request("bank.pay", 1));
        assertThat(bank.only().state()).isEqualTo(ContextState.CLOSED);
        assertThat(bank.only().getTotal("failed_messages")).isEqualTo(1);
        assertThat(bank.only().getTotal("successful_messages")).isZero();
    }

    @Test
    void aMessageIsRememberedWithHowItEndedWithoutBeingAskedTo(Vertx vertx) {
        Service.deploy(vertx, "bank.pay", message -> message.fail(7, "no money"));
        Service news = Service.deploy(vertx, "news", message -> {});
        Waiting.failure(vertx.eventBus().request("bank.pay", 1));
        assertThat(runtime.recent()).hasSize(1);
        assertThat(runtime.recent().get(0).label()).isEqualTo("bank.pay");
        assertThat(runtime.recent().get(0).outcome()).isEqualTo(new FinishedContext.Failed("ReplyException: no money"));
        vertx.eventBus().send("news", "x");
        Waiting.until(() -> runtime.recent().size() == 2);
        assertThat(runtime.recent().get(0).outcome()).isEqualTo(new FinishedContext.Completed());
        assertThat(runtime.counters().windows(news.only().path()).sinceStart()).isEqualTo(1);
    }

    @Test
    void aReplyThatAsksBackEndsTheMessageAsAnyReplyAndWhatFollowsRunsInTheVerticle(Vertx vertx) {
        Promise<FastnContext> after = Promise.promise();
        Service bank = Service.deploy(
                vertx,
                "bank.pay",
                message -> message.replyAndRequest("which account?")
                        .map(answer -> FastnContext.current())
                        .onComplete(after::handle));
        Message<Object> question = Waiting.result(vertx.eventBus().request("bank.pay", 1));
        assertThat(bank.only().state()).isEqualTo(ContextState.CLOSED);
        assertThat(bank.only().getTotal("successful_messages")).isEqualTo(1);
        question.reply("this one");
        FastnContext service = Waiting.result(after.future());
        assertThat(service).isSameAs(bank.only().parent());
        assertThat(service.subtreeStatus().globalContext().operations()).isEmpty();
    }

    @Test
    void aHandlerThatThrowsStillEndsItsMessage(Vertx vertx) {
        Service log = Service.deploy(vertx, "log", message -> {
            throw new IllegalStateException("no");
        });
        vertx.eventBus().send("log", "x");
        Waiting.until(() -> log.only().state() == ContextState.CLOSED);
    }

    @Test
    void workThatOutlivesItsMessageIsNotRefusedForIt(Vertx vertx) {
        AtomicReference<@Nullable Future<String>> done = new AtomicReference<>();
        Service log = Service.deploy(vertx, "log", message -> {
            FutureContext ctx = FutureContext.current();
            done.set(ctx.child("first")
                    .run(child -> vertx.timer(1))
                    .compose(first -> ctx.child("second").run(child -> vertx.timer(1)))
                    .compose(second -> FutureContext.current()
                            .child("third")
                            .run(child -> Future.succeededFuture(
                                    child.context().path().toString()))));
        });
        vertx.eventBus().send("log", "x");
        assertThat(log.only()).isNotNull();
        Waiting.until(() -> done.get() != null);
        assertThat(Waiting.result(requireNonNull(done.get()))).isEqualTo("global.Service.third");
    }

    @Test
    void headersThatAreNoneAreIgnoredAndCountedAndTheMessageArrives(Vertx vertx) {
        List<String> hostile = List.of(
                "",
                " ",
                "1",
                "2 inc 7 5 alice global",
                "1 inc x 5 alice global",
                "1 inc -7 5 alice global",
                "1 inc 7 -5 alice global",
                "1 inc 7 0  global",
                "1 inc 7 99999999999 alice global",
                "1 inc 7 500 alice global",
                "1 inc 7 5 alice",
                "1 inc 7 5 alice ",
                "1  7 5 alice global",
                "1 inc 99999999999999999999 5 alice global",
                "1 inc 7 5 al\nce global",
                "1 inc 7 5 alice glo\u0000bal",
                "1 inc 7 5 alice \u009b31mglobal",
                "x".repeat(1_000_000));
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        for (String header : hostile) {
            long before = counted();
            Waiting.result(requestWithHeader(vertx, header));
            assertThat(bank.seen.get(bank.seen.size() - 1).caller()).as(header).isNull();
            assertThat(counted()).as(header).isEqualTo(before + 1);
        }
        assertThat(bank.seen).hasSize(hostile.size());
    }

    @Test
    void noHeaderWhateverItsTextKeepsAMessageFromArriving(Vertx vertx) {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        for (int i = 0; i < 300; i++) {
            StringBuilder header = new StringBuilder("1 inc 7 5 alice global.Front");
            for (int change = random.nextInt(6); change >= 0; change--) {
                int at = random.nextInt(header.length() + 1);
                header.insert(at, (char) random.nextInt(0x300));
                header.deleteCharAt(random.nextInt(header.length()));
            }
            Waiting.result(requestWithHeader(vertx, header.toString()));
        }
        assertThat(bank.seen).as("seed %s", seed).hasSize(300);
    }

    /** As a peer without this library may send it: ours would take the header out. */
    private static Future<Message<Object>> requestWithHeader(Vertx vertx, String header) {
        vertx.eventBus().<Object>addOutboundInterceptor(new Handler<>() {
            @Override
            public void handle(DeliveryContext<Object> delivery) {
                if (delivery.message().address().equals("bank.pay")) {
                    delivery.message().headers().set(OUR_HEADER, header);
                    vertx.eventBus().removeOutboundInterceptor(this);
                }
                delivery.next();
            }
        });
        return vertx.eventBus().request("bank.pay", 1);
    }

    private long counted() {
        return runtime.misuses().stream()
                .filter(line -> line.contains(OUR_HEADER))
                .mapToLong(line -> Long.parseLong(line.substring(0, line.indexOf('x'))))
                .sum();
    }

    @Test
    void ourOwnAddressesHaveNoContexts(Vertx vertx) {
        List<String> ours = List.of(
                "fastn.status",
                "fastn.status.query",
                "fastn.status.node.alice",
                "fastn.events.locks",
                "fastn.events.counters",
                "fastn.events.contexts");
        for (String address : ours) {
            Service service = Service.deploy(vertx, address, message -> message.reply("x"));
            Waiting.result(vertx.eventBus().request(address, "x"));
            assertThat(service.only().kind()).as(address).isEqualTo(ContextKind.SERVICE);
            assertThat(service.messages.get(0).headers().contains(OUR_HEADER))
                    .as(address)
                    .isFalse();
        }
        assertThat(runtime.root().subtreeTotal("messages")).isZero();
    }

    @Test
    void anAddressThatOnlyBeginsLikeOursHasContexts(Vertx vertx) {
        for (String address : List.of("fastn.statusbar", "fastn.eventsource", "fastn.x", "fastn")) {
            Service service = Service.deploy(vertx, address, message -> message.reply("x"));
            Waiting.result(vertx.eventBus().request(address, "x"));
            assertThat(service.only().name()).isEqualTo(address);
        }
    }

    @Test
    void addressesOfVertxItselfHaveNoContexts(Vertx vertx) {
        Service service = Service.deploy(vertx, "__vertx.something", message -> message.reply("x"));
        Waiting.result(vertx.eventBus().request("__vertx.something", "x"));
        assertThat(service.only().kind()).isEqualTo(ContextKind.SERVICE);
    }

    @Test
    void anInterceptorOfTheApplicationSeesEveryMessageAndReply(Vertx vertx) {
        List<String> out = new CopyOnWriteArrayList<>();
        List<String> in = new CopyOnWriteArrayList<>();
        vertx.eventBus().addOutboundInterceptor(delivery -> {
            out.add(kind(delivery.message().address()));
            delivery.next();
        });
        vertx.eventBus().addInboundInterceptor(delivery -> {
            in.add(kind(delivery.message().address()));
            delivery.next();
        });
        Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        Waiting.result(vertx.eventBus().request("bank.pay", 1));
        // Probes are ours, and come at any time.
        assertThat(out).filteredOn(address -> !address.startsWith("fastn.")).containsExactly("bank.pay", "reply");
        assertThat(in).containsExactly("bank.pay", "reply");
    }

    private static String kind(String address) {
        return address.startsWith("__vertx.reply.") ? "reply" : address;
    }

    @Test
    void m6_aHostileAddressIsMadeSafeAndDelivered(Vertx vertx) {
        for (String address : List.of("x".repeat(100_000), "a.b..c", "\u202eevil", "\ud800", " ")) {
            Service service = Service.deploy(vertx, address, message -> message.reply("x"));
            Waiting.result(vertx.eventBus().request(address, 1));
            assertThat(service.only().kind()).isEqualTo(ContextKind.MESSAGE);
            assertThat(service.only()
                            .name()
                            .codePointCount(0, service.only().name().length()))
                    .isLessThanOrEqualTo(256);
        }
    }

    @Test
    void aConsumerThatBelongsToNoVerticleWorksUnderTheRoot(Vertx vertx) {
        AtomicReference<@Nullable FastnContext> seen = new AtomicReference<>();
        Waiting.result(vertx.eventBus()
                .consumer("loose", message -> {
                    seen.set(FastnContext.current());
                    message.reply("x");
                })
                .completion());
        Waiting.result(vertx.eventBus().request("loose", 1));
        FastnContext context = requireNonNull(seen.get());
        assertThat(context.name()).isEqualTo("loose");
        assertThat(context.parent()).isSameAs(runtime.root());
    }

    @Test
    void aRequestThatNobodyConsumesFailsAsWithoutUs(Vertx vertx) {
        Throwable failure = Waiting.failure(vertx.eventBus().request("nobody", 1));
        assertThat(failure)
                .isInstanceOfSatisfying(
                        ReplyException.class, e -> assertThat(e.failureType()).isEqualTo(ReplyFailure.NO_HANDLERS));
    }

    @Test
    void aReplyThatComesBeforeTheTracerIsToldEndsTheOperationOfTheRequest(Vertx vertx) {
        String replyAddress = "__vertx.reply.faster";
        AwaitedReplies awaited = FastnVertx.install(vertx).awaitedReplies();
        try (FastnContext asker = runtime.root().child("asker").open();
                Operation asking = asker.operation("request bank.pay")) {
            awaited.expect(replyAddress, (ContextNode) asker, "bank.pay", asking, System.nanoTime());
            vertx.eventBus().localConsumer(replyAddress, message -> {});
            vertx.eventBus().send(replyAddress, "paid");
            Waiting.until(
                    () -> asker.subtreeStatus().globalContext().operations().isEmpty());
        }
        assertThat(awaited.count()).isZero();
    }

    @Test
    void aRequestThatCannotBeSentLeavesNoOperationBehind(Vertx vertx) {
        AwaitedReplies awaited = FastnVertx.install(vertx).awaitedReplies();
        vertx.eventBus().addOutboundInterceptor(delivery -> {
            if (delivery.message().address().equals("bank.pay")) {
                throw new IllegalStateException("it cannot be encoded");
            }
            delivery.next();
        });
        inFront(() -> {
            try {
                var unused = vertx.eventBus().request("bank.pay", 1, new DeliveryOptions().setSendTimeout(50));
            } catch (IllegalStateException e) {
                // As it would be without us.
            }
            return Future.succeededFuture();
        });
        Waiting.until(() -> awaited.count() == 0);
    }

    /** What cannot be sent, as there is no codec for it, or one that fails. */
    private static final class Unsendable {}

    private static final class FailingCodec implements MessageCodec<Unsendable, Unsendable> {
        @Override
        public void encodeToWire(Buffer buffer, Unsendable body) {
            throw new IllegalStateException("it cannot be encoded");
        }

        @Override
        public Unsendable decodeFromWire(int position, Buffer buffer) {
            throw new IllegalStateException("it cannot be decoded");
        }

        @Override
        public Unsendable transform(Unsendable body) {
            throw new IllegalStateException("it cannot be copied");
        }

        @Override
        public String name() {
            return "failing";
        }

        @Override
        public byte systemCodecID() {
            return -1;
        }
    }

    /** To the sender such a send looks well, as with any interceptor: Vert.x tells its failure to the exception handler. */
    @Test
    void aSendThatFailsOnItsWayIsCountedAndNoOperationIsLeftOfIt(Vertx vertx) {
        vertx.eventBus().registerDefaultCodec(Unsendable.class, new FailingCodec());
        Service bank = Service.deploy(vertx, "bank.pay", message -> {});
        EventBus bus = vertx.eventBus();
        FastnContext sender =
                inFront(() -> FutureContext.current().child("sender").run(ctx -> {
                    bus.send("bank.pay", new Unsendable());
                    bus.publish("bank.pay", new Unsendable());
                    var unused = bus.request("bank.pay", new Unsendable(), new DeliveryOptions().setSendTimeout(50));
                    bus.send("bank.pay", "fine");
                    return Future.succeededFuture(ctx.context());
                }));
        assertThat(sender.getTotal("failed_sends")).isEqualTo(3);
        assertThat(sender.state()).isEqualTo(ContextState.CLOSED);
        assertThat(FastnVertx.install(vertx).awaitedReplies().count()).isZero();
        assertThat(bank.only().getTotal("messages")).isEqualTo(1);
    }

    /** Vert.x catches what is thrown behind an interceptor before the one in front of it sees it. */
    @Test
    void aSendThatFailsBehindAnotherInterceptorIsNotCountedAndItsOperationEndsWithItsContext(Vertx vertx) {
        vertx.eventBus().registerDefaultCodec(Unsendable.class, new FailingCodec());
        Service.deploy(vertx, "bank.pay", message -> {});
        vertx.eventBus().addOutboundInterceptor(DeliveryContext::next);
        AwaitedReplies awaited = FastnVertx.install(vertx).awaitedReplies();
        FastnContext sender = runtime.root().child("sender").open();
        inFront(() -> {
            try (ContextScope ignored = sender.makeCurrent()) {
                vertx.eventBus().send("bank.pay", new Unsendable());
                var unused = vertx.eventBus().request("bank.pay", new Unsendable());
            }
            return Future.succeededFuture();
        });
        assertThat(sender.getTotal("failed_sends")).isZero();
        assertThat(awaited.count()).isEqualTo(1);
        sender.close();
        awaited.sweep();
        assertThat(awaited.count()).isZero();
    }

    @Test
    void aSendForWhoseBodyThereIsNoCodecFailsWithTheContextThatIsOfItsOwn(Vertx vertx) {
        FastnContext sender = runtime.root().child("sender").open();
        List<Future<?>> sent = inFront(() -> {
            FutureContext ctx = FutureContext.of(sender);
            return Future.succeededFuture(List.of(
                    ctx.request("bank.pay", new Unsendable()), ctx.child("step").run(step -> {
                        vertx.eventBus().send("bank.pay", new Unsendable());
                        return Future.succeededFuture();
                    })));
        });
        assertThat(sent)
                .allSatisfy(each -> assertThat(Waiting.failure(each))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("codec"));
        assertThat(sender.getTotal("failed_sends")).isEqualTo(1);
        assertThat(sender.children()).isEmpty();
        assertThat(sender.subtreeStatus().globalContext().operations()).isEmpty();
        assertThat(FastnVertx.install(vertx).awaitedReplies().count()).isZero();
        sender.close();
        assertThat(sender.state()).isEqualTo(ContextState.CLOSED);
    }

    /** Vert.x keeps what ends a wait until the reply or its time, which may be hours, is over. */
    @Test
    void C8_whatEndsAWaitThatWasSweptKeepsNothingOfItsCaller(Vertx vertx) {
        AwaitedReplies awaited = FastnVertx.install(vertx).awaitedReplies();
        List<Runnable> kept = new ArrayList<>();
        WeakReference<FastnContext> gone = askAndEnd(awaited, kept);
        awaited.sweep();
        assertThat(awaited.count()).isZero();
        Waiting.until(() -> {
            System.gc();
            return gone.get() == null;
        });
        kept.forEach(Runnable::run);
    }

    private WeakReference<FastnContext> askAndEnd(AwaitedReplies awaited, List<Runnable> kept) {
        FastnContext asker = runtime.root().child("asker").open();
        kept.add(awaited.expect("__vertx.reply.never", (ContextNode) asker, "bank.pay", null, System.nanoTime()));
        asker.close();
        return new WeakReference<>(asker);
    }

    @Test
    void whatNobodySeesTheEndOfIsSwept(Vertx vertx) {
        AwaitedReplies awaited = FastnVertx.install(vertx).awaitedReplies();
        FastnContext asker = runtime.root().child("asker").open();
        try (Operation asking = asker.operation("request bank.pay")) {
            awaited.expect("__vertx.reply.never", (ContextNode) asker, "bank.pay", asking, System.nanoTime());
            awaited.sweep();
            assertThat(awaited.count()).isEqualTo(1);
            asker.close();
            awaited.sweep();
            assertThat(awaited.count()).isZero();
        }
    }

    @Test
    void anErrorOfOurObservationLosesNoMessage(Vertx vertx) {
        Service log = Service.deploy(vertx, "log", message -> message.reply("done"));
        FastnVertx.builder()
                .options(new VertxContextOptions().setNames((kind, name) -> {
                    throw new AssertionError("no name");
                }))
                .install(vertx);
        assertThat(Waiting.result(vertx.eventBus().request("log", 1)).body()).isEqualTo("done");
        assertThat(log.messages).hasSize(1);
    }

    @Test
    void anErrorOfOurObservationDoesNotReachTheSender(Vertx vertx) {
        FastnVertx.builder()
                .options(new VertxContextOptions().setClientCalls(false))
                .install(vertx);
        Service log = Service.deploy(vertx, "log", message -> message.reply("done"));
        MultiMap real = MultiMap.caseInsensitiveMultiMap();
        MultiMap broken = (MultiMap) Proxy.newProxyInstance(
                MultiMap.class.getClassLoader(), new Class<?>[] {MultiMap.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("set")) {
                        throw new NoClassDefFoundError("no class");
                    }
                    return method.invoke(real, arguments);
                });
        inFront(() -> FutureContext.current()
                .child("asker")
                .run(ctx -> vertx.eventBus().request("log", 1, new DeliveryOptions().setHeaders(broken))));
        assertThat(log.messages).hasSize(1);
    }

    @Test
    void aMessageWithoutAReplyWaitsForItsChildren(Vertx vertx) {
        CompletableFuture<FastnContext> child = new CompletableFuture<>();
        Service log = Service.deploy(
                vertx,
                "log",
                message -> child.complete(FastnContext.current().child("later").open()));
        vertx.eventBus().send("log", 1);
        FastnContext work = Waiting.result(child);
        FastnContext context = log.only();
        Waiting.result(Waiting.on(log.place(), () -> Future.succeededFuture(Future.succeededFuture())));
        assertThat(context.state()).isEqualTo(ContextState.ACTIVE);
        work.close();
        Waiting.until(() -> context.state() == ContextState.CLOSED);
    }

    @Test
    void noRequestOfManyLeavesAnOperationBehind(Vertx vertx) {
        Service bank = Service.deploy(vertx, "bank.pay", message -> message.reply("paid"));
        for (int round = 0; round < 20; round++) {
            Object joined = inFront(() -> Future.join(IntStream.range(0, 100)
                    .mapToObj(i -> vertx.eventBus().request("bank.pay", i))
                    .toList()));
            assertThat(joined).isNotNull();
        }
        assertThat(bank.seen).hasSize(2_000);
        Waiting.until(() -> FastnVertx.install(vertx).awaitedReplies().count() == 0);
    }
}
