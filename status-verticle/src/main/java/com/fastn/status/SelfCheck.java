package com.fastn.status;

import com.fastn.context.WarningIds;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks whether the cluster manager still tells the others where this node is, and registers it anew when it does not: one of
 * them was seen to forget a node for good after a pause (rule D10).
 *
 * <p>It asks the cluster manager and does not send itself a message, because a bus delivers that without asking anybody. It
 * belongs to the verticle's context.
 *
 * <p>What the application consumes cannot be registered anew by anybody but the application. So there are witnesses: an address
 * that this node has alone and one that all nodes have, both registered once, as those of the application are. Where the cluster
 * manager has forgotten one of them for good, it has forgotten such of the application too, and the node says so.
 */
final class SelfCheck {
    /** The id of the warning that nobody finds this node. */
    static final String WARNING_ID = WarningIds.NOT_REACHABLE_THROUGH_CLUSTER;
    /** The id of the warning that nobody finds what the application consumes on this node. */
    static final String FORGOTTEN_ID = WarningIds.ADDRESSES_FORGOTTEN;

    private static final String WITNESS = "fastn.status.witness";

    private static final long TIMEOUT_MILLIS = 2_000;
    /** Then it is looked at again, and repaired once more if need be, and if that which goes on has come to an end. */
    private static final long LONGEST_REPAIR_MILLIS = 4_000;

    private static final Logger LOG = LoggerFactory.getLogger(SelfCheck.class);

    private final Vertx vertx;
    private final @Nullable Registry registry;
    private final Supplier<List<String>> addresses;
    private final List<String> witnesses;
    private final Supplier<Future<Void>> registerAnew;
    private final Reachability reachability = new Reachability();

    // Mutable state
    private final Set<String> registering = new HashSet<>();
    private final Set<String> witnessed = new HashSet<>();
    private boolean checking;
    private boolean repairing;
    // Read by whoever takes a snapshot.
    private volatile boolean lost;
    private volatile boolean unanswered;
    private volatile boolean forgotten;

    /**
     * Makes one.
     *
     * @param vertx the Vertx of this node
     * @param registry what its cluster manager knows, or {@code null} where it has none
     * @param addresses all that is registered anew: after a merge one may be lost alone, whether only this node has it or all do
     * @param incarnation of this node
     * @param registerAnew registers all of them again
     */
    SelfCheck(
            Vertx vertx,
            @Nullable Registry registry,
            Supplier<List<String>> addresses,
            String incarnation,
            Supplier<Future<Void>> registerAnew) {
        this.vertx = vertx;
        this.registry = registry;
        this.addresses = addresses;
        this.witnesses = List.of(WITNESS, WITNESS + "." + incarnation);
        this.registerAnew = registerAnew;
    }

    /** {@return completes when the witnesses are known to the cluster manager; a registration that fails is tried again later} */
    Future<Void> start() {
        return registry == null
                ? Future.succeededFuture()
                : Future.all(witnesses.stream().map(this::witness).toList()).mapEmpty();
    }

    private Future<Void> witness(String address) {
        OwnPlaceConsumer consumer = OwnPlaceConsumer.of(vertx, address, message -> {});
        registering.add(address);
        return consumer.completion().onComplete(done -> {
            registering.remove(address);
            if (done.succeeded()) {
                witnessed.add(address);
            } else {
                LOG.debug("the witness {} was not registered", address, done.cause());
                var unused = consumer.unregister();
            }
        });
    }

    /** What was never known cannot have been forgotten. */
    private void witnessAnew() {
        for (String witness : witnesses) {
            if (!witnessed.contains(witness) && !registering.contains(witness)) {
                var unused = witness(witness);
            }
        }
    }

    /** Looks once; what is wrong is mended by itself, as far as it is ours. */
    void look() {
        Registry present = registry;
        if (present == null || checking) {
            return;
        }
        checking = true;
        ask(present)
                .compose(found -> switch (found) {
                    case THERE -> {
                        reachability.found();
                        yield lookForOthers(present);
                    }
                    case MISSING -> reachability.missed() ? repair(present, found) : Future.succeededFuture();
                    case UNANSWERED -> reachability.unanswered() ? repair(present, found) : Future.succeededFuture();
                })
                .onComplete(done -> {
                    checking = false;
                    lost = reachability.isLost();
                    unanswered = reachability.isUnanswered();
                    tellOthers(reachability.isForgotten());
                    if (done.failed()) {
                        LOG.warn("whether other nodes find this one could not be looked at", done.cause());
                    }
                });
    }

    /** What the cluster manager says of this node. */
    private enum Found {
        THERE("knows this node"),
        MISSING("does not know this node any more"),
        UNANSWERED("does not say whether it knows this node");

        private final String sentence;

        Found(String sentence) {
            this.sentence = sentence;
        }

        /** {@return what answers that came, or did not, say together: one that is missing says enough} */
        static Found of(List<Future<Boolean>> answers) {
            if (answers.stream().anyMatch(Found::isMissing)) {
                return MISSING;
            }
            return answers.stream().allMatch(Future::succeeded) ? THERE : UNANSWERED;
        }

