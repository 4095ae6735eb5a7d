package com.fastn.context.status;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The records as a stream of JSON tokens. The tree is walked without recursion. */
final class StatusJsonWriter implements Closeable, RowSink {
    /** Names are at most 4 kB when read; a char is at most three bytes. */
    private static final int LONGEST_NAME = 1_000;

    private static final long NANOS_IN_MILLI = 1_000_000;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamWriteConstraints(StreamWriteConstraints.builder()
                    .maxNestingDepth(Integer.MAX_VALUE)
                    .build())
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            // So that the bytes are those of the text.
            .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
            .build();

    private final JsonGenerator json;
    private final PathText path = new PathText();
    private final char[] word = new char[64];
    private int pathLength;

    private StatusJsonWriter(JsonGenerator json) {
        this.json = json;
    }

    static StatusJsonWriter to(OutputStream out) throws IOException {
        return new StatusJsonWriter(FACTORY.createGenerator(out));
    }

    static StatusJsonWriter to(Writer out, boolean pretty) throws IOException {
        JsonGenerator json = FACTORY.createGenerator(out);
        if (pretty) {
            DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
            printer.indentArraysWith(BoundedIndenter.INSTANCE);
            printer.indentObjectsWith(BoundedIndenter.INSTANCE);
            json.setPrettyPrinter(printer);
        }
        return new StatusJsonWriter(json);
    }

    @Override
    public void close() throws IOException {
        json.close();
    }

