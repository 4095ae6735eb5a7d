package com.fastn.verification.cluster;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a child JVM is told on its standard input, and answers on its standard output: one JSON object a line, behind a mark.
 * It goes by neither HTTP nor the event bus, so that it leaves no trace in what is observed.
 *
 * <p>Knows nothing of the library that is tested.
 */
final class Control {
    /** Begins a line of the child's output that is an answer. */
    static final String MARK = "@@ ";

    private final Vertx vertx;
    private final List<JsonObject> heard = new CopyOnWriteArrayList<>();

    private final Function<JsonObject, @Nullable Future<JsonObject>> more;

    private Control(Vertx vertx, Function<JsonObject, @Nullable Future<JsonObject>> more) {
        this.vertx = vertx;
        this.more = more;
    }

    /** Does what it is told until nobody is left to tell it, and ends the process. */
    static void serve(Future<Vertx> started, JsonObject settings, Future<JsonObject> facts) {
        serve(started, settings, facts, command -> null);
    }

    /** The same, for a node that knows commands of its own; {@code more} gives {@code null} for others. */
    static void serve(
            Future<Vertx> started,
            JsonObject settings,
            Future<JsonObject> facts,
            Function<JsonObject, @Nullable Future<JsonObject>> more) {
        facts.onSuccess(known -> say(known.copy().put("id", 0)));
        facts.onFailure(failure -> {
            failure.printStackTrace();
            System.exit(1);
        });
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            Control control = null;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                control = control != null ? control : new Control(started.result(), more);
                control.obey(new JsonObject(line));
            }
        } catch (IOException e) {
            System.err.println(settings.getString("alias") + " hears nothing any more: " + e.getMessage());
        }
        // Nobody here says goodbye to the cluster: whoever closes the input is done with all of it.
        Runtime.getRuntime().halt(0);
    }

    private void obey(JsonObject command) {
        Future<JsonObject> answer;
        try {
            Future<JsonObject> own = more.apply(command);
            answer = own != null
                    ? own
                    : switch (command.getString("do")) {
                        case "ask" -> ask(command);
                        case "consume" -> consume(command.getString("address"));
                        case "heard" -> Future.succeededFuture(new JsonObject().put("heard", new JsonArray(heard)));
                        default -> Future.failedFuture("there is no command " + command);
                    };
        } catch (RuntimeException e) {
            answer = Future.failedFuture(e);
        }
        answer.otherwise(failure -> new JsonObject().put("failure", String.valueOf(failure.getMessage())))
                .onSuccess(done -> say(done.put("id", command.getInteger("id"))));
    }

    private Future<JsonObject> ask(JsonObject command) {
        DeliveryOptions options = new DeliveryOptions().setSendTimeout(command.getLong("timeout"));
        return vertx.eventBus()
                .request(command.getString("address"), command.getValue("body"), options)
                .map(reply -> new JsonObject().put("body", reply.body()));
    }

    private Future<JsonObject> consume(String address) {
        return vertx.eventBus().consumer(address, this::hear).completion().map(done -> new JsonObject());
    }

    private void hear(Message<Object> message) {
        heard.add(new JsonObject()
                .put("at_ms", System.nanoTime() / 1_000_000)
                .put("question", message.replyAddress() != null)
                .put("body", message.body()));
    }

    private static void say(JsonObject answer) {
        String line = MARK + answer.encode() + "\n";
        synchronized (System.out) {
            System.out.writeBytes(line.getBytes(StandardCharsets.UTF_8));
            System.out.flush();
        }
    }
}
