package com.fastn.context.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fastn.context.status.CallerLink;
import com.fastn.context.status.FinishedContext;
import com.fastn.context.status.MetricValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What only some contexts have, made at first use so that a plain context stays small. All fields but those that are volatile
 * are guarded by this object's monitor, until the context has ended and left: see {@link #isSettled}. Inside of it only those of
 * counter cells are taken, which are leaves but for each other; no user code is called and nothing is logged while it is held.
 *
 * <p>Lists of what there is not are those of {@link Collections}: to walk over them at the end of a context makes no iterator.
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

    // Written under the monitor, and read anywhere.
    @Nullable
    volatile String label;

    @Nullable
    CallerLink caller;

    // Written under the monitor. Most signs of life are of the same verb, which is seen without it.
    @Nullable
    volatile String activity;

    @Nullable
    Map<String, MetricValue> metrics;

    @Nullable
    Map<String, @Nullable Object> data;

    @Nullable
    Map<String, Object> settings;

    /** The live counter that was counted first, which stays at 0: most contexts count in no other. */
    private @Nullable OwnLive firstLive;

    /** The others, while they are above 0. */
    private @Nullable Map<String, OwnLive> moreLive;

    @Nullable
    Map<String, FifoLock<?>> locks;

    /** The waits of this context for locks, the oldest first. */
    @Nullable
    Waiter<?> firstWait;

    @Nullable
    Waiter<?> lastWait;

    /** How many of the waits are for another lock than the one before them in the list. */
    private int changesOfLock;

    /** What is released when this context ends. */
    @Nullable
    Set<Grant<?>> releasedWithEnd;

    private @Nullable List<ChildBatches> walks;

    private @Nullable List<Runnable> whenChildless;

    @Nullable
    Chain<RunningOperation> operations;

    /** The last operation that was slow by itself. */
    @Nullable
    SlowTime lastSlow;

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

    /** What this context itself added to a live counter, and so takes back when it ends. Few contexts have more than one. */
    static final class OwnLive {
        final String name;
        final CounterCell cell;
        long count;

        OwnLive(String name, CounterCell cell) {
            this.name = name;
            this.cell = cell;
        }
    }

    /** The time in which a context was inside of a slow operation. */
    record SlowTime(String operation, long startNanos, long endNanos) {
        /** Whether one of another name is around this one, and would not be slow without it. */
        boolean leavesLittleOf(SlowTime around, long slowNanos) {
            long before = startNanos - around.startNanos;
            long after = around.endNanos - endNanos;
            return !operation.equals(around.operation) && before >= 0 && before + after <= slowNanos;
        }
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

    /** {@return what its data say of the trace that it is part of, or {@code null}} The monitor is held. */
    @Nullable
    String traceId() {
        Object id = data == null ? null : data.get(FinishedContext.TRACE_ID);
        return id instanceof String text && !text.isBlank() ? text : null;
    }

    /** The verb seldom changes: the text that is there is kept. */
    void setActivity(String verb) {
        if (!verb.equals(activity)) {
            String clean = Names.clean(verb);
            synchronized (this) {
                activity = clean;
            }
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
                || firstLive != null
                || operations != null
                || cancelHandlers != null
                || deadlines != null
                || firstWait != null
                || releasedWithEnd != null
                || locks != null;
    }

    OwnLive live(String name, CounterCell cell) {
        OwnLive known = liveOrNull(name);
        if (known != null && known.count > 0) {
            return known;
        }
        // One that is over keeps nobody at a place that was only taken for want of room.
        OwnLive own = known != null && known.cell == cell ? known : new OwnLive(name, cell);
        if (firstLive == null || firstLive == known) {
            firstLive = own;
            return own;
        }
        Map<String, OwnLive> more = moreLive;
        if (more == null) {
            more = new LinkedHashMap<>(4);
            moreLive = more;
        }
        more.put(name, own);
        return own;
    }

    @Nullable
    OwnLive liveOrNull(String name) {
        OwnLive first = firstLive;
        if (first != null && first.name.equals(name)) {
            return first;
        }
        return moreLive == null ? null : moreLive.get(name);
    }

    /** One less is counted there. Whoever counts under ever new names keeps none of those that are over. */
    void takeOne(OwnLive own) {
        own.count--;
        if (own.count == 0 && own != firstLive && moreLive != null) {
            moreLive.remove(own.name);
        }
    }

    /** What is counted at the end, which nobody finds here any more. */
    List<OwnLive> takeLive() {
        OwnLive first = firstLive;
        Map<String, OwnLive> more = moreLive;
        firstLive = null;
        moreLive = null;
        if (first == null || more == null) {
            return first == null ? Collections.emptyList() : Collections.singletonList(first);
        }
        List<OwnLive> all = new ArrayList<>(1 + more.size());
        all.add(first);
        all.addAll(more.values());
        return all;
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
        changesOfLock += change(lastWait, waiter);
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
        changesOfLock += change(before, after) - change(before, waiter) - change(waiter, after);
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

    private static int change(@Nullable Waiter<?> one, @Nullable Waiter<?> next) {
        return one != null && next != null && one.lock != next.lock ? 1 : 0;
    }

    /** Whether a lock is waited for that is not this one. It is asked for each wait, so it takes the same few steps always. */
    synchronized boolean isWaitingForLock(@Nullable FifoLock<?> butFor) {
        return firstWait != null && (changesOfLock > 0 || firstWait.lock != butFor);
    }

    /** The locks that are waited for; whoever waits for thousands is looked at in part. */
    synchronized Set<FifoLock<?>> locksWaitedFor() {
        if (firstWait == null) {
            return Set.of();
        }
        Set<FifoLock<?>> locks = new LinkedHashSet<>(4);
        int left = MOST_WAITS_LOOKED_AT;
        for (Waiter<?> w = firstWait; w != null && left > 0; w = w.nextWait) {
            locks.add(w.lock);
            left--;
        }
        return locks;
    }

    /** The waits for locks, the oldest first; a copy. */
    List<Waiter<?>> waitList() {
        if (firstWait == null) {
            return Collections.emptyList();
        }
        List<Waiter<?>> all = new ArrayList<>();
        for (Waiter<?> w = firstWait; w != null; w = w.nextWait) {
            all.add(w);
        }
        return Collections.unmodifiableList(all);
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
        return chain == null ? Collections.emptyList() : chain.drain();
    }

    /** Takes the one that was added first; whoever takes the last finds no chain any more. */
    @Nullable
    CancelHandler nextCancelHandler() {
        Chain<CancelHandler> chain = cancelHandlers;
        CancelHandler first = chain == null ? null : chain.first();
        if (chain != null && first != null) {
            chain.remove(first);
        }
        if (chain == null || chain.isEmpty()) {
            cancelHandlers = null;
        }
        return first;
    }

    synchronized long firstDeadlineNanos() {
        Chain<Deadline> chain = deadlines;
        long first = 0;
        if (chain != null) {
            for (Deadline each = chain.first(); each != null; each = chain.after(each)) {
                first = Timers.earlier(first, each.atNanos);
            }
        }
        return first;
    }

    List<Deadline> takeDeadlines() {
        Chain<Deadline> chain = deadlines;
        deadlines = null;
        return chain == null ? Collections.emptyList() : chain.drain();
    }

    /** Whether this context ends now, as it was asked to once nothing is under way. */
    boolean closesNow() {
        return closeWhenDone && mayCloseNow();
    }

    /** Whether nothing is under way that an end would be too early for. */
    boolean mayCloseNow() {
        return firstWait == null && (operations == null || operations.size() == 0);
    }

    /**
     * {@return whether of what ends with the context there are live counts and what it is remembered by at most} Of these, once
     * it is closed, nobody changes anything but who closed it, who therefore needs no monitor for them.
     */
    boolean isSettled() {
        return mayCloseNow()
                && data == null
                && cancelHandlers == null
                && deadlines == null
                && releasedWithEnd == null
                && locks == null;
    }

    /** The operations that are under way, the oldest first; a copy. */
    List<RunningOperation> operationList() {
        return operations == null ? Collections.emptyList() : operations.list();
    }

    void forgetLock(String key) {
        Map<String, FifoLock<?>> map = locks;
        FifoLock<?> lock = map == null ? null : map.get(key);
        if (map != null && lock != null && !lock.isBusy()) {
            map.remove(key);
        }
    }

    List<FifoLock<?>> lockList() {
        return locks == null ? Collections.emptyList() : List.copyOf(locks.values());
    }
}
