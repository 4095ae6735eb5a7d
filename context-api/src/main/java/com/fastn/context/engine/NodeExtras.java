package com.fastn.context.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.MetricValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What only some contexts have, made at first use so that a plain context stays small. All fields but the stripes are
 * guarded by this object's monitor, which is a leaf: nothing else is locked and no user code is called while it is held.
 */
final class NodeExtras {
    private static final int MOST_WAITS_LOOKED_AT = 1_000;

    /** Data, metrics and settings of one context, each for itself; as many as counters of a path. */
    static final int MOST_KEYS = 2_000;

    /** What became of a value that was put under a key. */
    enum Put {
        SAME,
        CHANGED,
        /** There are {@link #MOST_KEYS} others. */
        REFUSED
    }

    @Nullable
    String label;

    @Nullable
    CallerLink caller;

    @Nullable
    String activity;

    @Nullable
    Map<String, MetricValue> metrics;

    @Nullable
    Map<String, @Nullable Object> data;

    @Nullable
    Map<String, Object> settings;

    @Nullable
    Map<String, OwnLive> live;

    @Nullable
    Map<String, FifoLock<?>> locks;

    /** The waits of this context for locks, the oldest first. */
    @Nullable
    Waiter<?> firstWait;

    @Nullable
    Waiter<?> lastWait;

    /** What is released when this context ends. */
    @Nullable
    Set<Grant<?>> releasedWithEnd;

    private @Nullable List<ChildBatches> walks;

    private @Nullable List<Runnable> whenChildless;

    @Nullable
    Chain<RunningOperation> operations;

    @Nullable
    Chain<CancelHandler> cancelHandlers;

    @Nullable
    Chain<Deadline> deadlines;

    @Nullable
    CancellationStage cancellation;

    // Written once, under the node's monitor, and read anywhere.
    volatile ChildList @Nullable [] stripes;

    boolean ended;
    boolean closeWhenDone;
    boolean persisted;

    @Nullable
    Throwable failure;

    /** What this context itself added to a live counter, and so takes back when it ends. */
    static final class OwnLive {
        final CounterCell cell;
        long count;

        OwnLive(CounterCell cell) {
            this.cell = cell;
        }
    }

    synchronized @Nullable String labelOrNull() {
        return label;
    }

    /** {@return whether it is another one} */
    synchronized boolean setLabel(String text) {
        boolean differs = !text.equals(label);
        label = text;
        return differs;
    }

    synchronized @Nullable CallerLink callerOrNull() {
        return caller;
    }

    synchronized void setCaller(CallerLink link) {
        caller = link;
    }

    /** The verb seldom changes: the text that is there is kept. */
    synchronized void setActivity(String verb) {
        if (!verb.equals(activity)) {
            activity = Names.clean(verb);
        }
    }

    synchronized Put putData(String key, @Nullable Object frozen) {
        Map<String, @Nullable Object> map = data();
        boolean known = map.containsKey(key);
        if (!known && map.size() >= MOST_KEYS) {
            return Put.REFUSED;
        }
        Object before = map.put(key, frozen);
        return known && Objects.equals(before, frozen) ? Put.SAME : Put.CHANGED;
    }

    @Nullable
    JsonNode dataAsJson(String key) {
        Object frozen;
        synchronized (this) {
            if (data == null || !data.containsKey(key)) {
                return null;
            }
            frozen = data.get(key);
        }
        // It is frozen, so it need not be held.
        return PlainValues.toJson(frozen);
    }

    synchronized Put putMetric(String key, MetricValue value) {
        Map<String, MetricValue> map = metrics();
        if (map.size() >= MOST_KEYS && !map.containsKey(key)) {
            return Put.REFUSED;
        }
        return value.equals(map.put(key, value)) ? Put.SAME : Put.CHANGED;
    }

    synchronized @Nullable Object settingOrNull(String key) {
        return settings == null ? null : settings.get(key);
    }

    /** {@return a copy of those whose keys begin so} */
    synchronized Map<String, Object> settingsOf(String prefix) {
        if (settings == null) {
            return Map.of();
        }
        Map<String, Object> some = new HashMap<>(settings);
        some.keySet().removeIf(key -> !key.startsWith(prefix));
        return some;
    }

    /** Without a value it is taken away. A value is never compared: its {@code equals} is code of a user. */
    synchronized Put putSetting(String key, @Nullable Object value) {
        Map<String, Object> map = settings();
        if (value == null) {
            map.remove(key);
        } else if (map.size() >= MOST_KEYS && !map.containsKey(key)) {
            return Put.REFUSED;
        } else {
            map.put(key, value);
        }
        return Put.CHANGED;
    }

    List<ChildBatches> walks() {
        List<ChildBatches> list = walks;
        if (list == null) {
            list = new ArrayList<>(1);
            walks = list;
        }
        return list;
    }

    List<Runnable> whenChildless() {
        List<Runnable> list = whenChildless;
        if (list == null) {
            list = new ArrayList<>(1);
            whenChildless = list;
        }
        return list;
    }

