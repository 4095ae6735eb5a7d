package com.fastn.status.deadlock;

import static java.util.Objects.requireNonNullElse;

import com.fastn.context.status.NodeWaits;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One node's search for deadlocks that lead over several nodes: it asks all nodes who waits for whom, and where that makes a
 * circle it asks the nodes of the circle once more.
 *
 * <pre>
 *   IDLE --begin()--> FIRST round --confirm()--> SECOND round --finish()--> IDLE
 *                        \---confirm() finds no circle---/
 * </pre>
 *
 * <p><b>What it gives was there.</b> What several nodes tell is of several moments, so a circle in it may never have been: each
 * of its waits may have ended before the next began. But a hold or a wait has a number that no other one gets (see {@link
 * NodeWaits}), so one that stands in two answers of its node was there from the first of these readings to the second. {@link
 * #confirm} is called at some moment, of which two things are so. Every first answer that counts was read before it, because it
 * has arrived. Every second answer that counts is read after it, because it answers a question that is asked later; the number
 * of the round tells an answer to an earlier question apart. So every hold and wait that stands in both was there at this one
 * moment, and a circle of them was a circle then. Since none of its waits can end before another of them does, it still is one
 * unless a wait was given up or ran out of time.
 *
 * <p><b>A lock of the cluster has one holder</b>, unless the cluster has fallen apart: then one that believes to hold it stands in
 * both answers, and who waits for it waits for another. So nothing is concluded from such a lock where two tell that they hold it, in
 * whichever round, nor where somebody who was heard of lately did not tell in the first round all that he holds. Who came to
 * hold it before that round is seen by this. A second one who first has it after his first answer is not: where a cluster falls
 * apart in the midst of a search, a circle may be told of until all nodes are asked again.
 *
 * <p>Nothing else is relied on. An answer that is lost, or comes late, or twice, or in another order, or from a node that dies,
 * makes holds and waits be missing from one of the rounds, and what is missing counts as free: then less is found, and never
 * more. No clock is read, so no two clocks are compared. A node that began a new life has another incarnation, and its numbers
 * are others (rule D3).
 *
 * <p>It is touched by one thread at a time.
 */
public final class ClusterDeadlockSearch {
    private enum Phase {
        IDLE,
        FIRST,
        SECOND
    }

    private Phase phase = Phase.IDLE;
    private long round;
    // By incarnation, so that what is found is told in one order.
    private final Map<String, NodeWaits> first = new TreeMap<>();
    private final Map<String, NodeWaits> second = new TreeMap<>();
    private Set<String> suspects = Set.of();
    /** Who may hold locks of the cluster and did not tell all of them in the first round. */
    private Set<String> untold = Set.of();

    private Set<String> inTheWay = Set.of();

    /**
     * Begins anew. What an earlier search had learned is forgotten.
     *
     * @return the number of the first round, with which all nodes are asked
     */
    public long begin() {
        first.clear();
        second.clear();
        suspects = Set.of();
        untold = Set.of();
        inTheWay = Set.of();
        phase = Phase.FIRST;
        return ++round;
    }

    /** {@return whether a search is under way} */
    public boolean isUnderWay() {
        return phase != Phase.IDLE;
    }

    /**
     * Takes what a node answered.
     *
     * @param askedInRound the number with which it was asked
     * @param waits what it told
     * @return whether it counts: one of another round does not, nor a second one, nor one of a node that was not asked
     */
    public boolean answer(long askedInRound, NodeWaits waits) {
        if (askedInRound != round || phase == Phase.IDLE) {
            return false;
        }
        String node = waits.node().incarnation();
        if (phase == Phase.FIRST) {
            return first.putIfAbsent(node, waits) == null;
        }
        return suspects.contains(node) && second.putIfAbsent(node, waits) == null;
    }

    /** {@return what the nodes answered in the first round} */
    public List<NodeWaits> firstAnswers() {
        return List.copyOf(first.values());
    }

    /**
     * Ends the first round, whoever has answered by now, and begins the second. From this moment on the nodes are asked again:
     * what was asked earlier does not count any more.
     *
     * @param living the incarnations of all nodes that may hold locks of the cluster, as far as is known now
     * @return the incarnations of the nodes to ask, with the number {@link #round}; none when there is no circle, and the search
     *     is over
     */
    public Set<String> confirm(Set<String> living) {
        requirePhase(Phase.FIRST);
        Set<String> missing = new TreeSet<>(living);
        missing.removeAll(first.keySet());
        first.forEach((node, answer) -> {
            if (answer.sharedHeld() == null) {
                missing.add(node);
            }
        });
        untold = missing;
        // Those who did not answer are no reason not to look on: an empty second round says that it is worth to ask all
        // again.
        Set<String> shared = heldBySeveral();
        suspects = Set.copyOf(CircleGraph.suspects(first.values(), key -> !shared.contains(key)));
        round++;
        phase = suspects.isEmpty() ? Phase.IDLE : Phase.SECOND;
        return suspects;
    }

    /** {@return the number of the round that is under way} */
    public long round() {
        return round;
    }

    /** {@return whether every node that was asked in the second round has answered} */
    public boolean isComplete() {
        return phase == Phase.SECOND && second.keySet().containsAll(suspects);
    }

    /**
     * Ends the second round, whoever has answered by now.
     *
     * @return the cycles of which every hold and every wait was there at the moment of {@link #confirm}
     */
    public List<ClusterCycle> finish() {
        requirePhase(Phase.SECOND);
        List<NodeWaits> both = new ArrayList<>();
        second.forEach((node, after) -> {
            NodeWaits before = first.get(node);
            if (before != null) {
                both.add(inBoth(before, after));
            }
        });
        phase = Phase.IDLE;
        round++;
        Set<String> shared = heldBySeveral();
        List<ClusterCycle> found = CircleGraph.cycles(both, key -> untold.isEmpty() && !shared.contains(key));
        if (!untold.isEmpty()
                && CircleGraph.cycles(both, key -> !shared.contains(key)).size() > found.size()) {
            inTheWay = untold;
        }
        return found;
    }

    /**
     * {@return the incarnations of the nodes because of which the search that is over keeps back a circle, as they may hold one of
     * its locks and did not tell; none while one is under way}
     */
    public Set<String> inTheWay() {
        return Set.copyOf(inTheWay);
    }

    /** {@return the keys of the locks of the cluster that more than one seems to hold, by all that was answered} */
    private Set<String> heldBySeveral() {
        Map<String, String> holders = new HashMap<>();
        Set<String> several = new HashSet<>();
        for (Map<String, NodeWaits> answers : List.of(first, second)) {
            answers.forEach((node, answer) -> {
                Set<String> own = new HashSet<>();
                for (String key : requireNonNullElse(answer.sharedHeld(), List.<String>of())) {
                    String other = holders.putIfAbsent(key, node);
                    if (!own.add(key) || (other != null && !other.equals(node))) {
                        several.add(key);
                    }
                }
            });
        }
        return several;
    }

    private void requirePhase(Phase wanted) {
        if (phase != wanted) {
            throw new IllegalStateException("the search is " + phase + ", and " + wanted + " is wanted");
        }
    }

    /** What stands in two answers of a node, with the ages of the later one. */
    private static NodeWaits inBoth(NodeWaits before, NodeWaits after) {
        Map<Object, NodeWaits.Resource> earlier = new HashMap<>();
        before.resources().forEach(resource -> earlier.put(List.of(resource.kind(), resource.key()), resource));
        List<NodeWaits.Resource> both = new ArrayList<>();
        for (NodeWaits.Resource now : after.resources()) {
            NodeWaits.Resource then = earlier.get(List.of(now.kind(), now.key()));
            if (then != null) {
                both.add(inBoth(then, now));
            }
        }
        Set<Long> oneBranch = new HashSet<>();
        before.contexts().stream().filter(NodeWaits.Member::oneBranch).forEach(m -> oneBranch.add(m.contextId()));
        List<NodeWaits.Member> members = after.contexts().stream()
                .map(member -> new NodeWaits.Member(
                        member.contextId(),
                        member.path(),
                        member.label(),
                        member.shortName(),
                        member.oneBranch() && oneBranch.contains(member.contextId())))
                .toList();
        return new NodeWaits(after.node(), both, members, before.cut() || after.cut(), after.sharedHeld());
    }

    private static NodeWaits.Resource inBoth(NodeWaits.Resource then, NodeWaits.Resource now) {
        Map<Long, NodeWaits.Hold> holds = new HashMap<>();
        then.holds().forEach(hold -> holds.put(hold.number(), hold));
        Map<Long, NodeWaits.Wait> waits = new HashMap<>();
        then.waits().forEach(wait -> waits.put(wait.number(), wait));
        return new NodeWaits.Resource(
                now.kind(),
                now.key(),
                now.name(),
                now.lockId(),
                now.type(),
                now.units(),
                now.holds().stream()
                        .filter(hold -> isSame(holds.get(hold.number()), hold))
                        .toList(),
                now.waits().stream()
                        .filter(wait -> isSame(waits.get(wait.number()), wait))
                        .map(wait -> inBoth(waits.get(wait.number()), wait))
                        .toList());
    }

    private static boolean isSame(NodeWaits.@Nullable Hold then, NodeWaits.Hold now) {
        return then != null && then.contextId() == now.contextId() && then.units() == now.units();
    }

    private static boolean isSame(NodeWaits.@Nullable Wait then, NodeWaits.Wait now) {
        return then != null && then.contextId() == now.contextId() && then.units() == now.units();
    }

    private static NodeWaits.Wait inBoth(NodeWaits.@Nullable Wait then, NodeWaits.Wait now) {
        return new NodeWaits.Wait(
                now.number(),
                now.contextId(),
                now.units(),
                now.waited(),
                now.timesOutIn(),
                now.inside().stream()
                        .filter(hold -> then != null && then.inside().contains(hold))
                        .toList());
    }
}
