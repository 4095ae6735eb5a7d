package com.fastn.status;

import com.fastn.context.status.ContextPath;
import com.fastn.context.status.ContextStatus;
import com.fastn.context.status.FoldedChildren;
import com.fastn.context.status.LockStatus;
import com.fastn.context.status.LockWaiter;
import com.fastn.context.status.OperationStatus;
import com.fastn.context.status.StatusSnapshot;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The contexts that somebody names, which a status shows however many others it leaves out: whoever is left out would be taken
 * for one that is not open. Walks are iterative.
 */
final class NamedContexts {
    /** Of more that share a name, those who wait for a lock are shown before others, and of these the upper ones. */
    private static final int MOST = 8;
    /** One level is left for whoever is shown below. */
    private static final int DEEPEST_PARENT = SnapshotView.DEEPEST - 1;

    private NamedContexts() {}

    /**
     * Folds a snapshot so that it shows those who are named. Where the fold leaves one out, it stands without its values and its
     * children below the nearest of those above it that are shown.
     *
     * @param whole the snapshot
     * @param name an id, a path, or a short name as a status shows it
     * @param fold folds it
     * @return the snapshot with those of its contexts
     */
    static StatusSnapshot shown(StatusSnapshot whole, String name, UnaryOperator<StatusSnapshot> fold) {
        Map<Long, List<ContextStatus>> found = find(whole, name);
        StatusSnapshot folded = fold.apply(found.isEmpty() ? whole : withTheirsFirst(whole, found.keySet()));
        Map<Long, Integer> levels = levels(folded.globalContext());
        found.keySet().removeAll(levels.keySet());
        if (found.isEmpty()) {
            return folded;
        }
        Map<Long, Taken> taken = new HashMap<>();
        found.forEach((id, down) -> {
            // Its own fold, or that of another one that is named, takes up whoever is below it.
            int holder = down.size() - 2;
            while (!levels.containsKey(down.get(holder).id())
                    && !found.containsKey(down.get(holder).id())) {
                holder--;
            }
            long children = holder == down.size() - 2 ? 1 : 0;
            taken.merge(down.get(holder).id(), new Taken(children, 1 + below(down.get(down.size() - 1))), Taken::plus);
        });
        Map<Long, List<ContextStatus>> added = new HashMap<>();
        found.forEach((id, down) -> added.computeIfAbsent(nearest(down, levels), above -> new ArrayList<>())
                .add(lean(down.get(down.size() - 1), taken.getOrDefault(id, Taken.NOTHING))));
        return folded.withGlobalContext(with(folded.globalContext(), added, taken));
    }

    private static long below(ContextStatus row) {
        long count = 0;
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.push(row);
        while (!open.isEmpty()) {
            ContextStatus next = open.pop();
            count += next.children().size() + next.foldedChildren().contexts();
            next.children().forEach(open::push);
        }
        return count;
    }

    /**
     * What is taken out of a fold, because it is shown or is in the fold of one that is.
     *
     * @param children how many that are right below it
     * @param contexts how many in all
     */
    private record Taken(long children, long contexts) {
        static final Taken NOTHING = new Taken(0, 0);

        private Taken plus(Taken other) {
            return new Taken(children + other.children, contexts + other.contexts);
        }

        private FoldedChildren outOf(FoldedChildren folded) {
            long contextsLeft = folded.contexts() - contexts;
            return contexts == 0 || folded.isNone()
                    ? folded
                    : contextsLeft <= 0
                            ? FoldedChildren.NONE
                            : new FoldedChildren(
                                    Math.max(1, folded.count() - children),
                                    contextsLeft,
                                    folded.oldest(),
                                    Math.min(folded.stuck(), contextsLeft));
        }
    }

    /** {@return whether a tree leaves anybody out} */
    static boolean isFolded(StatusSnapshot snapshot) {
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.push(snapshot.globalContext());
        while (!open.isEmpty()) {
            ContextStatus next = open.pop();
            if (!next.foldedChildren().isNone()) {
                return true;
            }
            next.children().forEach(open::push);
        }
        return false;
    }

    /** {@return by id, the way down to each, which it ends; those of that path, or where there is none those of that short name} */
    private static Map<Long, List<ContextStatus>> find(StatusSnapshot whole, String name) {
        Name wanted = Name.of(name, whole);
        List<Step> ofPath = new ArrayList<>();
        List<Step> ofName = new ArrayList<>();
        Set<Long> waiting = new HashSet<>();
        whole.lockWaiters().forEach(waiter -> waiting.add(waiter.contextId()));
        ArrayDeque<Step> open = new ArrayDeque<>();
        open.add(new Step(null, whole.globalContext()));
        for (Step step = open.poll(); step != null; step = open.poll()) {
            if (wanted.isPathOf(step.context)) {
                keep(ofPath, step, waiting);
            } else if (wanted.isShortFor(step.context)) {
                keep(ofName, step, waiting);
            }
            for (ContextStatus child : step.context.children()) {
                open.add(new Step(step, child));
            }
        }
        Map<Long, List<ContextStatus>> ways = new LinkedHashMap<>();
        (ofPath.isEmpty() ? ofName : ofPath).forEach(step -> ways.put(step.context.id(), step.way()));
        return ways;
    }

