package com.fastn.status;

import static java.util.Objects.requireNonNull;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.context.vertx.Addresses;
import com.fastn.status.stream.Inbox;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.vertx.core.Closeable;
import io.vertx.core.Completable;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.ReadStream;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stream of the cluster's status. It keeps the newest only: while it is paused nothing piles up, here or at the writer. All
 * state is touched on one Vert.x context, where the handlers run too.
 */
final class StatusStream implements ReadStream<ClusterStatus> {
    private static final Logger LOG = LoggerFactory.getLogger(StatusStream.class);

    private final ContextInternal home;
    private final Closeable atUndeploy = this::undeployed;
    private final StatusSubscription subscription;

    // Mutable state, only touched on home
    private @Nullable Handler<ClusterStatus> handler;
    private @Nullable Handler<Throwable> exceptionHandler;
    private @Nullable Handler<Void> endHandler;
    private @Nullable ClusterStatus pending;
    private long demand = Long.MAX_VALUE;
    private boolean opened;
    private boolean ended;

    StatusStream(Vertx vertx, JsonObject question) {
        this(vertx, question, Ticker.system());
    }

    StatusStream(Vertx vertx, JsonObject question, Ticker ticker) {
        this.home = (ContextInternal) vertx.getOrCreateContext();
        this.subscription = new StatusSubscription(
                vertx,
                null,
                Addresses.STATUS_SUBSCRIBE,
                question,
                this::onView,
                this::onTrouble,
                Inbox.MOST_NODES,
                new PeerBytes(ticker),
                ticker);
        subscription.acknowledgeByHand();
    }

    @Override
    @CanIgnoreReturnValue
    public StatusStream handler(@Nullable Handler<ClusterStatus> newHandler) {
        onHome(() -> {
            handler = newHandler;
            if (newHandler == null) {
                end();
            } else if (!opened) {
                begin();
            } else {
                emit();
            }
        });
        return this;
    }

    @Override
    @CanIgnoreReturnValue
    public StatusStream exceptionHandler(@Nullable Handler<Throwable> newHandler) {
        onHome(() -> exceptionHandler = newHandler);
        return this;
    }

    @Override
    @CanIgnoreReturnValue
    public StatusStream endHandler(@Nullable Handler<Void> newHandler) {
        onHome(() -> endHandler = newHandler);
        return this;
    }

    @Override
    @CanIgnoreReturnValue
    public StatusStream pause() {
        onHome(() -> demand = 0);
        return this;
    }

    @Override
    @CanIgnoreReturnValue
    public StatusStream resume() {
        return fetch(Long.MAX_VALUE);
    }

    @Override
    @CanIgnoreReturnValue
    public StatusStream fetch(long amount) {
        if (amount < 0) {
            throw new IllegalArgumentException("fetch takes how many more are wanted, not " + amount);
        }
        onHome(() -> {
            demand = demand + amount < 0 ? Long.MAX_VALUE : demand + amount;
            emit();
        });
        return this;
    }

    private void begin() {
        opened = true;
        // Vert.x itself ends the consumer and the timer of a verticle with it, and knows of no stream.
        if (home.deploymentID() != null && !home.closeFuture().add(atUndeploy)) {
            end();
            return;
        }
        subscription.open();
    }

    private void undeployed(Completable<Void> told) {
        try {
            home.runOnContext(now -> end());
        } catch (RejectedExecutionException e) {
            LOG.debug("a stream could not be ended, as the threads of its verticle are gone; its lease will end", e);
        }
        told.succeed();
    }

    private void onHome(Runnable change) {
        requireNonNull(change, "change");
        home.runOnContext(now -> change.run());
    }

    private void onView(ClusterStatus view) {
        pending = view;
        emit();
    }

    private void emit() {
        ClusterStatus next = pending;
        Handler<ClusterStatus> told = handler;
        if (next == null || told == null || demand == 0 || ended) {
            return;
        }
        pending = null;
        if (subscription.view() == null) {
            // It waited here, and is not of now any more; what is comes when it is known. The writer does not wait.
            subscription.takeUp();
            return;
        }
        demand = demand == Long.MAX_VALUE ? demand : demand - 1;
        subscription.takeUp();
        handle(told, next);
    }

    /** What it throws is told as Vert.x does, and does not end in the middle what the subscription is at. */
    private <T> void handle(Handler<T> told, @Nullable T what) {
        try {
            told.handle(what);
        } catch (Throwable t) {
            home.reportException(t);
        }
    }

    /** It tries again by itself, so this is told and is not the end. */
    private void onTrouble(Throwable failure) {
        Handler<Throwable> told = exceptionHandler;
        if (told != null && !ended) {
            handle(told, failure);
        }
    }

    private void end() {
        if (ended) {
            return;
        }
        ended = true;
        pending = null;
        home.closeFuture().remove(atUndeploy);
        subscription.close();
        Handler<Void> told = endHandler;
        if (told != null) {
            handle(told, null);
        }
    }
}
