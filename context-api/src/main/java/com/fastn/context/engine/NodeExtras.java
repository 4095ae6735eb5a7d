package com.fastn.context.engine;

import com.fastn.context.status.CallerLink;
import com.fastn.context.status.CancelReason;
import com.fastn.context.status.MetricValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What only some contexts have, made at first use so that a plain context stays small. All fields but the stripes are
 * guarded by this object's monitor, which is a leaf: nothing else is locked and no user code is called while it is held.
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

    private @Nullable List<ChildBatches> walks;

    private @Nullable List<Runnable> whenChildless;

    @Nullable
    Chain<RunningOperation> operations;

    @Nullable
    Chain<CancelHandler> cancelHandlers;

    @Nullable
    Chain<Deadline> deadlines;

    @Nullable
    CompletionStage<CancelReason> cancellation;

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
                || mutexes != null;
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

    /** The operations that are under way, the oldest first; a copy. */
    List<RunningOperation> operationList() {
        return operations == null ? List.of() : operations.list();
    }

    List<FifoMutex<?>> mutexList() {
        return mutexes == null ? List.of() : List.copyOf(mutexes.values());
    }
}
