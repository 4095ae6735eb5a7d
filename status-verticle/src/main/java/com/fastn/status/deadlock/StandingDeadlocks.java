package com.fastn.status.deadlock;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import com.fastn.context.Ticker;
import com.fastn.context.status.DeadlockReport;
import com.fastn.context.status.NodeWaits;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The deadlocks that this node tells of: each once, from when it was found until one of its holds or waits is over, or until a
 * node of it was silent for so long that nobody knows any more. Threads: any.
 */
public final class StandingDeadlocks {
    /** So many are told at once; the others are counted, and told when there is room. */
    public static final int MOST = 10;

    private static final int MOST_KNOWN = 1_000;

    private final Ticker ticker;
    private final Duration silence;

    @GuardedBy("this")
    private final Map<Set<ClusterCycle.Edge>, Found> known = new LinkedHashMap<>();

    /** What was found and when, and when its nodes were last heard to be in it still. */
    private record Found(ClusterCycle cycle, Instant at, long toldNanos, long seenNanos) {
        Found seenAgain(long nanos) {
            return new Found(cycle, at, toldNanos, nanos);
        }
    }

    /**
     * Makes it.
     *
     * @param ticker tells the time
     * @param silence how long a deadlock is told of whose nodes do not answer
     */
    public StandingDeadlocks(Ticker ticker, Duration silence) {
        this.ticker = requireNonNull(ticker, "ticker");
        this.silence = requireNonNull(silence, "silence");
    }

    /**
     * Tells of a deadlock from now on.
     *
     * @param cycle what was found
     * @return the report if it is news, as a suspicion that has become a proof is; otherwise {@code null}
     */
    public synchronized @Nullable DeadlockReport add(ClusterCycle cycle) {
        Found before = known.get(cycle.identity());
        if (before == null && known.size() >= MOST_KNOWN) {
            return null;
        }
        Instant at = before == null ? ticker.wallTime() : before.at;
        known.put(cycle.identity(), new Found(cycle, at, ticker.nanos(), ticker.nanos()));
        boolean news = before == null || (cycle.proven() && !before.cycle.proven());
        return news ? cycle.report(at, Duration.ZERO) : null;
    }

    /** {@return whether there is none} */
    public synchronized boolean isEmpty() {
        return known.isEmpty();
    }

    /** {@return the incarnations of the nodes that know whether they last} */
    public synchronized Set<String> nodes() {
        Set<String> nodes = new HashSet<>();
        known.values().forEach(found -> nodes.addAll(found.cycle.nodes()));
        return nodes;
    }

    /**
     * Lets go of those that are resolved, and of those of which nobody knows any more.
     *
     * @param answers what nodes told lately
     * @return whether any was
     */
    public synchronized boolean check(Collection<NodeWaits> answers) {
        Map<String, Present> present = new HashMap<>();
        Map<String, Set<String>> sharedHolders = new HashMap<>();
        for (NodeWaits answer : answers) {
            for (String key : requireNonNullElse(answer.sharedHeld(), List.<String>of())) {
                sharedHolders
                        .computeIfAbsent(key, k -> new HashSet<>(1))
                        .add(answer.node().incarnation());
            }
            // Of one that left some out nobody knows what is over.
            if (!answer.cut()) {
                present.put(answer.node().incarnation(), Present.of(answer));
            }
        }
        long now = ticker.nanos();
        int before = known.size();
        known.replaceAll(
                (edges, found) -> present.keySet().containsAll(found.cycle.nodes()) ? found.seenAgain(now) : found);
        known.entrySet()
                .removeIf(each -> each.getKey().stream().anyMatch(edge -> isOver(edge, present))
                        || each.getValue().cycle.isHeldElsewhere(sharedHolders)
                        || now - each.getValue().seenNanos > silence.toNanos());
        return known.size() < before;
    }

    private static boolean isOver(ClusterCycle.Edge edge, Map<String, Present> present) {
        Present waits = present.get(edge.waitNode());
        Present holds = present.get(edge.holdNode());
        return (waits != null && !waits.waits.contains(edge.waitNumber()))
                || (holds != null && !holds.holds.contains(edge.holdNumber()));
    }

    /** {@return how many there are beside those that are told} */
    public synchronized int more() {
        return Math.max(0, known.size() - MOST);
    }

    /** {@return the reports of those that are told, proven ones first} */
    public synchronized List<DeadlockReport> reports() {
        long now = ticker.nanos();
        List<DeadlockReport> reports = new ArrayList<>();
        for (Found found : known.values()) {
            Duration since = Duration.ofNanos(Math.max(0, now - found.toldNanos()));
            reports.add(found.cycle.report(found.at, since));
        }
        reports.sort(Comparator.comparing(DeadlockReport::proven).reversed());
        return List.copyOf(reports.subList(0, Math.min(MOST, reports.size())));
    }

    /** The numbers that a node told. */
    private record Present(Set<Long> holds, Set<Long> waits) {
        static Present of(NodeWaits told) {
            Set<Long> holds = new HashSet<>();
            Set<Long> waits = new HashSet<>();
            for (NodeWaits.Resource resource : told.resources()) {
                resource.holds().forEach(hold -> holds.add(hold.number()));
                resource.waits().forEach(wait -> waits.add(wait.number()));
            }
            return new Present(holds, waits);
        }
    }
}
