package com.fastn.verification.cluster;

import static java.util.Objects.requireNonNull;

import com.fastn.context.vertx.FutureContext;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One node's part of a chain of waits: a context waits for the next link, which is on another node, and the last one has the root
 * planted on its own. A link is waited for by a request on the bus, or by a shared lock that it owns.
 */
final class ChainVerticle extends VerticleBase {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final DeliveryOptions PATIENT = new DeliveryOptions().setSendTimeout(PATIENCE.toMillis());

    private final String alias;
    private final Map<Long, Part> parts = new ConcurrentHashMap<>();
    private @Nullable FutureContext here;

    ChainVerticle(String alias) {
        this.alias = alias;
    }

    @Override
    public Future<?> start() {
        here = FutureContext.current();
        return vertx.eventBus()
                .<JsonObject>consumer(
                        address(alias),
                        message ->
                                goOn(FutureContext.current(), message.body()).onComplete(done -> message.reply("done")))
                .completion();
    }

    private static String address(String alias) {
        return "chain." + alias;
    }

    private FutureContext here() {
        return requireNonNull(here, "deployed");
    }

    /** What the test tells this node, in the thread that it tells it in; {@code null} for what it does not know. */
    @Nullable
    Future<JsonObject> obey(JsonObject command) {
        return switch (command.getString("do")) {
            case "own" -> own(command);
            case "go" -> go(command);
            case "front" -> front(command);
            case "end" -> end(command);
            default -> null;
        };
    }

    /**
     * Takes the shared lock of a link, and goes on with what comes behind it while it has it: now, or later, when it is told
     * to.
     */
    private Future<JsonObject> own(JsonObject task) {
        Promise<JsonObject> taken = Promise.promise();
        here().child("owner-" + task.getLong("number"))
                .spawn(owner -> owner.sharedLock(lock(task)).withLock(() -> {
                    Future<Void> turn = task.getBoolean("later", false)
                            ? FutureContext.returning(part(task).go.future().toCompletionStage())
                            : Future.succeededFuture();
                    taken.complete(new JsonObject());
                    return turn.compose(now -> goOn(owner, next(task)));
                }))
                .onFailure(taken::tryFail);
        return taken.future();
    }

    private Future<JsonObject> go(JsonObject task) {
        part(task).go.complete();
        return Future.succeededFuture(new JsonObject());
    }

    private Future<JsonObject> front(JsonObject task) {
        var unused = here().child("front-" + task.getLong("number")).spawn(front -> goOn(front, task));
        return Future.succeededFuture(new JsonObject());
    }

    private Future<JsonObject> end(JsonObject task) {
        Part part = parts.remove(task.getLong("number"));
        if (part != null) {
            part.scene.end();
            part.over.complete();
        }
        return Future.succeededFuture(new JsonObject());
    }

    private Future<?> goOn(FutureContext me, JsonObject task) {
        List<Link> links = Link.read(task);
        if (links.isEmpty()) {
            Part part = part(task);
            part.scene.plant(Root.valueOf(task.getString("root")), me.context());
            return part.over.future();
        }
        Link link = links.get(0);
        return switch (link.by()) {
            case REQUEST -> me.request(address(link.node()), next(task), PATIENT);
            case LOCK ->
                me.sharedLock(lock(task)).lock(PATIENCE).map(guard -> {
                    guard.close();
                    return "done";
                });
        };
    }

    private Part part(JsonObject task) {
        return parts.computeIfAbsent(
                task.getLong("number"),
                number -> new Part(new Scene(number, here()), Promise.promise(), Promise.promise()));
    }

    /** The one of the first link: in each scenario a node owns one at most. */
    private static String lock(JsonObject task) {
        return "shelf-" + task.getLong("number") + "-" + Link.read(task).get(0).node();
    }

    private static JsonObject next(JsonObject task) {
        List<Link> links = new ArrayList<>(Link.read(task));
        links.remove(0);
        return task.copy().put("links", Link.write(links));
    }

    private record Part(Scene scene, Promise<Void> go, Promise<Void> over) {}
}
