package com.fastn.context.vertx;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of replies that are still to come, by the address that each comes to, and found by who waits for it.
 *
 * <p>The former is asked for with each message, the latter when somebody is cancelled. So of the first {@link #FEW} nobody writes
 * down who waits: they are looked through. Only what comes beyond them is kept by its caller too, so that a cancellation looks at no
 * more than these and its own, however many replies are owed.
 *
 * @param <C> what tells callers apart
 * @param <V> what is kept
 */
final class RepliesByCaller<C, V> {
    static final int FEW = 1_024;

    private final Function<V, @Nullable C> callerOf;
    private final ConcurrentHashMap<String, V> few = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, V> more = new ConcurrentHashMap<>();
    // The addresses of those in "more"; a set is touched only where its entry is computed.
    private final ConcurrentHashMap<C, Set<String>> addresses = new ConcurrentHashMap<>();

    /** Keeps nothing yet; {@code callerOf} tells whose reply something is kept for, or null where nobody looks for it. */
    RepliesByCaller(Function<V, @Nullable C> callerOf) {
        this.callerOf = callerOf;
    }

    /** Keeps something, and gives what was kept for that address before, or null. */
    @Nullable
    V put(String address, V value) {
        V before = takeOfMore(address);
        if (few.size() < FEW || few.containsKey(address)) {
            V earlier = few.put(address, value);
            return earlier == null ? before : earlier;
        }
        C caller = callerOf.apply(value);
        if (caller != null) {
            // First: who finds the address and nothing there yet is faster than what is asked for.
            addresses.compute(caller, (same, known) -> {
                Set<String> its = known == null ? new HashSet<>() : known;
                its.add(address);
                return its;
            });
        }
        V earlier = more.put(address, value);
        if (earlier != null && !Objects.equals(callerOf.apply(earlier), caller)) {
            // Another thread has kept something for the same address since it was looked for above.
            forget(address, earlier);
        }
        return earlier == null ? before : earlier;
    }

    @Nullable
    V get(String address) {
        V found = few.get(address);
        return found != null || more.isEmpty() ? found : more.get(address);
    }

    @Nullable
    V remove(String address) {
        V found = few.remove(address);
        return found != null ? found : takeOfMore(address);
    }

    boolean remove(String address, V value) {
        if (few.remove(address, value)) {
            return true;
        }
        boolean removed = more.remove(address, value);
        if (removed) {
            forget(address, value);
        }
        return removed;
    }

    /** Keeps something else for the same caller. */
    boolean replace(String address, V before, V after) {
        return few.replace(address, before, after) || more.replace(address, before, after);
    }

    /** Tells of what is kept for some callers. */
    void of(Collection<? extends C> callers, Consumer<V> found) {
        for (V value : few.values()) {
            C caller = callerOf.apply(value);
            if (caller != null && callers.contains(caller)) {
                found.accept(value);
            }
        }
        if (more.isEmpty()) {
            return;
        }
        for (C caller : callers) {
            List<String> its = new ArrayList<>();
            addresses.computeIfPresent(caller, (same, known) -> {
                its.addAll(known);
                return known;
            });
            for (String address : its) {
                V value = more.get(address);
                if (value != null) {
                    found.accept(value);
                }
            }
        }
    }

    void forEach(BiConsumer<String, V> visitor) {
        few.forEach(visitor);
        more.forEach(visitor);
    }

    boolean isEmpty() {
        return few.isEmpty() && more.isEmpty();
    }

    int size() {
        return few.size() + more.size();
    }

    /** How many callers are kept beside what waits for them. */
    int callers() {
        return addresses.size();
    }

    private @Nullable V takeOfMore(String address) {
        V found = more.isEmpty() ? null : more.remove(address);
        if (found != null) {
            forget(address, found);
        }
        return found;
    }

    private void forget(String address, V value) {
        C caller = callerOf.apply(value);
        if (caller == null) {
            return;
        }
        var unused = addresses.computeIfPresent(caller, (same, known) -> {
            known.remove(address);
            return known.isEmpty() ? null : known;
        });
    }
}