    void write(ClusterStatus cluster) throws IOException {
        begin(StatusJson.CLUSTER_KIND);
        string("timestamp", cluster.timestamp().toString());
        string("answered_by", cluster.answeredBy());
        bool("complete", cluster.isComplete());
        counters("total_counters", cluster.totalCounters());
        json.writeArrayFieldStart("nodes");
        for (NodeStatus node : cluster.nodes()) {
            write(node);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    void write(StatusSnapshot snapshot) throws IOException {
        write(snapshot, null, UnaryOperator.identity());
    }

    /** Writes a snapshot with a tree that is not made into records, or with its own when that is {@code null}. */
    void write(StatusSnapshot snapshot, @Nullable FoldableTree tree, UnaryOperator<StatusSnapshot> afterTree)
            throws IOException {
        begin(StatusJson.SNAPSHOT_KIND);
        write(snapshot.node());
        string("timestamp", snapshot.timestamp().toString());
        integer("version", snapshot.version());
        if (snapshot.systemMetrics() != null) {
            write(snapshot.systemMetrics());
        }
        json.writeFieldName("global_context");
        if (tree == null) {
            writeTree(snapshot.globalContext());
        } else {
            writeTree(snapshot.globalContext().path(), tree);
        }
        writeBehindTree(afterTree.apply(snapshot));
        json.writeEndObject();
    }

    private void writeBehindTree(StatusSnapshot snapshot) throws IOException {
        json.writeArrayFieldStart("active_locks");
        for (LockStatus lock : snapshot.activeLocks()) {
            write(lock);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("lock_waiters");
        for (LockWaiter waiter : snapshot.lockWaiters()) {
            write(waiter);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("warnings");
        for (StatusWarning warning : snapshot.warnings()) {
            write(warning);
        }
        json.writeEndArray();
        if (!snapshot.recent().isEmpty()) {
            json.writeArrayFieldStart("recent");
            for (FinishedContext finished : snapshot.recent()) {
                write(finished);
            }
            json.writeEndArray();
        }
        if (!snapshot.operationBaselines().isEmpty()) {
            json.writeFieldName("operation_baselines");
            writeBaselines(snapshot.operationBaselines());
        }
        if (!snapshot.counterWindows().isEmpty()) {
            windows(snapshot.counterWindows());
        }
        if (!snapshot.causes().isNone()) {
            json.writeFieldName("causes");
            write(snapshot.causes());
        }
    }

    void write(Causes causes) throws IOException {
        new CauseJsonWriter(this, json).write(causes);
    }

    void write(Explanation explanation) throws IOException {
        new CauseJsonWriter(this, json).write(explanation);
    }

    void write(DeadlockReport report) throws IOException {
        new CauseJsonWriter(this, json).write(report);
    }

    void write(WaitEpisode episode) throws IOException {
        new CauseJsonWriter(this, json).write(episode);
    }

    private void rows(String name, List<SnapshotDelta.Change> rows) throws IOException {
        json.writeArrayFieldStart(name);
        for (SnapshotDelta.Change row : rows) {
            json.writeStartObject();
            integer("parent_id", row.parentId());
            json.writeFieldName("context");
            writeRow(row.context());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    void write(StatusPage page) throws IOException {
        begin(StatusJson.PAGE_KIND);
        write(page.node());
        string("timestamp", page.timestamp().toString());
        integer("version", page.version());
        integer("total_contexts", page.totalContexts());
        rows("contexts", page.contexts());
        string("next", page.next());
        json.writeEndObject();
    }

    void write(SnapshotDelta delta) throws IOException {
        begin(StatusJson.DELTA_KIND);
        write(delta.node());
        string("timestamp", delta.timestamp().toString());
        string("base_timestamp", delta.baseTimestamp().toString());
        integer("base_version", delta.baseVersion());
        integer("version", delta.version());
        integer("elapsed_ns", JsonLimits.nanos(delta.elapsed()));
        if (delta.systemMetrics() != null) {
            write(delta.systemMetrics());
        }
        rows("changed", delta.changed());
        ids("removed", delta.removed());
        json.writeArrayFieldStart("orders");
        for (Map.Entry<Long, List<Long>> order : delta.orders().entrySet()) {
            json.writeStartObject();
            integer("parent_id", order.getKey());
            ids("children", order.getValue());
            json.writeEndObject();
        }
        json.writeEndArray();
        if (delta.activeLocks() != null) {
            json.writeArrayFieldStart("active_locks");
            for (LockStatus lock : delta.activeLocks()) {
                write(lock);
            }
            json.writeEndArray();
        }
        if (delta.lockWaiters() != null) {
            json.writeArrayFieldStart("lock_waiters");
            for (LockWaiter waiter : delta.lockWaiters()) {
                write(waiter);
            }
            json.writeEndArray();
        }
        if (delta.warnings() != null) {
            json.writeArrayFieldStart("warnings");
            for (StatusWarning warning : delta.warnings()) {
                write(warning);
            }
            json.writeEndArray();
        }
        SnapshotDelta.RecentChange recent = delta.recent();
        if (recent != null) {
            json.writeArrayFieldStart("recent");
            for (FinishedContext finished : recent.added()) {
                write(finished);
            }
            json.writeEndArray();
            integer("recent_kept", recent.kept());
            if (!recent.dropped().isEmpty()) {
                json.writeArrayFieldStart("recent_dropped");
                for (int place : recent.dropped()) {
                    json.writeNumber(place);
                }
                json.writeEndArray();
            }
        }
        if (!delta.changedBaselines().isEmpty()) {
            json.writeFieldName("operation_baselines");
            writeBaselines(delta.changedBaselines());
        }
        if (!delta.removedBaselines().isEmpty()) {
            json.writeArrayFieldStart("removed_baselines");
            for (String operation : delta.removedBaselines()) {
                json.writeString(name(operation));
            }
            json.writeEndArray();
        }
        if (delta.counterWindows() != null) {
            windows(delta.counterWindows());
        }
        if (delta.causes() != null) {
            json.writeFieldName("causes");
            write(delta.causes());
        }
        json.writeEndObject();
    }

    /** Ids count from 1, so none comes near to where a number loses digits. */
    void ids(String name, List<Long> ids) throws IOException {
        json.writeArrayFieldStart(name);
        for (long id : ids) {
            json.writeNumber(id);
        }
        json.writeEndArray();
    }

    void begin(String kind) throws IOException {
        json.writeStartObject();
        string("kind", kind);
        integer("schema", StatusJson.SCHEMA);
        integer("min_schema", StatusJson.SCHEMA);
    }

    void write(NodeIdentity node) throws IOException {
        json.writeObjectFieldStart("node");
        string("alias", node.alias());
        string("incarnation", node.incarnation());
        json.writeEndObject();
    }

    private void write(NodeStatus node) throws IOException {
        json.writeStartObject();
        write(node.node());
        lowerCase("state", node.state());
        duration("age_ms", node.age());
        string("reason", node.reason());
        NodeSummary summary = node.summary();
        if (summary != null) {
            json.writeObjectFieldStart("summary");
            integer("contexts", summary.contexts());
            integer("locks_held", summary.locksHeld());
            integer("lock_waiters", summary.lockWaiters());
            integer("warnings", summary.warnings());
            json.writeEndObject();
        }
        if (node.snapshot() != null) {
            json.writeFieldName("status");
            write(node.snapshot());
        }
        json.writeEndObject();
    }

    private void write(SystemMetrics metrics) throws IOException {
        json.writeObjectFieldStart("system_metrics");
        number("cpu_usage_percent", metrics.cpuUsagePercent());
        integer("memory_used_bytes", metrics.memoryUsedBytes());
        integer("memory_total_bytes", metrics.memoryTotalBytes());
        integer("disk_used_bytes", metrics.diskUsedBytes());
        integer("disk_total_bytes", metrics.diskTotalBytes());
        integer("network_rx_bytes_per_sec", metrics.networkRxBytesPerSec());
        integer("network_tx_bytes_per_sec", metrics.networkTxBytesPerSec());
        if (metrics.loadAverage() != null) {
            json.writeArrayFieldStart("load_average");
            for (double load : metrics.loadAverage()) {
                json.writeNumber(load);
            }
            json.writeEndArray();
        }
        duration("uptime_ms", metrics.uptime());
        SystemMetrics.Ages ages = metrics.ages();
        json.writeObjectFieldStart("ages");
        duration("cpu_ms", ages.cpu());
        duration("memory_ms", ages.memory());
        duration("disk_ms", ages.disk());
        duration("network_ms", ages.network());
        duration("load_ms", ages.load());
        json.writeEndObject();
        SystemMetrics.Jvm jvm = metrics.jvm();
        if (jvm != null) {
            json.writeObjectFieldStart("jvm");
            integer("heap_used_bytes", jvm.heapUsedBytes());
            integer("heap_max_bytes", jvm.heapMaxBytes());
            integer("gc_count", jvm.gcCount());
            duration("gc_time_ms", jvm.gcTime());
            integer("threads", jvm.threads());
            duration("uptime_ms", jvm.uptime());
            integer("pid", jvm.pid());
            string("version", jvm.version());
            json.writeEndObject();
        }
        SystemMetrics.Container container = metrics.container();
        if (container != null) {
            json.writeObjectFieldStart("container");
            number("cpus", container.cpus());
            integer("memory_limit_bytes", container.memoryLimitBytes());
            integer("memory_used_bytes", container.memoryUsedBytes());
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    private void writeTree(ContextStatus root) throws IOException {
        Deque<Open> open = new ArrayDeque<>();
        begin(root);
        open.addLast(new Open(root.children().iterator(), root.foldedChildren()));
        while (!open.isEmpty()) {
            Open context = open.getLast();
            if (!context.children.hasNext()) {
                open.removeLast();
                json.writeEndArray();
                end(context.folded);
                continue;
            }
            ContextStatus child = context.children.next();
            if (child.children().isEmpty()) {
                writeRow(child);
            } else {
                begin(child);
                open.addLast(new Open(child.children().iterator(), child.foldedChildren()));
            }
        }
    }

    /** Parents never fall from one number to the next, so the first child is looked up, and no table of them is needed. */
    private void writeTree(ContextPath top, FoldableTree tree) throws IOException {
        int[] pathEnds = new int[16];
        int level = 0;
        pathEnds[0] = path.set(top);
        begin(0, tree, pathEnds[0]);
        int at = 0;
        int next = 1;
        while (at >= 0) {
            if (next < tree.size() && tree.parent(next) == at) {
                at = next;
                next = firstChild(tree, at);
                int end = path.child(pathEnds[level], tree.name(at));
                level++;
                pathEnds = level == pathEnds.length ? Arrays.copyOf(pathEnds, 2 * level) : pathEnds;
                pathEnds[level] = end;
                begin(at, tree, end);
            } else {
                json.writeEndArray();
                end(tree.folded(at));
                next = at + 1;
                at = tree.parent(at);
                level--;
            }
        }
    }

    /** {@return the first whose parent is the context or a later one} */
    private static int firstChild(FoldableTree tree, int parent) {
        int low = parent + 1;
        int high = tree.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (tree.parent(middle) < parent) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private void begin(int index, FoldableTree tree, int pathEnd) throws IOException {
        pathLength = pathEnd;
        try {
            tree.tell(index, this);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        json.writeArrayFieldStart("children");
    }

    /** Writes a context as if it had no children. */
    void writeRow(ContextStatus context) throws IOException {
        begin(context);
        json.writeEndArray();
        end(context.foldedChildren());
    }

    private void end(FoldedChildren folded) throws IOException {
        integer("folded_children", folded.count());
        if (!folded.isNone()) {
            integer("folded_contexts", folded.contexts());
            duration("folded_oldest_ms", folded.oldest());
            integer("folded_stuck", folded.stuck());
        }
        json.writeEndObject();
    }

    private void begin(ContextStatus context) throws IOException {
        pathLength = path.set(context.path());
        try {
            context.tell(this);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        json.writeArrayFieldStart("children");
    }

    @Override
    public void row(
            long id,
            String name,
            String label,
            ContextKind kind,
            ContextState state,
            @Nullable CancelReason cancelReason,
            @Nullable ContextTrouble trouble,
            long ageNanos,
            long quietNanos,
            @Nullable String activity,
            boolean onThread,
            @Nullable CallerLink caller,
            List<OperationStatus> operations,
            Map<String, MetricValue> metrics,
            Map<String, @Nullable Object> data,
            Map<String, Long> totals,
            Map<String, Long> live,
            Map<String, Long> subtreeTotals,
            Map<String, Long> subtreeLive) {
        try {
            json.writeStartObject();
            integer("id", id);
            string("name", name);
            string("label", label);
            path();
            lowerCase("kind", kind);
            lowerCase("state", state);
            bool("is_cancelled", cancelReason != null);
            write(cancelReason);
            if (trouble != null) {
                lowerCase("trouble", trouble);
            }
            integer("duration_ms", ageNanos / NANOS_IN_MILLI);
            integer("last_activity_ms", quietNanos / NANOS_IN_MILLI);
            string("activity", activity);
            bool("on_thread", onThread);
            write(caller);
            write(operations);
            write(metrics);
            json.writeFieldName("data");
            map(data, 0);
            counters("total_counters", totals);
            counters("live_counters", live);
            counters("subtree_total_counters", subtreeTotals);
            counters("subtree_live_counters", subtreeLive);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(@Nullable CallerLink caller) throws IOException {
        if (caller != null) {
            json.writeObjectFieldStart("caller");
            string("node", caller.node());
            string("incarnation", caller.incarnation());
            integer("context_id", caller.contextId());
            string("path", caller.path());
            if (!caller.owesReply()) {
                bool("owes_reply", false);
            }
            json.writeEndObject();
        }
    }

    // An iterator over nothing, for each of many contexts, would be most of what is allocated here.

    private void write(List<OperationStatus> operations) throws IOException {
        json.writeArrayFieldStart("operations");
        if (!operations.isEmpty()) {
            for (OperationStatus operation : operations) {
                json.writeStartObject();
                string("name", operation.name());
                duration("elapsed_ms", operation.elapsed());
                bool("stuck", operation.stuck());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private void write(Map<String, MetricValue> metrics) throws IOException {
        json.writeObjectFieldStart("metrics");
        if (!metrics.isEmpty()) {
            for (Map.Entry<String, MetricValue> metric : metrics.entrySet()) {
                json.writeFieldName(name(metric.getKey()));
                write(metric.getValue());
            }
        }
        json.writeEndObject();
    }

    private void write(@Nullable CancelReason reason) throws IOException {
        if (reason != null) {
            json.writeObjectFieldStart("cancel_reason");
            lowerCase("kind", reason.kind());
            string("message", reason.message());
            string("source", reason.source());
            json.writeEndObject();
        }
    }

    void write(FinishedContext finished) throws IOException {
        json.writeStartObject();
        integer("id", finished.id());
        string("path", finished.path().toString());
        string("label", finished.label());
        lowerCase("kind", finished.kind());
        string("started_at", finished.startedAt().toString());
        string("ended_at", finished.endedAt().toString());
        duration("duration_ms", finished.duration());
        if (finished.outcome() instanceof FinishedContext.Failed failed) {
            string("outcome", StatusJson.FAILED);
            string("message", failed.message());
        } else if (finished.outcome() instanceof FinishedContext.Cancelled cancelled) {
            string("outcome", StatusJson.CANCELLED);
            write(cancelled.reason());
        } else {
            string("outcome", StatusJson.COMPLETED);
        }
        counters("path_total_counters", finished.pathTotals());
        write(finished.caller());
        if (finished.traceId() != null) {
            string("trace_id", finished.traceId());
        }
        json.writeEndObject();
    }

    void writeBaselines(Map<String, OperationBaseline> baselines) throws IOException {
        json.writeStartObject();
        for (Map.Entry<String, OperationBaseline> usual : baselines.entrySet()) {
            json.writeObjectFieldStart(name(usual.getKey()));
            integer("count", usual.getValue().count());
            duration("p50_ms", usual.getValue().p50());
            duration("p99_ms", usual.getValue().p99());
            duration("max_ms", usual.getValue().max());
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    private void windows(List<CounterWindows> all) throws IOException {
        json.writeArrayFieldStart("counter_windows");
        for (CounterWindows windows : all) {
            write(windows);
        }
        json.writeEndArray();
    }

    void write(CounterWindows windows) throws IOException {
        json.writeStartObject();
        string("path", windows.path().toString());
        string("counter", windows.counter());
        integer("last_second", windows.lastSecond());
        integer("last_minute", windows.lastMinute());
        integer("last_hour", windows.lastHour());
        integer("last_day", windows.lastDay());
        integer("since_start", windows.sinceStart());
        number("rate_per_second", windows.ratePerSecond());
        duration("watched_ms", windows.watched());
        json.writeEndObject();
    }

    private void write(MetricValue metric) throws IOException {
        json.writeStartObject();
        if (metric instanceof MetricValue.Counter counter) {
            string("type", "counter");
            integer("value", counter.value());
        } else if (metric instanceof MetricValue.Gauge gauge) {
            string("type", "gauge");
            json.writeNumberField("value", gauge.value());
        } else if (metric instanceof MetricValue.Duration duration) {
            string("type", "duration");
            duration("value_ms", duration.value());
        } else if (metric instanceof MetricValue.Text text) {
            string("type", "text");
            string("value", text.value());
        } else if (metric instanceof MetricValue.Bytes bytes) {
            string("type", "bytes");
            integer("value", bytes.value());
        }
        json.writeEndObject();
    }

    void write(LockStatus lock) throws IOException {
        json.writeStartObject();
        string("name", lock.name());
        integer("lock_id", lock.lockId());
        string("lock_type", lock.lockType().text());
        mode(lock.mode());
        if (lock.lockType() == LockType.SEMAPHORE) {
            integer("permits", lock.permits());
            integer("permits_total", lock.totalPermits());
        }
        string("held_by_context", lock.heldByContext());
        integer("holder_id", lock.holderId());
        string("holder_path", lock.holderPath().toString());
        duration("held_duration_ms", lock.heldDuration());
        integer("fence", lock.fence());
        integer("waiters", lock.waiters());
        bool("long_held", lock.longHeld());
        string("held_at", lock.heldAt());
        if (!lock.told()) {
            bool("told", false);
        }
        json.writeEndObject();
    }

    /** A mutex has but one. */
    void mode(LockMode mode) throws IOException {
        if (mode != LockMode.EXCLUSIVE) {
            string("mode", mode.text());
        }
    }

    void write(LockWaiter waiter) throws IOException {
        json.writeStartObject();
        string("context_name", waiter.contextName());
        integer("context_id", waiter.contextId());
        string("context_path", waiter.contextPath().toString());
        string("lock_name", waiter.lockName());
        integer("lock_id", waiter.lockId());
        mode(waiter.mode());
        if (waiter.mode() == LockMode.PERMITS) {
            integer("permits", waiter.permits());
        }
        if (waiter.position() > 0) {
            integer("position", waiter.position());
        }
        duration("waiting_duration_ms", waiter.waitingDuration());
        bool("stuck", waiter.stuck());
        string("waits_at", waiter.waitsAt());
        json.writeEndObject();
    }

    void write(StatusWarning warning) throws IOException {
        json.writeStartObject();
        string("id", warning.id());
        lowerCase("severity", warning.severity());
        string("message", warning.message());
        string("context_path", warning.contextPath());
        if (warning.contextId() != 0) {
            integer("context_id", warning.contextId());
        }
        string("next", warning.next());
        duration("since_ms", warning.since());
        json.writeEndObject();
    }

    private void counters(String name, Map<String, Long> counters) throws IOException {
        json.writeObjectFieldStart(name);
        if (!counters.isEmpty()) {
            for (Map.Entry<String, Long> counter : counters.entrySet()) {
                json.writeNumberField(name(counter.getKey()), counter.getValue());
                if (JsonLimits.isInexact(counter.getValue())) {
                    textBeside(counter.getKey(), counter.getValue(), counters);
                }
            }
        }
        json.writeEndObject();
    }

    /** Writes a datum. Recursion is bounded by {@link JsonLimits#DATA_DEPTH}. */
    private void datum(@Nullable Object value, int depth) throws IOException {
        if (value == null) {
            json.writeNull();
        } else if (value instanceof Boolean flag) {
            json.writeBoolean(flag);
        } else if (value instanceof Number number) {
            number(number);
        } else if (value instanceof Map<?, ?> map && depth < JsonLimits.DATA_DEPTH) {
            map(map, depth);
        } else if (value instanceof List<?> list && depth < JsonLimits.DATA_DEPTH) {
            json.writeStartArray();
            for (Object element : list) {
                datum(element, depth + 1);
            }
            json.writeEndArray();
        } else if (value instanceof Map || value instanceof List) {
            json.writeString("(nested too deep)");
        } else {
            json.writeString(wellFormed(String.valueOf(value), JsonLimits.STRING_LENGTH));
        }
    }

    private void map(Map<?, ?> map, int depth) throws IOException {
        json.writeStartObject();
        if (!map.isEmpty()) {
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                String key = String.valueOf(entry.getKey());
                json.writeFieldName(name(key));
                datum(entry.getValue(), depth + 1);
                BigInteger integer = integer(entry.getValue());
                if (integer != null && integer.bitLength() > 53 && fits(integer.toString())) {
                    textBeside(key, integer, map);
                }
            }
        }
        json.writeEndObject();
    }

    private void number(Number number) throws IOException {
        BigInteger integer = integer(number);
        if (integer != null) {
            String digits = integer.toString();
            if (fits(digits)) {
                json.writeNumber(integer);
            } else {
                json.writeString(digits);
            }
        } else if (number instanceof BigDecimal decimal) {
            String digits = decimal.toString();
            if (fits(digits)) {
                json.writeNumber(digits);
            } else {
                json.writeString(digits);
            }
        } else if (number instanceof Float f && Float.isFinite(f)) {
            json.writeNumber(f);
        } else {
            json.writeNumber(number.doubleValue()); // not-a-number and the infinities become text
        }
    }

    private static @Nullable BigInteger integer(@Nullable Object value) {
        if (value instanceof BigInteger big) {
            return big;
        }
        boolean fractional = value instanceof Double || value instanceof Float || value instanceof BigDecimal;
        return value instanceof Number number && !fractional && number.doubleValue() == number.longValue()
                ? BigInteger.valueOf(number.longValue())
                : null;
    }

    private static boolean fits(String digits) {
        return digits.length() <= JsonLimits.NUMBER_LENGTH;
    }

    private void textBeside(String key, Object value, Map<?, ?> map) throws IOException {
        String beside = key + "_text";
        if (!map.containsKey(beside)) {
            json.writeStringField(name(beside), value.toString());
        }
    }

    void integer(String name, @Nullable Long value) throws IOException {
        if (value != null) {
            integer(name, value.longValue());
        }
    }

    void integer(String name, long value) throws IOException {
        json.writeNumberField(name, value);
        if (JsonLimits.isInexact(value)) {
            json.writeStringField(name + "_text", Long.toString(value));
        }
    }

    private void number(String name, @Nullable Double value) throws IOException {
        if (value != null && Double.isFinite(value)) {
            json.writeNumberField(name, value);
        }
    }

    void duration(String name, @Nullable Duration value) throws IOException {
        if (value != null) {
            integer(name, millis(value));
        }
    }

    private static long millis(Duration duration) {
        try {
            return duration.toMillis();
        } catch (ArithmeticException longerThanTime) {
            return duration.isNegative() ? 0 : Long.MAX_VALUE;
        }
    }

    void string(String name, @Nullable String value) throws IOException {
        if (value != null) {
            json.writeStringField(name, wellFormed(value, JsonLimits.STRING_LENGTH));
        }
    }

    void bool(String name, boolean value) throws IOException {
        json.writeBooleanField(name, value);
    }

    /** Writes what {@code string} writes of the dotted form, without making that text for each of many contexts. */
    private void path() throws IOException {
        for (int i = 0; i < pathLength; i++) {
            if (pathLength > JsonLimits.STRING_LENGTH || Character.isSurrogate(path.chars()[i])) {
                string("path", new String(path.chars(), 0, pathLength));
                return;
            }
        }
        json.writeFieldName("path");
        json.writeString(path.chars(), 0, pathLength);
    }

    /** The names of constants are ASCII, and shorter than a word may be. */
    void lowerCase(String name, Enum<?> value) throws IOException {
        String upper = value.name();
        for (int i = 0; i < upper.length(); i++) {
            word[i] = Character.toLowerCase(upper.charAt(i));
        }
        json.writeFieldName(name);
        json.writeString(word, 0, upper.length());
    }

    private static String name(String name) {
        return wellFormed(name, LONGEST_NAME);
    }

    /** {@return the text without lone surrogates, which UTF-8 cannot say, and no longer than a reader accepts} */
    static String wellFormed(String text, int longest) {
        String shown = text;
        if (text.length() > longest) {
            String missing = "... (" + text.length() + " characters)";
            shown = text.substring(0, longest - missing.length()) + missing;
        }
        StringBuilder repaired = null;
        for (int i = 0; i < shown.length(); i++) {
            if (!Character.isSurrogate(shown.charAt(i))) {
                continue;
            }
            if (Character.isSupplementaryCodePoint(shown.codePointAt(i))) {
                i++;
            } else {
                repaired = repaired == null ? new StringBuilder(shown) : repaired;
                repaired.setCharAt(i, '\ufffd');
            }
        }
        return repaired == null ? shown : repaired.toString();
    }

    /** A context whose children are being written. */
    private record Open(Iterator<ContextStatus> children, FoldedChildren folded) {}

    /** An indent that stops growing, so that the text of a deep tree grows with its rows and not with their square. */
    private static final class BoundedIndenter implements DefaultPrettyPrinter.Indenter {
        static final BoundedIndenter INSTANCE = new BoundedIndenter();
        private static final int DEEPEST = 60;

        @Override
        public void writeIndentation(JsonGenerator json, int level) throws IOException {
            json.writeRaw('\n');
            json.writeRaw("  ".repeat(Math.min(level, DEEPEST)));
        }

        @Override
        public boolean isInline() {
            return false;
        }
    }
}