        /** A cluster manager may say by a failure that it does not know a member. */
        private static boolean isMissing(Future<Boolean> answer) {
            return answer.succeeded()
                    ? !answer.result()
                    : answer.failed() && !(answer.cause() instanceof TimeoutException);
        }
    }

    private Future<Found> ask(Registry present) {
        List<Future<Boolean>> answers = new ArrayList<>();
        addresses.get().forEach(each -> answers.add(isRegistered(present, each)));
        answers.add(present.place(present.ownId()).map(known -> known != null));
        return here(vertx, Future.all(answers))
                .timeout(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .transform(waited -> {
                    Found found = Found.of(answers);
                    LOG.debug("the cluster manager {}", found.sentence, waited.cause());
                    return Future.succeededFuture(found);
                });
    }

    /** Only what the cluster manager says counts here: nothing can be mended, so nothing is lost by asking again later. */
    private Future<Void> lookForOthers(Registry present) {
        witnessAnew();
        return here(vertx, areRegistered(present, List.copyOf(witnessed)))
                .timeout(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .onSuccess(reachability::foundOthers)
                .<Void>mapEmpty()
                .otherwiseEmpty();
    }

    private void tellOthers(boolean areForgotten) {
        if (areForgotten && !forgotten) {
            LOG.error(
                    "the cluster manager has forgotten what the application consumes on this node, and nobody but the application"
                            + " can register that anew: restart this node, or deploy its verticles again");
        }
        forgotten = areForgotten;
    }

    private static Future<Boolean> areRegistered(Registry present, List<String> all) {
        return Future.all(all.stream().map(each -> isRegistered(present, each)).toList())
                .map(found -> found.<Boolean>list().stream().allMatch(each -> each));
    }

    private static Future<Boolean> isRegistered(Registry present, String at) {
        return present.registrations(at)
                .map(all -> all.stream().anyMatch(each -> each.nodeId().equals(present.ownId())));
    }

    /** One that takes long goes on, and no other begins before it has come to its end. */
    private Future<Void> repair(Registry present, Found found) {
        if (repairing) {
            return Future.succeededFuture();
        }
        LOG.warn("the cluster manager {}, so its addresses are registered anew", found.sentence);
        repairing = true;
        return soon(vertx, present.tellThisNode())
                .compose(known -> registerAnew.get())
                .onComplete(done -> repairing = false)
                .onFailure(failure -> LOG.warn("the addresses of this node could not be registered anew", failure))
                .timeout(LONGEST_REPAIR_MILLIS, TimeUnit.MILLISECONDS)
                // That it takes longer is no failure of it.
                .otherwiseEmpty();
    }

    /** A promise that is told about on the caller's context; a cluster manager may complete it on a thread of its own. */
    static <T> Promise<T> promise(Vertx vertx) {
        return ((ContextInternal) vertx.getOrCreateContext()).promise();
    }

    /**
     * {@return completes with what is awaited, or without it, on the caller's context} A cluster manager that has just merged was seen
     * never to say that a registration is gone; what is to come then does not wait for it.
     */
    static Future<Void> soon(Vertx vertx, Future<?> awaited) {
        return here(vertx, awaited)
                .timeout(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .<Void>mapEmpty()
                .otherwiseEmpty();
    }

    /** A future of several others belongs to no context, and its time would run out on a thread that is not ours. */
    private static <T> Future<T> here(Vertx vertx, Future<T> elsewhere) {
        Promise<T> told = promise(vertx);
        elsewhere.onSuccess(told::tryComplete).onFailure(told::tryFail);
        return told.future();
    }

    /** {@return a warning while registering anew does not help, or the cluster manager does not answer, or {@code null}} */
    @Nullable
    StatusWarning warning(String rootPath) {
        if (unanswered) {
            return new StatusWarning(
                    WARNING_ID,
                    WarningSeverity.CRITICAL,
                    "the cluster manager does not answer this node, so other nodes may not find it",
                    rootPath,
                    "ask this node through its status port; restart it if that lasts");
        }
        if (!lost) {
            return null;
        }
        return new StatusWarning(
                WARNING_ID,
                WarningSeverity.CRITICAL,
                "this node is not reachable through the cluster manager, and registering it anew did not help",
                rootPath,
                "restart this node; until then ask it through its status port");
    }

    /** {@return a warning while others do not find what the application consumes, or {@code null}} */
    @Nullable
    StatusWarning forgotten(String rootPath) {
        if (!forgotten) {
            return null;
        }
        return new StatusWarning(
                FORGOTTEN_ID,
                WarningSeverity.CRITICAL,
                "the cluster manager has forgotten the addresses of this node; those of the status verticle are registered anew,"
                        + " consumers of the application that are older than that get nothing from other nodes",
                rootPath,
                "deploy the verticles that consume them again, or restart this node");
    }

    /** {@return how often addresses were registered anew} */
    long repairs() {
        return reachability.repairs();
    }
}
