package com.fastn.status;

import com.fastn.context.Ticker;
import com.fastn.context.status.ClusterStatus;
import com.fastn.status.StreamProgress.Sent;
import com.fastn.status.stream.Inbox;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a reader of a stream shows: what was told last, as long as it is known to be of now, and there is room for it.
 *
 * <p>It knows nothing of the bus; who reads tells it what came, what was said, and when that was asked. Not thread-safe.
 */
final class StreamView {
    /** What was told is shown for so long after it is known that something newer did not come. */
    private static final Duration BEHIND_FOR = ClusterFeed.UP_FOR;

    /** Frames alone do not say how old they are; for so long the last answer does. Some may be lost on the way. */
    private static final Duration UNANSWERED_FOR = BEHIND_FOR.multipliedBy(2);

    static final String BEHIND = "it answers, and what it tells by its stream has not come for more than "
            + BEHIND_FOR.toSeconds() + " s; its cluster manager may not find this node";

    private static final String NOT_YET = "it was silent, and its status of now has not arrived yet";
    private static final long NO_EPOCH = -1;
    private static final long NOT_BEHIND = Long.MIN_VALUE;

    private final int mostNodes;
    private final PeerBytes bytes;
    private final Ticker ticker;

    // Mutable state
    private Inbox inbox;
    private StreamProgress progress = StreamProgress.NONE;
    /** How far the writer was at the last renewal: by the next one that much has come, or is lost. */
    private Sent sent = Sent.NOTHING;

    private @Nullable Sent overdue;
    private @Nullable ClusterStatus view;
    /** What the view has, written down, and what it has together with the inbox. */
    private long viewBytes;

    private long heldBytes;

    /** Which epoch of the present stream the view is of; what follows in that one is added to the view itself. */
    private long viewEpoch = NO_EPOCH;

    /** Since when the view is known not to be what was told last. */
    private long behindNanos = NOT_BEHIND;

    /** Whether the view was dropped for that. */
    private boolean behind;

    /** After a silence the view, which is as old as that, is not shown before so much has come; {@code null} after none. */
    private @Nullable Sent awaited;

    private boolean leftOut;
    private long heardNanos;
    private boolean heard;
    /** When that was asked which was answered last. */
    private long answeredNanos;

    StreamView(int mostNodes, PeerBytes bytes, Ticker ticker) {
        this.mostNodes = mostNodes;
        this.bytes = bytes;
        this.ticker = ticker;
        this.inbox = new Inbox(mostNodes, ticker);
    }

    /** What became of what was read. */
    enum Outcome {
        /** There was no room for it, and nothing is held now. */
        NO_ROOM,
        /** It is new, and {@link #view} tells whether it is shown. */
        COMPLETE,
        /** Something is missing. */
        BROKEN,
        /** More is to come. */
        MORE
    }

    /** Counts silence from now on. */
    void begin() {
        heardNanos = ticker.nanos();
        answeredNanos = heardNanos;
    }

    /** Another stream was opened, which was asked for then. What was told by the former one is shown a while longer. */
    void beginAnew(long askedNanos) {
        inbox = new Inbox(mostNodes, ticker);
        viewEpoch = NO_EPOCH;
        if (awaited != null) {
            // Its first whole is of now.
            awaited = isLately(askedNanos) ? Sent.NOTHING : Sent.UNKNOWN;
        }
        fallBehind();
        holdNoMoreThan(viewBytes);
        progress = StreamProgress.NONE;
        sent = Sent.NOTHING;
        overdue = null;
    }

    /**
     * Whatever ends a silence says that it lives, and not that it does what it did before. Frames do not either: they may have lain
     * on the way for as long, and where all come late there is no silence, and nothing that was asked is answered in time.
     */
    void hear() {
        if (!isLately(heardNanos) || !isWithin(UNANSWERED_FOR, answeredNanos)) {
            awaited = Sent.UNKNOWN;
        }
        heardNanos = ticker.nanos();
        heard = true;
    }

    /** What was asked then was answered. */
    void answered(long askedNanos) {
        if (askedNanos - answeredNanos > 0) {
            answeredNanos = askedNanos;
        }
    }

    /**
     * The writer said how far it is.
     *
     * @param now how far
     * @param askedNanos when that was asked
     * @return what is shown from now on, and was not before, or {@code null}
     */
    @Nullable
    ClusterStatus renewed(Sent now, long askedNanos) {
        // Where this process stood still, the answer may have lain there for as long.
        boolean isKnown = Sent.UNKNOWN.equals(awaited) && isLately(askedNanos);
        if (isKnown) {
            awaited = progress.hasAll(now) ? null : now;
        }
        if (!progress.broken() && sent.isBeyond(progress)) {
            overdue = sent;
        }
        sent = now;
        if (now.isBeyond(progress)) {
            fallBehind();
        }
        return isKnown && awaited == null ? view : null;
    }

