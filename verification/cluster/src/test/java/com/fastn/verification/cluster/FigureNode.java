package com.fastn.verification.cluster;

import com.fastn.context.FastnContext;
import com.fastn.context.vertx.FastnVertx;
import com.fastn.status.StatusOptions;
import com.fastn.status.StatusVerticle;
import com.fastn.status.stream.Inbox;
import com.fastn.status.stream.StreamFrame;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A node of which figures are taken: it has as many contexts as it is told, changes some of them, and asks and reads. */
final class FigureNode extends VerticleBase {
    private static final int SIBLINGS = 100;
    private static final long SECOND = 1_000;
    private static final DeliveryOptions BYTES =
            new DeliveryOptions().setSendTimeout(30_000).addHeader("fastn-wire", "1");

    private final String alias;
    private final List<FastnContext> jobs = new ArrayList<>();

    // Mutable state, only touched on the verticle's context
    private Buffer plain = Buffer.buffer();
    private long streamedBytes;
    private long streamedFrames;
    private long round;
    private long changing = -1;
    private int answers;
    private final Map<Long, Long> used = new HashMap<>();
    private @Nullable MessageConsumer<Buffer> frames;
    private @Nullable String stream;
    private @Nullable String control;

    private FigureNode(String alias) {
        this.alias = alias;
    }

    public static void main(String[] arguments) {
        JsonObject settings = new JsonObject(arguments[0]);
        FigureNode node = new FigureNode(settings.getString("alias"));
        Future<Vertx> joined = LoopbackCluster.join(settings);
        Future<JsonObject> facts = joined.compose(vertx -> {
            StatusOptions options = new StatusOptions()
                    .setAlias(node.alias)
                    // Whatever it takes is to be measured.
                    .setQueryTimeout(20_000)
                    .setDescriptors(false)
                    .setHttp(false);
            return vertx.deployVerticle(new StatusVerticle(options))
                    .compose(deployed -> vertx.deployVerticle(node))
                    .map(deployed -> new JsonObject()
                            .put("incarnation", FastnVertx.install(vertx).node().incarnation()));
        });
        Control.serve(joined, settings, facts, node::obey);
    }

    @Override
    public Future<?> start() {
        return vertx.eventBus()
                .consumer("plain." + alias, message -> message.reply(plain))
                .completion();
    }

    private @Nullable Future<JsonObject> obey(JsonObject command) {
        return switch (command.getString("do")) {
            case "grow" -> onContext(() -> grow(command.getInteger("contexts")));
            case "answer_plain" ->
                onContext(() -> {
                    plain = Buffer.buffer(new byte[command.getInteger("bytes")]);
                    return Future.succeededFuture(new JsonObject());
                });
            case "size" ->
                onContext(() -> request(command.getString("address"), new JsonObject())
                        .map(reply -> new JsonObject().put("bytes", ((Buffer) reply.body()).length())));
            case "ask_status" ->
                onContext(() ->
                        times(command.getInteger("times"), () -> request("fastn.status.query", new JsonObject())));
            case "ask_plain" ->
                onContext(() -> times(command.getInteger("times"), () -> allPlain(command.getJsonArray("nodes"))));
            case "change" -> onContext(() -> change(command.getDouble("share")));
            case "read" -> onContext(() -> read(command.getString("incarnation"), command.getBoolean("decode", false)));
            case "close" -> onContext(this::close);
            case "ask_each_second" ->
                onContext(() -> askEachSecond(command.getString("node"), command.getInteger("times")));
            case "asked" -> onContext(() -> Future.succeededFuture(new JsonObject().put("answers", answers)));
            case "cpu" -> onContext(() -> Future.succeededFuture(new JsonObject().put("nanos", cpuNanos())));
            case "streamed" ->
                onContext(() -> Future.succeededFuture(
                        new JsonObject().put("bytes", streamedBytes).put("frames", streamedFrames)));
            default -> null;
        };
    }

    private Future<JsonObject> onContext(Supplier<Future<JsonObject>> step) {
        Promise<JsonObject> done = Promise.promise();
        context.runOnContext(now -> step.get().onComplete(done));
        return done.future();
    }

    // --- contexts

    private Future<JsonObject> grow(int count) {
        FastnContext parent = FastnContext.global();
        while (jobs.size() < count) {
            if (jobs.size() % SIBLINGS == 0) {
                parent = FastnContext.global()
                        .child("batch-" + jobs.size() / SIBLINGS)
                        .open();
                jobs.add(parent);
            } else {
                FastnContext job = parent.child("job-" + jobs.size()).open();
                job.addMetric("items", jobs.size());
                jobs.add(job);
            }
        }
        return Future.succeededFuture(new JsonObject());
    }

