package com.fastn.status;

import com.fastn.context.Registration;
import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.vertx.Addresses;
import com.fastn.context.vertx.FastnVertx;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageProducer;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.cluster.RegistrationInfo;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the status of the cluster to whoever consumes {@code fastn.status.changes} on any node: once at first, then when
 * something changed, at most once per second. Of the nodes whose options say so one does it, the one that lives for the
 * longest. It belongs to the verticle's context.
 *
 * <pre>
 *  IDLE --it comes first, and somebody consumes--&gt; PUBLISHING: each second it looks who consumes
 *    \&lt;----nobody consumes any more, or another node comes first----/
 * </pre>
 *
 * <p>Who consumes is what the cluster manager says, so no message is sent to find it out, and nodes on which nobody consumes
 * are sent nothing. While nodes disagree on who comes first two may publish, each the whole; {@code answered_by} tells them
 * apart.
 */
final class ClusterPublisher {
    private static final long REGISTRY_MILLIS = 2_000;
    /** A node that takes nothing must not keep the others from hearing. */
    private static final long WRITE_MILLIS = 2_000;

    private static final Logger LOG = LoggerFactory.getLogger(ClusterPublisher.class);

    private final FastnVertx fastn;
    private final WorkerExecutor worker;
    private final NodeDirectory directory;
    private final Watches watches;
    private final ClusterTrust trust;
    private final BooleanSupplier relayed;
    private final Runnable begins;
    private final @Nullable Registry registry;
    private final MessageProducer<JsonObject> consumers;
    private final PacedLook<Set<String>> consumed;

    // Mutable state
    private @Nullable Registration watching;
    private @Nullable ClusterStatus latest;
    private Set<String> known = Set.of();
    private boolean writing;
    private boolean writeAgain;

    /**
     * Makes one.
     *
     * @param relayed whether this node passes it on to those who consume {@code fastn.status}
     * @param begins run when it begins to publish, so that the others, who may not have heard of this node for long, leave it to
     *     this one
     */
    ClusterPublisher(
            Vertx vertx,
            @Nullable Registry registry,
            FastnVertx fastn,
            WorkerExecutor worker,
            NodeDirectory directory,
            Watches watches,
            ClusterTrust trust,
            BooleanSupplier relayed,
            Runnable begins,
            Ticker ticker) {
        this.fastn = fastn;
        this.worker = worker;
        this.directory = directory;
        this.watches = watches;
        this.trust = trust;
        this.relayed = relayed;
        this.begins = begins;
        this.registry = registry;
        this.consumers = vertx.eventBus().publisher(Addresses.STATUS_CHANGES);
        this.consumed = new PacedLook<>(vertx, fastn::onChanges, this::whoConsumes, this::onFound, ticker);
    }

    void start() {
        consumed.start();
    }

    void stop() {
        consumed.stop();
        end();
    }

    /** Looks, at most once per second, whether it is to publish. */
    void look() {
        consumed.ask();
    }

    private boolean onFound(AsyncResult<Set<String>> found) {
        if (found.failed()) {
            LOG.debug("who consumes {} is not known now", Addresses.STATUS_CHANGES, found.cause());
        } else {
            onConsumers(found.result());
        }
        return watching != null;
    }

    /** {@return a name for each of them that this node has to tell, in no order} */
    private Future<Set<String>> whoConsumes() {
        if (!directory.comesFirst()) {
            return Future.succeededFuture(Set.of());
        }
        Future<Integer> local = fastn.consumers(Addresses.STATUS_CHANGES);
        Future<List<RegistrationInfo>> registered =
                registry == null ? Future.succeededFuture(List.of()) : registry.registrations(Addresses.STATUS_CHANGES);
        return Future.all(local, registered)
                .timeout(REGISTRY_MILLIS, TimeUnit.MILLISECONDS)
                .map(both -> {
                    Set<String> names = new HashSet<>();
                    for (int i = 0; i < local.result(); i++) {
                        names.add("here " + i);
                    }
                    if (relayed.getAsBoolean()) {
                        names.add("relayed here");
                    }
                    registered.result().forEach(one -> names.add(one.nodeId() + ' ' + one.seq()));
                    return names;
                });
    }

    private void onConsumers(Set<String> now) {
        Set<String> before = known;
        known = now;
        if (now.isEmpty()) {
            end();
        } else if (watching == null) {
            watching = watches.cluster(StatusQuery.all(), status -> {
                latest = status;
                publish();
            });
            begins.run();
        } else if (!before.containsAll(now)) {
            // Whoever is new is told once at first, whatever the others know already.
            publish();
        }
    }

    private void end() {
        if (watching != null) {
            watching.close();
            watching = null;
        }
        latest = null;
        known = Set.of();
    }

    /** What changes while one is on its way is told afterwards, the newest only. */
    private void publish() {
        ClusterStatus status = latest;
        writeAgain = writing && status != null;
        if (writing || status == null) {
            return;
        }
        writing = true;
        worker.executeBlocking(
                        () -> new JsonObject(Buffer.buffer(
                                Answers.published(ClusterTrust.withOwn(status, directory.self(), trust::forOthers)))),
                        false)
                .compose(body -> consumers.write(body).timeout(WRITE_MILLIS, TimeUnit.MILLISECONDS))
                .onComplete(done -> {
                    writing = false;
                    if (done.failed()) {
                        // Nobody consumes any more, or nobody was found this time; the next look tells.
                        LOG.debug("the status of the cluster was not published", done.cause());
                    }
                    if (writeAgain) {
                        publish();
                    }
                });
    }
}