    /** {@return what was sent long ago and has not come, for once, or {@code null}} */
    @Nullable
    Sent takeOverdue() {
        Sent missed = overdue;
        overdue = null;
        return missed;
    }

    /** {@return whether something was sent long ago and has not come} */
    boolean hasOverdue() {
        return overdue != null;
    }

    /** {@return what reads the frames, on a worker} */
    Inbox inbox() {
        return inbox;
    }

    StreamProgress progress() {
        return progress;
    }

    /** Takes what the inbox, as it is now, has made of some frames. */
    Outcome take(StreamProgress now) {
        if (!hold(now)) {
            // All of it, for a part would look like the whole.
            forget();
            progress = now.broken(bytes.whyNotHeld());
            leftOut = true;
            return Outcome.NO_ROOM;
        }
        progress = now;
        ClusterStatus complete = now.complete();
        if (complete == null) {
            if (now.broken()) {
                fallBehind();
            }
            return now.broken() ? Outcome.BROKEN : Outcome.MORE;
        }
        leftOut = false;
        behind = false;
        behindNanos = NOT_BEHIND;
        if (awaited != null && now.hasAll(awaited)) {
            awaited = null;
        }
        view = complete;
        return Outcome.COMPLETE;
    }

    /** {@return whether there is room for what was read} While a stream begins anew what it told before is held too. */
    private boolean hold(StreamProgress now) {
        boolean complete = now.complete() != null;
        boolean together = now.broken() || now.epoch() == viewEpoch;
        long wanted = complete
                ? now.heldBytes()
                : together ? Math.max(viewBytes, now.heldBytes()) : viewBytes + now.heldBytes();
        if (!bytes.hold(wanted, heldBytes)) {
            heldBytes = 0;
            return false;
        }
        heldBytes = wanted;
        if (complete) {
            viewBytes = wanted;
            viewEpoch = now.epoch();
        }
        return true;
    }

    private void holdNoMoreThan(long most) {
        long rest = Math.min(most, heldBytes);
        var unused = bytes.hold(rest, heldBytes);
        heldBytes = rest;
    }

    /** Drops all that was told. */
    void forget() {
        dropView();
        inbox = new Inbox(mostNodes, ticker);
        holdNoMoreThan(0);
    }

    private void dropView() {
        view = null;
        viewBytes = 0;
        viewEpoch = NO_EPOCH;
    }

    private void fallBehind() {
        if (behindNanos == NOT_BEHIND) {
            behindNanos = ticker.nanos();
        }
    }

    /** {@return whether what was told is known for too long not to be what was told last} */
    boolean isBehind() {
        return view != null && behindNanos != NOT_BEHIND && !isLately(behindNanos);
    }

    /** Renewals that are answered say that it lives, and not that this is what it is doing. */
    void dropWhatIsBehind() {
        behind = true;
        dropView();
        if (progress.broken()) {
            inbox = new Inbox(mostNodes, ticker);
        }
        holdNoMoreThan(progress.broken() ? 0 : progress.heldBytes());
    }

    /** {@return whether that was not longer ago than what was told is shown for} */
    private boolean isLately(long nanos) {
        return isWithin(BEHIND_FOR, nanos);
    }

    private boolean isWithin(Duration time, long nanos) {
        return ticker.nanos() - nanos <= time.toNanos();
    }

    /** {@return whether there was no room for what was told last} */
    boolean isLeftOut() {
        return leftOut;
    }

    /** {@return whether anything was ever heard} */
    boolean wasHeard() {
        return heard;
    }

    /** {@return how long nothing was heard; at first since it began} */
    Duration silence() {
        return Duration.ofNanos(Math.max(0, ticker.nanos() - heardNanos));
    }

    /** {@return what is known, or {@code null} before the first whole, and where that is of before a silence, also one that lasts} */
    @Nullable
    ClusterStatus view() {
        return awaited == null && isLately(heardNanos) ? view : null;
    }

    /** {@return whether what came last is not shown, as it may be of before a silence} */
    boolean isAwaited() {
        return awaited != null;
    }

    /** {@return why nothing is shown though it is heard, or {@code null}} */
    @Nullable
    String trouble() {
        if (leftOut) {
            return bytes.whyNotHeld();
        }
        if (progress.outdated()) {
            return Inbox.OUTDATED;
        }
        if (behind) {
            return BEHIND;
        }
        return awaited != null && view != null ? NOT_YET : null;
    }
}
