package com.fastn.context.engine;

import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.MetricValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What only some contexts have, made at first use so that a plain context stays small. All fields are guarded by this
 * object's monitor, which is a leaf: nothing else is locked and no user code is called while it is held.
 */
final class NodeExtras {
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
    Map<String, FifoMutex<?>> mutexes;

    @Nullable
    List<RunningOperation> operations;

    @Nullable
    List<CancelHandler> cancelHandlers;

    @Nullable
    CompletableFuture<CancelReason> cancellation;

    boolean ended;
    boolean closeWhenDone;

    /** What this context itself added to a live counter, and so takes back when it ends. */
    static final class OwnLive {
        final CounterCell cell;
        long count;

        OwnLive(CounterCell cell) {
            this.cell = cell;
        }
    }

    OwnLive live(CounterCell cell) {
        Map<String, OwnLive> map = live;
        if (map == null) {
            map = new LinkedHashMap<>(4);
            live = map;
        }
        return map.computeIfAbsent(cell.name(), n -> new OwnLive(cell));
    }

    Map<String, FifoMutex<?>> mutexes() {
        Map<String, FifoMutex<?>> map = mutexes;
        if (map == null) {
            map = new LinkedHashMap<>(4);
            mutexes = map;
        }
        return map;
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

    List<RunningOperation> operations() {
        List<RunningOperation> list = operations;
        if (list == null) {
            list = new ArrayList<>(2);
            operations = list;
        }
        return list;
    }

    List<CancelHandler> cancelHandlers() {
        List<CancelHandler> list = cancelHandlers;
        if (list == null) {
            list = new ArrayList<>(2);
            cancelHandlers = list;
        }
        return list;
    }
}
