package com.fastn.status;

import com.fastn.context.Ticker;
import com.fastn.context.WarningIds;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of other nodes that this one keeps, over all its streams and questions (rule S16): what it has not read yet, and the
 * statuses that it has read by streams. What finds no room is left out, and counted. Threads: any.
 */
final class PeerBytes {
    /** What all that is not read yet may have together. */
    static final long MOST = 64 << 20;

    /** What the statuses that are held may have together, written down; a thousand nodes that tell all they may have half of it. */
    private static final long MOST_HELD = 512 << 20;
    /** A small node holds less: of its heap a status takes up to twice what it has written down. */
    private static final int SHARE_OF_HEAP = 4;

    /** How long it is warned of what was left out. */
    static final Duration TOLD_FOR = Duration.ofSeconds(60);

    private final long mostHeld;
    private final Ticker ticker;

    @GuardedBy("this")
    private long kept;

    @GuardedBy("this")
    private long held;

    @GuardedBy("this")
    private long notHeld;

    @GuardedBy("this")
    private long notHeldNanos;

    @GuardedBy("this")
    private long dropped;

    @GuardedBy("this")
    private long droppedNanos;

    PeerBytes(Ticker ticker) {
        this(Math.min(MOST_HELD, Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP), ticker);
    }

    PeerBytes(long mostHeld, Ticker ticker) {
        this.mostHeld = mostHeld;
        this.ticker = ticker;
    }

    /** {@return whether there is room} Then it has to be given back. */
    synchronized boolean take(long bytes) {
        if (kept + bytes > MOST) {
            dropped++;
            droppedNanos = ticker.nanos();
            return false;
        }
        kept += bytes;
        return true;
    }

    synchronized void give(long bytes) {
        kept -= bytes;
    }

    /** {@return how many bytes are kept now} */
    synchronized long kept() {
        return kept;
    }

    /**
     * Holds statuses in place of former ones, which are given back in any case.
     *
     * @param bytes what they have
     * @param former what the former ones had
     * @return whether there is room
     */
    synchronized boolean hold(long bytes, long former) {
        held -= former;
        // Who has less than before is not refused: it is others that have too much.
        if (bytes > former && held + bytes > mostHeld) {
            notHeld++;
            notHeldNanos = ticker.nanos();
            return false;
        }
        held += bytes;
        return true;
    }

    /** {@return how many bytes the statuses have that are held now} */
    synchronized long held() {
        return held;
    }

    /** {@return why the status of a node is not held} */
    String whyNotHeld() {
        return "its status is left out, because those of other nodes that are held here have " + (mostHeld >> 20)
                + " MB already; watch fewer nodes, or a part of their trees";
    }

    /** {@return how many frames and answers were left out} */
    synchronized long dropped() {
        return dropped;
    }

    /** {@return a warning of what was left out lately, or {@code null}} */
    synchronized @Nullable StatusWarning warning(String root) {
        List<String> said = new ArrayList<>();
        if (isLately(dropped, droppedNanos)) {
            said.add("+" + dropped
                    + " frames and answers of other nodes were left out since this node started: together they"
                    + " had more than " + (MOST >> 20) + " MB that were not read yet");
        }
        if (isLately(notHeld, notHeldNanos)) {
            said.add("+" + notHeld
                    + " statuses of other nodes were left out since this node started: together with those that are"
                    + " held they had more than " + (mostHeld >> 20) + " MB");
        }
        if (said.isEmpty()) {
            return null;
        }
        return new StatusWarning(
                WarningIds.PEERS_DROPPED,
                WarningSeverity.WARNING,
                String.join("; ", said),
                root,
                "ask for fewer nodes, or for a part of their trees with a path and a depth");
    }

    private boolean isLately(long count, long nanos) {
        return count > 0 && ticker.nanos() - nanos <= TOLD_FOR.toNanos();
    }
}
