package com.fastn.status;

import com.fastn.context.status.ClusterStatus;
import com.fastn.status.stream.Inbox;
import com.fastn.status.stream.StreamFrame;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the inbox of a reader stands, which is only touched on a worker.
 *
 * @param epoch of the last frame that was taken
 * @param sequence its number
 * @param broken whether nothing is believed until the stream begins anew
 * @param whole whether the last frame was the last of what was to be told
 * @param gaps how often something was missing
 * @param reason what was wrong the last time
 * @param outdated whether something wants a newer reader
 * @param heldBytes what its statuses have, written down
 * @param complete what is known now, where that is new
 */
record StreamProgress(
        long epoch,
        long sequence,
        boolean broken,
        boolean whole,
        long gaps,
        String reason,
        boolean outdated,
        long heldBytes,
        @Nullable ClusterStatus complete) {
    static final StreamProgress NONE = new StreamProgress(0, 0, false, false, 0, "", false, 0, null);

    /** On a worker: has the inbox take these frames, and hear what was sent and has not come. */
    static StreamProgress of(Inbox inbox, List<StreamFrame> frames, @Nullable Sent missed) {
        boolean complete = false;
        for (StreamFrame frame : frames) {
            complete |= inbox.take(frame) == Inbox.Outcome.COMPLETE;
        }
        if (missed != null) {
            var unused = inbox.expect(missed.epoch(), missed.sequence());
        }
        return new StreamProgress(
                inbox.epoch(),
                inbox.sequence(),
                inbox.isBroken(),
                inbox.isWhole(),
                inbox.gaps(),
                inbox.reason(),
                inbox.isOutdated(),
                inbox.heldBytes(),
                complete && !inbox.isBroken() ? inbox.view() : null);
    }

    /** {@return this, but that nothing is held and the stream has to begin anew} */
    StreamProgress broken(String why) {
        return new StreamProgress(epoch, sequence, true, false, gaps, why, false, 0, null);
    }

    /** {@return whether the view is of what was sent, or of something later} */
    boolean hasAll(Sent sent) {
        return !broken && whole && !sent.isBeyond(this);
    }

    /** The last frame that the writer sent, as it said itself; a writer that does not say has sent nothing. */
    record Sent(long epoch, long sequence) {
        static final Sent NOTHING = new Sent(0, 0);
        /** More than anybody sends. */
        static final Sent UNKNOWN = new Sent(Long.MAX_VALUE, Long.MAX_VALUE);

        static Sent of(JsonObject renewed) {
            return renewed.getValue(StreamWire.EPOCH) instanceof Number epoch
                            && renewed.getValue(StreamWire.SENT) instanceof Number sequence
                    ? new Sent(epoch.longValue(), sequence.longValue())
                    : NOTHING;
        }

        boolean isBeyond(StreamProgress progress) {
            return epoch > progress.epoch() || (epoch == progress.epoch() && sequence > progress.sequence());
        }
    }
}
