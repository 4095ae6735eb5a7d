package com.fastn.context.engine;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for whom at a moment, and who of them can never go on (rule L14). It is a plain value of records; what is read
 * from live locks is {@link DeadlockDetector}'s business.
 *
 * <p>A lock of any kind is a number of units: a mutex has one, a read-write lock as many as there can be readers, of which a
 * writer needs all, a semaphore its permits. Units go to the head of the queue alone, so whoever is behind a large request
 * waits for what that waits for.
 *
 * <p>It is decided by the kindest future: whatever can be given back is given back at once, and nobody asks for more. Who
 * is not served even then is deadlocked. To give back more never takes a unit from anybody, so the order does not
 * matter, and one pass finds exactly those. A hold can be given back when none of its blockers waits: for a proof these are
 * the waits inside of its {@code withLock}; for a suspicion also what its work asked for besides, and all other waits of its
 * context, for other locks.
 *
 * <p>A wait for the very lock that is held is the harder case. For a mutex it is another branch (rule L7). Of a lock that several
 * may hold, a context that has one hold and wants one more may be about to use both, or have two branches of which the first
 * is about to end. It is suspected where others hold too, and only if {@link Guesses#wantsMore} says so. A context with more
 * holds or more waits has many branches there. These limits are of what is guessed from the context alone: what the work of a
 * {@code withLock} asked for is suspected whoever asked and whoever else holds, if {@link Guesses#wantsMore} says so.
 */
final class WaitForGraph {
    /** A context that waits in more places at once is hardly one that does one thing at a time. */
    private static final int MOST_WAITS_OF_A_CONTEXT = 64;

    /**
     * A lock.
     *
     * @param key what it is
     * @param units how many there are
     * @param holds who has some
     * @param queue who waits, the first in front
     * @param onceMore the contexts that have one hold and want some by one wait, while others hold some too: as it was read, so
     *     that who had more holds or waits there never counts as one of them for what is left out later
     */
    record Lock(Object key, long units, List<Hold> holds, List<Wait> queue, Set<Object> onceMore) {
        /** One as it was read. */
        Lock(Object key, long units, List<Hold> holds, List<Wait> queue) {
            this(key, units, holds, queue, onceMore(units, holds, queue));
        }

        private static Set<Object> onceMore(long units, List<Hold> holds, List<Wait> queue) {
            if (units == 1 || holds.size() < 2 || queue.isEmpty()) {
                return Set.of();
            }
            Map<Object, Integer> held = new HashMap<>();
            Map<Object, Integer> wanted = new HashMap<>();
            holds.forEach(hold -> held.merge(hold.context(), 1, Integer::sum));
            queue.forEach(wait -> wanted.merge(wait.context(), 1, Integer::sum));
            Set<Object> onces = new HashSet<>();
            wanted.forEach((context, times) -> {
                if (times == 1 && held.getOrDefault(context, 0) == 1) {
                    onces.add(context);
                }
            });
            return held.size() == 1 ? Set.of() : onces;
        }
    }

    /**
     * Units that somebody has.
     *
     * @param key the grant; the same object in another reading is the same hold
     * @param context whose it is
     * @param units how many
     */
    record Hold(Object key, Object context, long units) {}

    /**
     * A place in a queue.
     *
     * @param key the waiter; the same object in another reading is the same wait
     * @param context who waits
     * @param units how many it wants
     * @param inside the keys of the holds whose {@code withLock} asked and cannot end before this wait does
     * @param around the keys of the holds in whose {@code withLock} it was asked for, also where nobody can tell whether that
     *     waits for it
     */
    record Wait(Object key, Object context, long units, Collection<?> inside, Collection<?> around) {
        /** One of which all is known. */
        Wait(Object key, Object context, long units, Collection<?> inside) {
            this(key, context, units, inside, inside);
        }
    }

    /**
     * What may be thought where nobody knows enough.
     *
     * @param oneBranch whether a context may be thought of as one that does one thing at a time
     * @param wantsMore whether a wait for the very lock that is held may be of the code that has the hold; asked of what may be
     *     the same branch of a context, and of what the work of a {@code withLock} asked for
     */
    record Guesses(Predicate<Object> oneBranch, BiPredicate<Hold, Wait> wantsMore) {
        static final Guesses NONE = new Guesses(context -> false, (hold, wait) -> false);

        /** Whatever wants more of a lock is thought to be of the code that has some. */
        static Guesses of(Predicate<Object> oneBranch) {
            return new Guesses(oneBranch, (hold, wait) -> true);
        }
    }

    /**
     * One step of a cycle.
     *
     * @param waiting who waits
     * @param lock what for
     * @param heldUp the hold of that lock that cannot be given back before the next step's wait ends
     */
    record Step(Wait waiting, Lock lock, Hold heldUp) {}

    private final List<LockNode> locks = new ArrayList<>();
    private final Map<Object, HoldNode> holds = new HashMap<>();
    private final Map<Object, List<WaitNode>> waitsOf = new HashMap<>();
    private final List<WaitNode> waits = new ArrayList<>();
    private final ArrayDeque<LockNode> toServe = new ArrayDeque<>();
    private final boolean suspecting;
    private final Guesses guesses;

    /** How many holds, and of a suspicion waits, were looked at to find the cycles. */
    private long looks;

    private WaitForGraph(Collection<Lock> all, boolean suspecting, Guesses guesses) {
        this.suspecting = suspecting;
        this.guesses = guesses;
        for (Lock lock : all) {
            LockNode node = new LockNode(lock);
            locks.add(node);
            for (Hold hold : lock.holds()) {
                HoldNode held = new HoldNode(node, hold, hold.context(), hold.units());
                node.holds.add(held);
                holds.put(hold.key(), held);
            }
        }
        Map<Object, Boolean> branches = new HashMap<>();
        for (LockNode lock : locks) {
            for (Wait wait : lock.lock.queue()) {
                WaitNode node = new WaitNode(lock, wait);
                lock.queue.addLast(node);
                waits.add(node);
                if (suspecting && branches.computeIfAbsent(wait.context(), guesses.oneBranch::test)) {
                    List<WaitNode> some = waitsOf.computeIfAbsent(wait.context(), c -> new ArrayList<>(1));
                    if (some.size() < MOST_WAITS_OF_A_CONTEXT) {
                        some.add(node);
                    }
                }
            }
        }
        for (WaitNode wait : waits) {
            for (Object key : wait.wait.inside()) {
                HoldNode held = holds.get(key);
                if (held != null) {
                    held.block(wait);
                }
            }
            for (Object key : suspecting ? wait.wait.around() : List.of()) {
                HoldNode held = holds.get(key);
                if (held != null && (held.lock != wait.lock || mayWantMore(held, wait))) {
                    held.block(wait);
                }
            }
        }
        if (suspecting) {
            holds.values().forEach(this::blockByContext);
        }
        reduce();
    }

    /**
     * Finds the deadlocks that are proven.
     *
     * @param locks all that may matter; a hold whose blockers are not among them counts as one that can be given back
     * @return the cycles, one for each part of the graph that can never go on
     */
    static List<List<Step>> proven(Collection<Lock> locks) {
        return new WaitForGraph(locks, false, Guesses.NONE).cycles();
    }

    /**
     * Finds the deadlocks that are proven or suspected.
     *
     * @param locks all that may matter
     * @param guesses what may be thought
     * @return the cycles
     */
    static List<List<Step>> suspected(Collection<Lock> locks, Guesses guesses) {
        return new WaitForGraph(locks, true, guesses).cycles();
    }

    /**
     * What is left of two readings that were made one after the other: the holds and waits that stand in both. All of it was
     * there at the moment between them, also where the locks of a reading were not read at one instant; so what is found
     * deadlocked in it was deadlocked at that moment. A deadlock that was there before the first reading is in it whole.
     *
     * @param before the locks in the first reading
     * @param after the same locks in the second
     * @return the locks, with what is in both; units that changed hands meanwhile count as free
     */
    static List<Lock> inBoth(Collection<Lock> before, Collection<Lock> after) {
        Map<Object, Lock> earlier = new HashMap<>();
        before.forEach(lock -> earlier.put(lock.key(), lock));
        List<Lock> both = new ArrayList<>(after.size());
        for (Lock now : after) {
            Lock then = earlier.get(now.key());
            if (then != null) {
                Set<Hold> holdsThen = new HashSet<>(then.holds());
                Map<Object, Wait> waitsThen = new HashMap<>();
                then.queue().forEach(wait -> waitsThen.put(wait.key(), wait));
                List<Wait> queue = new ArrayList<>();
                for (Wait wait : now.queue()) {
                    Wait same = waitsThen.get(wait.key());
                    if (same != null && same.units() == wait.units()) {
                        queue.add(new Wait(
                                wait.key(),
                                wait.context(),
                                wait.units(),
                                common(wait.inside(), same.inside()),
                                common(wait.around(), same.around())));
                    }
                }
                both.add(new Lock(
                        now.key(),
                        now.units(),
                        now.holds().stream().filter(holdsThen::contains).toList(),
                        queue,
                        now.onceMore().stream()
                                .filter(then.onceMore()::contains)
                                .collect(Collectors.toSet())));
            }
        }
        return both;
    }

    private static Collection<?> common(Collection<?> some, Collection<?> others) {
        return some.stream().filter(others::contains).toList();
    }

    /**
     * Finds the waits that can never end, be they part of a cycle or behind one.
     *
     * @param locks all that may matter
     * @return all of them
     */
    static List<Wait> neverServed(Collection<Lock> locks) {
        return neverServed(new WaitForGraph(locks, false, Guesses.NONE));
    }

    /**
     * Finds the waits of which it is suspected that they can never end.
     *
     * @param locks all that may matter
     * @param guesses what may be thought
     * @return all of them
     */
    static List<Wait> neverServed(Collection<Lock> locks, Guesses guesses) {
        return neverServed(new WaitForGraph(locks, true, guesses));
    }

    private static List<Wait> neverServed(WaitForGraph graph) {
        return graph.waits.stream().filter(w -> !w.served).map(w -> w.wait).toList();
    }

    /**
     * What is left when some have given up.
     *
     * @param locks the locks
     * @param gone the keys of the waits that are over
     * @return the locks without these waits
     */
    static List<Lock> without(Collection<Lock> locks, Set<?> gone) {
        return locks.stream()
                .map(lock -> new Lock(
                        lock.key(),
                        lock.units(),
                        lock.holds(),
                        lock.queue().stream()
                                .filter(wait -> !gone.contains(wait.key()))
                                .toList(),
                        lock.onceMore()))
                .toList();
    }

    /**
     * Who is first in line where somebody waits for that one only: the lock itself would have room, and the queue is what
     * makes it wait. Null where the holders do.
     */
    static @Nullable Wait ahead(Step step) {
        long free = step.lock().units();
        for (Hold hold : step.lock().holds()) {
            free -= hold.units();
        }
        Wait first = step.lock().queue().get(0);
        return first.key() != step.waiting().key() && step.waiting().units() <= free ? first : null;
    }

    /** How many holds are looked at to find the cycles, for the test of what that costs. */
    static long looks(Collection<Lock> locks) {
        return looks(new WaitForGraph(locks, false, Guesses.NONE));
    }

    /** How many waits are looked at to find the suspected ones. */
    static long looks(Collection<Lock> locks, Guesses guesses) {
        return looks(new WaitForGraph(locks, true, guesses));
    }

    private static long looks(WaitForGraph graph) {
        var unused = graph.cycles();
        return graph.looks;
    }

    private void blockByContext(HoldNode held) {
        for (WaitNode wait : waitsOf.getOrDefault(held.context, List.of())) {
            // Of its own lock a second branch of a context may well wait (rule L7).
            boolean other = wait.lock != held.lock;
            if (!wait.served
                    && (other || (held.lock.lock.onceMore().contains(held.context) && mayWantMore(held, wait)))) {
                held.block(wait);
            }
        }
    }

    /** Whether a wait may be of the code that holds some of the same lock; what begins in the future only is nobody's yet. */
    private boolean mayWantMore(HoldNode held, WaitNode wait) {
        return held.hold != null && held.lock.lock.units() > 1 && guesses.wantsMore.test(held.hold, wait.wait);
    }

    private void reduce() {
        for (LockNode lock : locks) {
            for (HoldNode held : lock.holds) {
                giveBackIfFree(held);
            }
            toServe.add(lock);
        }
        for (LockNode lock = toServe.poll(); lock != null; lock = toServe.poll()) {
            serve(lock);
        }
    }

    private void giveBackIfFree(HoldNode held) {
        if (held.blockers == 0 && !held.givenBack) {
            held.givenBack = true;
            held.lock.free += held.units;
            toServe.add(held.lock);
        }
    }

    private void serve(LockNode lock) {
        while (!lock.queue.isEmpty() && lock.queue.getFirst().wait.units() <= lock.free) {
            WaitNode served = lock.queue.removeFirst();
            served.served = true;
            for (HoldNode held : served.blocks) {
                held.blockers--;
                giveBackIfFree(held);
            }
            if (suspecting) {
                HoldNode now = new HoldNode(lock, null, served.wait.context(), served.wait.units());
                blockByContext(now);
                if (now.blockers > 0) {
                    lock.free -= now.units;
                    lock.holds.add(now);
                }
            }
        }
    }

    /** Each wait that is never served leads to one other such; following them all finds each cycle once. */
    private List<List<Step>> cycles() {
        if (suspecting) {
            // Of a proof each way leads to a cycle.
            leaveDeadEndsOut();
        }
        List<List<Step>> cycles = new ArrayList<>();
        for (WaitNode from : waits) {
            if (from.served || from.isDeadEnd || from.walk != null) {
                continue;
            }
            Object walk = new Object();
            List<WaitNode> way = new ArrayList<>();
            WaitNode at = from;
            while (at != null && at.walk == null) {
                at.walk = walk;
                way.add(at);
                at.through = wayOn(at);
                at = at.through == null ? null : at.through.to;
            }
            if (at != null && at.walk == walk) {
                List<Step> cycle = new ArrayList<>();
                for (WaitNode wait : way.subList(way.indexOf(at), way.size())) {
                    cycle.add(new Step(wait.wait, wait.lock.lock, requireNonNull(wait.through, "a cycle").hold));
                }
                cycles.add(cycle);
            }
        }
        return cycles;
    }

    /**
     * Takes those away, one after the other, who wait only for such, for a hold that is yet to come, or for themselves as
     * nothing but a guess about their context says. Whoever is left waits for another one who is, or for itself as its own work
     * asked.
     */
    private void leaveDeadEndsOut() {
        ArrayDeque<LockNode> open = new ArrayDeque<>();
        for (LockNode lock : locks) {
            if (!lock.queue.isEmpty()) {
                lock.holds.forEach(lock::addWhoHoldsItUp);
                open.add(lock);
            }
        }
        for (LockNode lock = open.poll(); lock != null; lock = open.poll()) {
            WaitNode itself = lock.onlyItself();
            Collection<WaitNode> ends =
                    lock.heldUpBy.isEmpty() ? lock.queue : itself == null ? List.of() : List.of(itself);
            for (WaitNode end : ends) {
                looks++;
                if (!end.isDeadEnd) {
                    end.isDeadEnd = true;
                    for (HoldNode held : end.blocks) {
                        // What is left of it matters where that is one only, or none.
                        if (held.lock.heldUpBy.remove(end) != null && held.lock.heldUpBy.size() <= 1) {
                            open.add(held.lock);
                        }
                    }
                }
            }
        }
    }

    /** One that a wait waits for, and that is not itself if there is another: of permits, all holders are waited for. */
    private @Nullable Way wayOn(WaitNode from) {
        List<Way> ways = from.lock.ways;
        if (ways == null) {
            // The same for all that wait for this lock, of whom there may be many.
            ways = waysFrom(from.lock);
            from.lock.ways = ways;
        }
        for (Way way : ways) {
            if (way.to != from) {
                return way;
            }
        }
        return ways.isEmpty() ? null : ways.get(0);
    }

    /** The first two of those that wait and hold a lock up meanwhile, by a hold that somebody has at this moment. */
    private List<Way> waysFrom(LockNode lock) {
        List<Way> ways = new ArrayList<>(2);
        if (suspecting) {
            lock.heldUpBy.entrySet().stream()
                    .limit(2)
                    .forEach(each -> ways.add(new Way(each.getValue(), each.getKey())));
            return ways;
        }
        for (HoldNode held : lock.holds) {
            looks++;
            if (held.hold == null || held.givenBack) {
                continue;
            }
            for (WaitNode inside : held.waitsInside) {
                if (!inside.served && (ways.isEmpty() || ways.get(0).to != inside)) {
                    ways.add(new Way(held.hold, inside));
                    if (ways.size() == 2) {
                        return ways;
                    }
                }
            }
        }
        return ways;
    }

    private static final class LockNode {
        final Lock lock;
        final List<HoldNode> holds = new ArrayList<>(1);
        final ArrayDeque<WaitNode> queue = new ArrayDeque<>();
        long free;

        /** Of a suspicion: those who hold it up by a hold that somebody has, and are no dead ends. */
        final Map<WaitNode, Hold> heldUpBy = new LinkedHashMap<>();

        /** Known once nothing is given back any more, and somebody asks. */
        @Nullable
        List<Way> ways;

        LockNode(Lock lock) {
            this.lock = lock;
            long held = 0;
            for (Hold hold : lock.holds()) {
                held += hold.units();
            }
            this.free = lock.units() - held;
        }

        void addWhoHoldsItUp(HoldNode held) {
            if (held.hold == null || held.givenBack) {
                return;
            }
            for (WaitNode wait : held.waitsInside) {
                // Of several holds one in whose work it asked tells more than one of its context.
                if (!wait.served
                        && (!heldUpBy.containsKey(wait) || wait.wait.around().contains(held.hold.key()))) {
                    heldUpBy.put(wait, held.hold);
                }
            }
        }

        /** The one who holds it up and waits for it, if there is no other and only a guess says so. */
        @Nullable
        WaitNode onlyItself() {
            if (heldUpBy.size() != 1) {
                return null;
            }
            Map.Entry<WaitNode, Hold> only = heldUpBy.entrySet().iterator().next();
            WaitNode wait = only.getKey();
            return wait.lock == this
                            && !wait.wait.around().contains(only.getValue().key())
                    ? wait
                    : null;
        }
    }

    private static final class HoldNode {
        final LockNode lock;
        /** Null for one that begins in the future only. */
        final @Nullable Hold hold;

        final long units;
        final Object context;
        final List<WaitNode> waitsInside = new ArrayList<>(1);
        int blockers;
        boolean givenBack;

        HoldNode(LockNode lock, @Nullable Hold hold, Object context, long units) {
            this.lock = lock;
            this.hold = hold;
            this.context = context;
            this.units = units;
        }

        void block(WaitNode wait) {
            if (wait.blocks.add(this)) {
                waitsInside.add(wait);
                blockers++;
            }
        }
    }

    private static final class WaitNode {
        final LockNode lock;
        final Wait wait;
        final Set<HoldNode> blocks = new LinkedHashSet<>(2);
        boolean served;
        boolean isDeadEnd;

        @Nullable
        Object walk;

        @Nullable
        Way through;

        WaitNode(LockNode lock, Wait wait) {
            this.lock = lock;
            this.wait = wait;
        }
    }

    /** From those who wait for a lock to one of those that they wait for. */
    private record Way(Hold hold, WaitNode to) {}
}
