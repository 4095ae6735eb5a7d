package com.fastn.context.engine;

import com.fastn.context.status.CauseKind;
import com.fastn.context.status.ContextRef;
import com.fastn.context.status.HumanText;
import com.fastn.context.status.WaitEpisode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Slow operations that have ended and held up nobody but their own contexts, as episodes. Those of one name whose times
 * meet are one episode, as thousands of them are one stall of what they all wait for. It is as thread-safe as what guards it.
 */
final class SlowOperations {
    static final int MOST = 25;
    /** So long after one of its name has ended the next one may begin to be of the same episode. */
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** No more than {@link #MOST} are begun in such a time. */
    private static final long RATE_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** So many contexts are known to be in a group; beyond it one that comes back may count once more. */
    private static final int MOST_KNOWN = 64;

    /** The newest last. */
    private final List<Episode> episodes = new ArrayList<>();

    private long windowNanos;
    private int begunInWindow;

    /**
     * An operation that was slow.
     *
     * @param inside the context that was inside of it
     * @param name its name
     * @param startNanos when it began
     * @param endNanos when it ended
     * @param endWall what the wall clock showed then
     * @param slowNanos from when on one is slow in that context
     */
    record Ended(ContextNode inside, String name, long startNanos, long endNanos, Instant endWall, long slowNanos) {
        Duration elapsed() {
            return Duration.ofNanos(Math.max(0, endNanos - startNanos));
        }

        ContextRef ref() {
            ShortNames names = new ShortNames();
            names.add(inside.id(), inside.path());
            names.decide();
            return new ContextRef(
                    inside.runtime().node(),
                    inside.id(),
                    inside.path().toString(),
                    inside.label(),
                    names.of(inside.id()));
        }
    }

    void add(Ended ended) {
        Episode known = of(ended);
        if (known != null) {
            known.add(ended);
            // The one that ended last is the newest.
            episodes.remove(known);
            episodes.add(known);
            return;
        }
        if (begunInWindow == 0 || ended.endNanos - windowNanos >= RATE_NANOS) {
            windowNanos = ended.endNanos;
            begunInWindow = 0;
        }
        if (begunInWindow == MOST) {
            episodes.get(episodes.size() - 1).besides++;
            return;
        }
        begunInWindow++;
        if (episodes.size() == MOST) {
            episodes.remove(0);
        }
        episodes.add(new Episode(ended));
    }

    private @Nullable Episode of(Ended ended) {
        for (int i = episodes.size() - 1; i >= 0; i--) {
            Episode each = episodes.get(i);
            if (each.name.equals(ended.name)) {
                return ended.startNanos - each.endNanos <= PAUSE_NANOS ? each : null;
            }
        }
        return null;
    }

    void addTo(List<EpisodeLog.Told> told) {
        episodes.forEach(each -> told.add(new EpisodeLog.Told(each.endNanos, each.episode())));
    }

    /** Operations of one name that were slow, each begun before all others had been over for long. */
    private static final class Episode {
        final String name;
        long startNanos;
        long endNanos;
        private Instant start;
        private ContextRef longest;
        private long longestNanos;
        private long count;
        private long besides;

        // Those that were inside at the moment at which the first of them left.
        private long firstLeftNanos;
        private int together;
        /** Some of them: those that left last. */
        private final Set<Long> known = new LinkedHashSet<>();

        private int most;

        Episode(Ended first) {
            this.name = first.name;
            this.startNanos = first.startNanos;
            this.endNanos = first.endNanos;
            this.start = first.endWall.minus(first.elapsed());
            this.longest = first.ref();
            this.longestNanos = first.endNanos - first.startNanos;
            this.firstLeftNanos = first.endNanos;
            add(first);
        }

        void add(Ended ended) {
            count++;
            if (ended.startNanos - startNanos < 0) {
                start = start.minusNanos(startNanos - ended.startNanos);
                startNanos = ended.startNanos;
            }
            endNanos = ended.endNanos - endNanos > 0 ? ended.endNanos : endNanos;
            long elapsed = ended.endNanos - ended.startNanos;
            if (elapsed > longestNanos) {
                longestNanos = elapsed;
                longest = ended.ref();
            }
            if (ended.startNanos - firstLeftNanos >= 0) {
                firstLeftNanos = ended.endNanos;
                together = 0;
                known.clear();
            }
            long context = ended.inside.id();
            if (!known.remove(context)) {
                together++;
                most = Math.max(most, together);
            }
            known.add(context);
            if (known.size() > MOST_KNOWN) {
                known.remove(known.iterator().next());
            }
        }

        WaitEpisode episode() {
            Duration lasted = Duration.ofNanos(endNanos - startNanos);
            String text = "inside of \"" + name + "\" " + HumanText.duration(Duration.ofNanos(longestNanos))
                    + (count > 1 ? ", the longest of " + HumanText.count(count) : "")
                    + (besides > 0 ? "; " + HumanText.count(besides) + " slow ones of further names are not told" : "");
            return new WaitEpisode(start, start.plus(lasted), lasted, CauseKind.OPERATION, name, longest, text, most);
        }
    }
}