    /** Who waits takes the place of one who does not. */
    private static void keep(List<Step> kept, Step step, Set<Long> waiting) {
        if (kept.size() < MOST) {
            kept.add(step);
            return;
        }
        for (int i = 0; i < MOST && waiting.contains(step.context.id()); i++) {
            if (!waiting.contains(kept.get(i).context.id())) {
                kept.set(i, step);
                return;
            }
        }
    }

    /** Lists lose their ends where they are too long, so what these hold and wait for stands in front. */
    private static StatusSnapshot withTheirsFirst(StatusSnapshot whole, Set<Long> ids) {
        List<LockWaiter> waiters = first(whole.lockWaiters(), waiter -> ids.contains(waiter.contextId()));
        Set<Long> locks = new HashSet<>();
        waiters.stream()
                .takeWhile(waiter -> ids.contains(waiter.contextId()))
                .forEach(waiter -> locks.add(waiter.lockId()));
        List<LockStatus> held =
                first(whole.activeLocks(), lock -> ids.contains(lock.holderId()) || locks.contains(lock.lockId()));
        return whole.withLocks(held, waiters);
    }

    private static <T> List<T> first(Collection<T> all, Predicate<T> preferred) {
        return Stream.concat(all.stream().filter(preferred), all.stream().filter(preferred.negate()))
                .toList();
    }

    private static Map<Long, Integer> levels(ContextStatus root) {
        Map<Long, Integer> levels = new HashMap<>();
        ArrayDeque<ContextStatus> open = new ArrayDeque<>();
        open.add(root);
        levels.put(root.id(), 1);
        for (ContextStatus next = open.poll(); next != null; next = open.poll()) {
            int below = levels.getOrDefault(next.id(), 1) + 1;
            for (ContextStatus child : next.children()) {
                levels.put(child.id(), below);
                open.add(child);
            }
        }
        return levels;
    }

    private static long nearest(List<ContextStatus> down, Map<Long, Integer> levels) {
        for (int i = down.size() - 2; i > 0; i--) {
            Integer level = levels.get(down.get(i).id());
            if (level != null && level <= DEEPEST_PARENT) {
                return down.get(i).id();
            }
        }
        return down.get(0).id();
    }

    /** A folded tree has few levels, so this is no deeper than they are. */
    private static ContextStatus with(ContextStatus row, Map<Long, List<ContextStatus>> added, Map<Long, Taken> taken) {
        List<ContextStatus> children = new ArrayList<>();
        for (ContextStatus child : row.children()) {
            children.add(with(child, added, taken));
        }
        children.addAll(added.getOrDefault(row.id(), List.of()));
        return row.withChildren(
                children, taken.getOrDefault(row.id(), Taken.NOTHING).outOf(row.foldedChildren()));
    }

    /** Who it is, and what it is innermost inside of. */
    private static ContextStatus lean(ContextStatus row, Taken shown) {
        List<OperationStatus> operations = row.operations();
        FoldedChildren below =
                new FoldedChildren(row.foldedChildren().count() + row.children().size(), below(row), Duration.ZERO, 0);
        return new ContextStatus(
                row.id(),
                row.name(),
                row.label(),
                row.path(),
                row.kind(),
                row.state(),
                row.cancelReason(),
                row.trouble(),
                row.duration(),
                row.lastActivity(),
                row.activity(),
                row.onThread(),
                row.caller(),
                operations.subList(Math.max(0, operations.size() - 1), operations.size()),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                List.of(),
                shown.outOf(below));
    }

    private record Step(@Nullable Step above, ContextStatus context) {
        private List<ContextStatus> way() {
            ArrayDeque<ContextStatus> way = new ArrayDeque<>();
            for (Step step = this; step != null; step = step.above) {
                way.addFirst(step.context);
            }
            return List.copyOf(way);
        }
    }

    /**
     * What somebody calls a context.
     *
     * @param id its id, or 0
     * @param path the text, which may be its path
     * @param shortName the same without the node that a status of several nodes adds
     */
    private record Name(long id, String path, String shortName) {
        private static Name of(String text, StatusSnapshot on) {
            String node = "@" + on.node().alias();
            return new Name(
                    Explanations.isId(text) ? Long.parseLong(text) : 0,
                    text,
                    text.endsWith(node) ? text.substring(0, text.length() - node.length()) : text);
        }

        private boolean isPathOf(ContextStatus context) {
            return id != 0 ? id == context.id() : context.path().toString().equals(path);
        }

        /** As a status shows it: the last two names without the root's, with the id where others have the same path. */
        private boolean isShortFor(ContextStatus context) {
            if (id != 0) {
                return false;
            }
            String ending = "#" + context.id();
            String bare = shortName.endsWith(ending)
                    ? shortName.substring(0, shortName.length() - ending.length())
                    : shortName;
            if (bare.equals(context.name()) || shortName.equals(context.label())) {
                return true;
            }
            ContextPath parent = context.path().parent();
            return parent != null && bare.equals(parent.leaf() + "/" + context.name());
        }
    }
}