    /** {@return whether somebody walks the children, or waits for the last of them to leave} */
    boolean isChildrenWatched() {
        return (walks != null && !walks.isEmpty()) || (whenChildless != null && !whenChildless.isEmpty());
    }

    /** {@return whether anything here has to be ended, dropped or remembered when the context ends} */
    boolean hasMoreToEnd() {
        return persisted
                || live != null
                || operations != null
                || cancelHandlers != null
                || deadlines != null
                || firstWait != null
                || releasedWithEnd != null
                || locks != null;
    }

    OwnLive live(CounterCell cell) {
        Map<String, OwnLive> map = live;
        if (map == null) {
            map = new LinkedHashMap<>(4);
            live = map;
        }
        return map.computeIfAbsent(cell.name(), n -> new OwnLive(cell));
    }

    Map<String, FifoLock<?>> locks() {
        Map<String, FifoLock<?>> map = locks;
        if (map == null) {
            map = new LinkedHashMap<>(4);
            locks = map;
        }
        return map;
    }

    void addWait(Waiter<?> waiter) {
        waiter.listed = true;
        waiter.previousWait = lastWait;
        if (lastWait == null) {
            firstWait = waiter;
        } else {
            lastWait.nextWait = waiter;
        }
        lastWait = waiter;
    }

    void removeWait(Waiter<?> waiter) {
        waiter.over = true;
        if (!waiter.listed) {
            return;
        }
        waiter.listed = false;
        Waiter<?> before = waiter.previousWait;
        Waiter<?> after = waiter.nextWait;
        if (before == null) {
            firstWait = after;
        } else {
            before.nextWait = after;
        }
        if (after == null) {
            lastWait = before;
        } else {
            after.previousWait = before;
        }
        waiter.previousWait = null;
        waiter.nextWait = null;
    }

    /** Up to so many locks that are waited for, but for one; whoever waits for thousands is looked at in part. */
    synchronized Set<FifoLock<?>> locksWaitedFor(@Nullable FifoLock<?> butFor, int most) {
        if (firstWait == null) {
            return Set.of();
        }
        Set<FifoLock<?>> locks = new LinkedHashSet<>(4);
        int left = MOST_WAITS_LOOKED_AT;
        for (Waiter<?> w = firstWait; w != null && left > 0 && locks.size() < most; w = w.nextWait) {
            if (w.lock != butFor) {
                locks.add(w.lock);
            }
            left--;
        }
        return locks;
    }

    /** The waits for locks, the oldest first; a copy. */
    List<Waiter<?>> waitList() {
        if (firstWait == null) {
            return List.of();
        }
        List<Waiter<?>> all = new ArrayList<>();
        for (Waiter<?> w = firstWait; w != null; w = w.nextWait) {
            all.add(w);
        }
        return all;
    }

    Set<Grant<?>> releasedWithEnd() {
        Set<Grant<?>> set = releasedWithEnd;
        if (set == null) {
            set = new LinkedHashSet<>();
            releasedWithEnd = set;
        }
        return set;
    }

    Map<String, @Nullable Object> data() {
        Map<String, @Nullable Object> map = data;
        if (map == null) {
            map = new LinkedHashMap<>(4);
            data = map;
        }
        return map;
    }

    Map<String, MetricValue> metrics() {
        Map<String, MetricValue> map = metrics;
        if (map == null) {
            map = new LinkedHashMap<>(4);
            metrics = map;
        }
        return map;
    }

    Map<String, Object> settings() {
        Map<String, Object> map = settings;
        if (map == null) {
            map = new LinkedHashMap<>(4);
            settings = map;
        }
        return map;
    }

    Chain<RunningOperation> operations() {
        Chain<RunningOperation> chain = operations;
        if (chain == null) {
            chain = new Chain<>();
            operations = chain;
        }
        return chain;
    }

    Chain<CancelHandler> cancelHandlers() {
        Chain<CancelHandler> chain = cancelHandlers;
        if (chain == null) {
            chain = new Chain<>();
            cancelHandlers = chain;
        }
        return chain;
    }

    Chain<Deadline> deadlines() {
        Chain<Deadline> chain = deadlines;
        if (chain == null) {
            chain = new Chain<>();
            deadlines = chain;
        }
        return chain;
    }

    List<CancelHandler> takeCancelHandlers() {
        Chain<CancelHandler> chain = cancelHandlers;
        cancelHandlers = null;
        return chain == null ? List.of() : chain.drain();
    }

    List<Deadline> takeDeadlines() {
        Chain<Deadline> chain = deadlines;
        deadlines = null;
        return chain == null ? List.of() : chain.drain();
    }

    /** Whether this context ends now, as it was asked to once nothing is under way. */
    boolean mayCloseNow() {
        return closeWhenDone && firstWait == null && (operations == null || operations.size() == 0);
    }

    /** The operations that are under way, the oldest first; a copy. */
    List<RunningOperation> operationList() {
        return operations == null ? List.of() : operations.list();
    }

    List<FifoLock<?>> lockList() {
        return locks == null ? List.of() : List.copyOf(locks.values());
    }
}
