package com.fastn.context.status;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Who holds and who waits, by context id, and how a lock is called so that a reader knows which one is meant. */
final class LockIndex {
    private final Map<Long, List<LockStatus>> held;
    private final Map<Long, List<LockWaiter>> awaited;
    private final Set<String> sharedNames;

    LockIndex(StatusSnapshot snapshot) {
        held = group(snapshot.activeLocks(), LockStatus::holderId);
        awaited = group(snapshot.lockWaiters(), LockWaiter::contextId);
        sharedNames = sharedNames(snapshot);
    }

    List<LockStatus> heldBy(ContextStatus context) {
        return held.getOrDefault(context.id(), List.of());
    }

    List<LockWaiter> awaitedBy(ContextStatus context) {
        return awaited.getOrDefault(context.id(), List.of());
    }

    /** Adds a lock's name in quotes, with its id where another lock has the same name. */
    void addName(Line line, String name, long lockId) {
        line.add("\"").name(Ink.CYAN, name).add("\"").add(sharedNames.contains(name) ? "#" + lockId : "");
    }

    private static <T> Map<Long, List<T>> group(List<T> all, Function<T, Long> key) {
        return all.stream().collect(Collectors.groupingBy(key));
    }

    private static Set<String> sharedNames(StatusSnapshot snapshot) {
        Map<String, Long> ids = new HashMap<>();
        Set<String> shared = new HashSet<>();
        for (LockStatus lock : snapshot.activeLocks()) {
            Long other = ids.putIfAbsent(lock.name(), lock.lockId());
            if (other != null && other != lock.lockId()) {
                shared.add(lock.name());
            }
        }
        for (LockWaiter waiter : snapshot.lockWaiters()) {
            Long other = ids.putIfAbsent(waiter.lockName(), waiter.lockId());
            if (other != null && other != waiter.lockId()) {
                shared.add(waiter.lockName());
            }
        }
        return shared;
    }
}
