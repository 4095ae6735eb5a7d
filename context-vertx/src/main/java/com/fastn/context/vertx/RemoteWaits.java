package com.fastn.context.vertx;

import com.fastn.context.Registration;
import com.fastn.context.engine.EngineRuntime;
import com.fastn.context.engine.WaitReader;
import com.fastn.context.status.NodeWaits;
import com.fastn.context.status.SharedLockNames;
import io.vertx.core.internal.ContextInternal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The waits of this Vertx that another node may have to end: for replies on the bus, and for locks of the cluster. Until somebody
 * asks it keeps nothing; a wait costs the reading of one field.
 */
final class RemoteWaits {
    private static final long FORGET_MILLIS = 60_000;
    private static final int KEY_BYTES = 12;

    private final EngineRuntime runtime;
    private final ContextInternal home;
    private final WaitReader reader;
    private final AwaitedReplies awaited;
    private final PendingReplies pending;
    private final SharedTurns turns = new SharedTurns(this::began);
    private final AtomicReference<@Nullable Runnable> onNext = new AtomicReference<>();
    private final AtomicBoolean forgetting = new AtomicBoolean();
    private volatile boolean readLately;

    RemoteWaits(EngineRuntime runtime, ContextInternal home, WorkerQueue workers, PendingReplies pending) {
        this.runtime = runtime;
        this.home = home;
        this.reader = new WaitReader(runtime);
        this.awaited = new AwaitedReplies(home, workers, this::began);
        this.pending = pending;
    }

    AwaitedReplies replies() {
        return awaited;
    }

    SharedTurns turns() {
        return turns;
    }

    private void began() {
        Runnable hook = onNext.get();
        if (hook != null && onNext.compareAndSet(hook, null)) {
            Quietly.run("the beginning of a wait was not told", hook);
        }
    }

    /** Has a hook run at the next wait that begins, once; at most one is kept. */
    Registration onNext(Runnable hook) {
        onNext.set(hook);
        return () -> onNext.compareAndSet(hook, null);
    }

    /** Since when each of them lasts. */
    List<Duration> ages() {
        long now = runtime.ticker().nanos();
        List<Duration> ages = new ArrayList<>();
        awaited.forEach((address, wait, caller, operation, since) -> ages.add(age(since, now)));
        turns.forEach(turn -> {
            if (!turn.isHeld()) {
                ages.add(age(turn.sinceNanos(), now));
            }
        });
        return ages;
    }

    private static Duration age(long sinceNanos, long now) {
        return Duration.ofNanos(Math.max(0, now - sinceNanos));
    }

    NodeWaits read(Duration least) {
        readLately = true;
        forgetLater();
        return reader.read(least, this::outside);
    }

    /** Numbers that nobody asked for lately would keep what is over. */
    private void forgetLater() {
        if (forgetting.compareAndSet(false, true)) {
            try {
                var unused = home.setTimer(FORGET_MILLIS, id -> {
                    forgetting.set(false);
                    if (readLately) {
                        readLately = false;
                        forgetLater();
                    } else {
                        reader.forget();
                    }
                });
            } catch (RejectedExecutionException e) {
                // The Vertx is closed, and everything with it.
            }
        }
    }

    private List<WaitReader.Outside> outside() {
        List<WaitReader.Outside> all = new ArrayList<>();
        MessageDigest digest = digest();
        awaited.forEach((address, wait, caller, operation, since) -> all.add(new WaitReader.Outside(
                NodeWaits.Kind.REPLY,
                key(digest, address),
                operation,
                false,
                false,
                wait,
                caller,
                since,
                0,
                List.of())));
        long now = runtime.ticker().nanos();
        pending.forEach((address, work, context) -> all.add(new WaitReader.Outside(
                NodeWaits.Kind.REPLY,
                key(digest, address),
                AwaitedReplies.operation(context.name()),
                true,
                false,
                work,
                context,
                now - context.duration().toNanos(),
                0,
                List.of())));
        List<SharedTurns.Turn> present = new ArrayList<>();
        turns.forEach(present::add);
        for (SharedTurns.Turn turn : present) {
            boolean held = turn.isHeld();
            all.add(new WaitReader.Outside(
                    NodeWaits.Kind.SHARED,
                    turn.name,
                    SharedLockNames.of(turn.name),
                    held,
                    turn.work != null,
                    turn,
                    turn.context(),
                    turn.sinceNanos(),
                    held ? 0 : turn.deadlineNanos,
                    held ? List.of() : SharedTurns.lasting(turn, present)));
        }
        return all;
    }

    /** Who knows where a reply goes could send one, so it is told in a form that only says whether two are the same. */
    private static String key(MessageDigest digest, String replyAddress) {
        byte[] hash = digest.digest(replyAddress.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(hash, 0, KEY_BYTES);
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