    /** From now on that share of the contexts is another each second, a tenth of it each tenth of a second. */
    private Future<JsonObject> change(double share) {
        vertx.cancelTimer(changing);
        int each = (int) Math.round(jobs.size() * share / 10);
        if (each > 0) {
            changing = vertx.setPeriodic(SECOND / 10, tick -> {
                for (int i = 0; i < each; i++) {
                    round++;
                    jobs.get((int) (round * 7_919 % jobs.size())).addMetric("items", round);
                }
            });
        }
        return Future.succeededFuture(new JsonObject());
    }

    // --- questions

    private Future<Message<Object>> request(String address, Object body) {
        return vertx.eventBus().request(address, body, BYTES);
    }

    private Future<?> allPlain(JsonArray nodes) {
        return Future.all(nodes.stream()
                .map(node -> request("plain." + node, new JsonObject()))
                .toList());
    }

    /** One after the other; the answer has how long each took. */
    private Future<JsonObject> times(int left, Supplier<Future<?>> question) {
        JsonArray micros = new JsonArray();
        return once(left, question, micros).map(done -> new JsonObject().put("micros", micros));
    }

    private Future<?> once(int left, Supplier<Future<?>> question, JsonArray micros) {
        if (left == 0) {
            return Future.succeededFuture();
        }
        long began = System.nanoTime();
        return question.get().compose(answer -> {
            micros.add((System.nanoTime() - began) / 1_000);
            return once(left - 1, question, micros);
        });
    }

    /** One a second, as a stream tells; {@code asked} tells how many were answered. */
    private Future<JsonObject> askEachSecond(String node, int times) {
        answers = 0;
        int[] left = {times};
        vertx.setPeriodic(SECOND, tick -> {
            if (left[0]-- == 0) {
                vertx.cancelTimer(tick);
                return;
            }
            request("plain." + node, new JsonObject()).onSuccess(reply -> answers++);
        });
        return Future.succeededFuture(new JsonObject());
    }

    // --- processor time

    /**
     * {@return what the threads of Vert.x and of this library have used, those that have ended included; those of the cluster
     * manager are left out}
     */
    private long cpuNanos() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (thread != null
                    && (thread.getThreadName().startsWith("vert.x-")
                            || thread.getThreadName().startsWith("fastn-"))) {
                // It may end in between, which is told by -1.
                used.merge(thread.getThreadId(), threads.getThreadCpuTime(thread.getThreadId()), Math::max);
            }
        }
        return used.values().stream().mapToLong(Long::longValue).sum();
    }

    // --- a stream, as any program reads it

    private Future<JsonObject> read(String incarnation, boolean decode) {
        String address = "fastn.status.stream.figures-" + alias;
        Inbox inbox = new Inbox(1);
        frames = vertx.eventBus().consumer(address, frame -> {
            streamedBytes += frame.body().length();
            streamedFrames++;
            if (decode) {
                take(inbox, frame);
            }
            acknowledge(frame);
        });
        return frames.completion()
                .compose(listening -> vertx.eventBus()
                        .<JsonObject>request(
                                "fastn.status.subscribe." + incarnation, new JsonObject().put("address", address)))
                .map(opened -> {
                    stream = opened.body().getString("stream");
                    control = opened.body().getString("control");
                    return new JsonObject();
                });
    }

    private static void take(Inbox inbox, Message<Buffer> frame) {
        Inbox.Outcome outcome = inbox.take(new StreamFrame(
                Long.parseLong(frame.headers().get("fastn-epoch")),
                Long.parseLong(frame.headers().get("fastn-sequence")),
                StreamFrame.Content.of(frame.headers().get("fastn-content")),
                Boolean.parseBoolean(frame.headers().get("fastn-last")),
                frame.body().getBytes()));
        if (outcome == Inbox.Outcome.GAP) {
            throw new IllegalStateException(inbox.reason());
        }
    }

    private void acknowledge(Message<Buffer> frame) {
        if (stream != null && control != null) {
            vertx.eventBus()
                    .send(
                            control,
                            new JsonObject()
                                    .put("stream", stream)
                                    .put("epoch", Long.parseLong(frame.headers().get("fastn-epoch")))
                                    .put(
                                            "acknowledged",
                                            Long.parseLong(frame.headers().get("fastn-sequence"))));
        }
    }

    private Future<JsonObject> close() {
        if (stream == null || control == null || frames == null) {
            return Future.succeededFuture(new JsonObject());
        }
        vertx.eventBus().send(control, new JsonObject().put("stream", stream).put("close", true));
        stream = null;
        return frames.unregister().map(new JsonObject());
    }
}
