package com.fastn.context.status;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The records out of a stream of JSON tokens from somebody who is not trusted. The tree is read without recursion. */
final class StatusJsonReader extends JsonTokens {
    private static final String REASON_NOT_TOLD = "reason not told";

    private final StatusJson.ReadLimits limits;
    private final String wanted;
    private final ContextValuesReader values = new ContextValuesReader(this);

    private StatusJsonReader(JsonParser json, StatusJson.ReadLimits limits, String wanted) {
        super(json);
        this.limits = limits;
        this.wanted = wanted;
    }

    /** What to read from the start of a document. */
    interface Document<T> {
        T read(StatusJsonReader reader) throws IOException;
    }

    static <T> T read(String text, StatusJson.ReadLimits limits, String kind, Document<T> document) {
        requireNonNull(text, "json");
        requireNonNull(limits, "limits");
        requireShort(text.length(), limits);
        try (JsonParser json = factory(limits).createParser(text)) {
            StatusJsonReader reader = new StatusJsonReader(json, limits, kind);
            json.nextToken();
            T result = document.read(reader);
            if (json.nextToken() != null) {
                throw reader.malformed("there is more behind its end");
            }
            return result;
        } catch (StreamConstraintsException e) {
            throw tooLarge(quote(e.getOriginalMessage()));
        } catch (JsonProcessingException e) {
            throw malformedJson(quote(e.getOriginalMessage()));
        } catch (IOException e) {
            throw malformedJson(quote(String.valueOf(e.getMessage())));
        }
    }

    StatusSnapshot snapshotDocument() throws IOException {
        StatusSnapshot snapshot = snapshot();
        if (snapshot == null) {
            throw new StatusFormatException(
                    StatusFormatException.Kind.UPGRADE_NEEDED,
                    WHAT,
                    "it wants a newer reader than schema " + StatusJson.SCHEMA,
                    "upgrade this side");
        }
        return snapshot;
    }

    SnapshotDelta deltaDocument() throws IOException {
        NodeIdentity node = null;
        Instant timestamp = null;
        Instant baseTimestamp = null;
        Long baseVersion = null;
        Long version = null;
        Duration elapsed = Duration.ZERO;
        SystemMetrics metrics = null;
        List<SnapshotDelta.Change> changed = new ArrayList<>();
        List<Long> removed = new ArrayList<>();
        Map<Long, List<Long>> orders = new LinkedHashMap<>();
        List<LockStatus> locks = null;
        List<LockWaiter> waiters = null;
        List<StatusWarning> warnings = null;
        List<FinishedContext> recent = null;
        int recentKept = 0;
        List<Integer> recentDropped = new ArrayList<>();
        Map<String, OperationBaseline> baselines = new LinkedHashMap<>();
        List<String> removedBaselines = new ArrayList<>();
        List<CounterWindows> windows = null;
        Causes causes = null;
        requireObject("the document");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "kind" -> requireKind(string(name));
                case "min_schema" -> requireKnown(longValue(name));
                case "node" -> node = identity();
                case "timestamp" -> timestamp = instant(name);
                case "base_timestamp" -> baseTimestamp = instant(name);
                case "base_version" -> baseVersion = longValue(name);
                case "version" -> version = longValue(name);
                case "elapsed_ns" -> elapsed = Duration.ofNanos(count(name));
                case "system_metrics" -> metrics = isNull() ? null : new SystemMetricsReader(this).read();
                case "changed" -> list(name, () -> changed.add(change()));
                case "removed" -> list(name, () -> removed.add(longValue("removed")));
                case "orders" -> list(name, () -> order(orders));
                case "active_locks" -> {
                    List<LockStatus> read = new ArrayList<>();
                    list(name, () -> read.add(lock()));
                    locks = read;
                }
                case "lock_waiters" -> {
                    List<LockWaiter> read = new ArrayList<>();
                    list(name, () -> read.add(waiter()));
                    waiters = read;
                }
                case "warnings" -> {
                    List<StatusWarning> read = new ArrayList<>();
                    list(name, () -> read.add(warning()));
                    warnings = read;
                }
                case "recent" -> {
                    List<FinishedContext> read = new ArrayList<>();
                    list(name, () -> read.add(finished()));
                    recent = read;
                }
                case "recent_kept" -> recentKept = smallCount(name);
                case "recent_dropped" -> list(name, () -> recentDropped.add(smallCount("recent_dropped")));
                case "operation_baselines" -> baselines(baselines);
                case "removed_baselines" ->
                    list(name, () -> removedBaselines.add(required(string("removed_baselines"), "a name")));
                case "counter_windows" -> {
                    List<CounterWindows> read = new ArrayList<>();
                    list(name, () -> read.add(counterWindows()));
                    windows = read;
                }
                case "causes" -> causes = causes();
                default -> json.skipChildren();
            }
        }
        return new SnapshotDelta(
                required(node, "node"),
                required(timestamp, "timestamp"),
                required(baseTimestamp, "base_timestamp"),
                required(baseVersion, "base_version"),
                required(version, "version"),
                elapsed,
                metrics,
                changed,
                removed,
                orders,
                locks,
                waiters,
                warnings,
                recent == null ? null : new SnapshotDelta.RecentChange(recent, recentKept, recentDropped),
                baselines,
                removedBaselines,
                windows,
                causes);
    }

    StatusPage pageDocument() throws IOException {
        NodeIdentity node = null;
        Instant timestamp = null;
        Long version = null;
        int total = 0;
        List<SnapshotDelta.Change> contexts = new ArrayList<>();
        String next = null;
        requireObject("the document");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "kind" -> requireKind(string(name));
                case "min_schema" -> requireKnown(longValue(name));
                case "node" -> node = identity();
                case "timestamp" -> timestamp = instant(name);
                case "version" -> version = longValue(name);
                case "total_contexts" -> total = smallCount(name);
                case "contexts" -> list(name, () -> contexts.add(change()));
                case "next" -> next = string(name);
                default -> json.skipChildren();
            }
        }
        return new StatusPage(
                required(node, "node"),
                required(timestamp, "timestamp"),
                required(version, "version"),
                total,
                contexts,
                next);
    }

    private Causes causes() throws IOException {
        return new CauseJsonReader(this).causes();
    }

    private SnapshotDelta.Change change() throws IOException {
        Long parentId = null;
        ContextStatus context = null;
        requireObject("a change");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "parent_id" -> parentId = isNull() ? null : (Long) longValue(name);
                case "context" -> context = tree();
                default -> json.skipChildren();
            }
        }
        return new SnapshotDelta.Change(parentId, required(context, "context"));
    }

    private void order(Map<Long, List<Long>> orders) throws IOException {
        Long parentId = null;
        List<Long> children = new ArrayList<>();
        requireObject("an order");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "parent_id" -> parentId = longValue(name);
                case "children" -> list(name, () -> children.add(longValue("children")));
                default -> json.skipChildren();
            }
        }
        orders.put(required(parentId, "parent_id"), children);
    }

    static void requireKnown(long schema) {
        if (schema > StatusJson.SCHEMA) {
            throw new StatusFormatException(
                    StatusFormatException.Kind.UPGRADE_NEEDED,
                    WHAT,
                    "it wants a reader of schema " + schema + ", and this one knows " + StatusJson.SCHEMA,
                    "upgrade this side");
        }
    }

    ClusterStatus clusterDocument() throws IOException {
        Instant timestamp = null;
        String answeredBy = null;
        List<NodeStatus> nodes = new ArrayList<>();
        requireObject("the document");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "kind" -> requireKind(string(name));
                case "min_schema" -> requireKnown(longValue(name));
                case "timestamp" -> timestamp = instant(name);
                case "answered_by" -> answeredBy = string(name);
                case "nodes" -> list(name, () -> nodes.add(nodeStatus()));
                default -> json.skipChildren();
            }
        }
        return new ClusterStatus(required(timestamp, "timestamp"), required(answeredBy, "answered_by"), nodes);
    }

    private NodeStatus nodeStatus() throws IOException {
        NodeIdentity node = null;
        NodeState state = null;
        Duration age = Duration.ZERO;
        String reason = null;
        NodeSummary summary = null;
        StatusSnapshot snapshot = null;
        requireObject("a node");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "node" -> node = identity();
                case "state" -> state = oneOf(name, NodeState.values());
                case "age_ms" -> age = duration(name);
                case "reason" -> reason = string(name);
                case "summary" -> summary = summary();
                case "status" -> {
                    snapshot = snapshot();
                    reason = snapshot == null ? "it speaks a newer schema: upgrade needed on this side" : reason;
                }
                default -> json.skipChildren();
            }
        }
        return new NodeStatus(required(node, "node"), required(state, "state"), age, reason, summary, snapshot);
    }

    private NodeSummary summary() throws IOException {
        long contexts = 0;
        long locksHeld = 0;
        long lockWaiters = 0;
        long warnings = 0;
        requireObject("summary");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "contexts" -> contexts = count(name);
                case "locks_held" -> locksHeld = count(name);
                case "lock_waiters" -> lockWaiters = count(name);
                case "warnings" -> warnings = count(name);
                default -> json.skipChildren();
            }
        }
        return new NodeSummary(contexts, locksHeld, lockWaiters, warnings);
    }

    /** {@return the snapshot, or {@code null} when it wants a newer reader} */
    private @Nullable StatusSnapshot snapshot() throws IOException {
        NodeIdentity node = null;
        Instant timestamp = null;
        long version = 0;
        SystemMetrics metrics = null;
        ContextStatus tree = null;
        boolean newer = false;
        List<LockStatus> locks = new ArrayList<>();
        List<LockWaiter> waiters = new ArrayList<>();
        List<StatusWarning> warnings = new ArrayList<>();
        List<FinishedContext> recent = new ArrayList<>();
        Map<String, OperationBaseline> baselines = new LinkedHashMap<>();
        List<CounterWindows> windows = new ArrayList<>();
        Causes causes = Causes.NONE;
        requireObject("the document");
        for (String name = nextField(); name != null; name = nextField()) {
            if (newer) {
                json.skipChildren(); // what it says may mean something else by now
                continue;
            }
            switch (name) {
                case "kind" -> requireSnapshotKind(string(name));
                case "min_schema" -> newer = longValue(name) > StatusJson.SCHEMA;
                case "node" -> node = identity();
                case "timestamp" -> timestamp = instant(name);
                case "version" -> version = longValue(name);
                case "system_metrics" -> metrics = isNull() ? null : new SystemMetricsReader(this).read();
                case "global_context" -> tree = tree();
                case "active_locks" -> list(name, () -> locks.add(lock()));
                case "lock_waiters" -> list(name, () -> waiters.add(waiter()));
                case "warnings" -> list(name, () -> warnings.add(warning()));
                case "recent" -> list(name, () -> recent.add(finished()));
                case "operation_baselines" -> baselines(baselines);
                case "counter_windows" -> list(name, () -> windows.add(counterWindows()));
                case "causes" -> causes = causes();
                default -> json.skipChildren();
            }
        }
        if (newer) {
            return null;
        }
        return new StatusSnapshot(
                required(node, "node"),
                required(timestamp, "timestamp"),
                version,
                metrics,
                required(tree, "global_context"),
                locks,
                waiters,
                warnings,
                recent,
                baselines,
                windows,
                causes);
    }

    void requireKind(@Nullable String kind) {
        if (!wanted.equals(kind)) {
            throw malformed("its kind is " + quote(String.valueOf(kind)) + ", not " + wanted);
        }
    }

    void skip() throws IOException {
        json.skipChildren();
    }

    private void requireSnapshotKind(@Nullable String kind) {
        if (!StatusJson.SNAPSHOT_KIND.equals(kind)) {
            throw malformed("its kind is " + quote(String.valueOf(kind)) + ", not " + StatusJson.SNAPSHOT_KIND);
        }
    }

    NodeIdentity identity() throws IOException {
        String alias = null;
        String incarnation = null;
        requireObject("node");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "alias" -> alias = string(name);
                case "incarnation" -> incarnation = string(name);
                default -> json.skipChildren();
            }
        }
        return new NodeIdentity(required(alias, "alias"), required(incarnation, "incarnation"));
    }

    private ContextStatus tree() throws IOException {
        Deque<ContextFields> open = new ArrayDeque<>();
        requireObject("global_context");
        open.addLast(new ContextFields());
        while (true) {
            ContextFields context = open.getLast();
            if (context.inChildren) {
                JsonToken token = json.nextToken();
                if (token == JsonToken.END_ARRAY) {
                    context.inChildren = false;
                    continue;
                }
                requireObject("a child");
                if (open.size() >= limits.maxTreeDepth()) {
                    throw tooLarge("its tree is deeper than " + limits.maxTreeDepth());
                }
                open.addLast(new ContextFields());
                continue;
            }
            String name = nextField();
            if (name == null) {
                ContextStatus done = context.build();
                open.removeLast();
                if (open.isEmpty()) {
                    return done;
                }
                open.getLast().children.add(done);
            } else if (name.equals("children")) {
                requireList(name);
                context.inChildren = true;
            } else {
                context.read(name);
            }
        }
    }

    private CancelReason cancelReason() throws IOException {
        CancelReason.Kind kind = null;
        String message = null;
        String source = null;
        requireObject("cancel_reason");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "kind" -> kind = oneOf(name, CancelReason.Kind.values());
                case "message" -> message = string(name);
                case "source" -> source = string(name);
                default -> json.skipChildren();
            }
        }
        return new CancelReason(required(kind, "kind"), required(message, "message"), required(source, "source"));
    }

    private CallerLink caller() throws IOException {
        String node = null;
        String incarnation = null;
        Long contextId = null;
        String path = null;
        boolean owesReply = true;
        requireObject("caller");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "node" -> node = string(name);
                case "incarnation" -> incarnation = string(name);
                case "context_id" -> contextId = longValue(name);
                case "path" -> path = string(name);
                case "owes_reply" -> owesReply = bool(name);
                default -> json.skipChildren();
            }
        }
        return new CallerLink(
                required(node, "node"),
                required(incarnation, "incarnation"),
                required(contextId, "context_id"),
                required(path, "path"),
                owesReply);
    }

    private OperationStatus operation() throws IOException {
        String operation = null;
        Duration elapsed = null;
        boolean stuck = false;
        requireObject("an operation");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "name" -> operation = string(name);
                case "elapsed_ms" -> elapsed = duration(name);
                case "stuck" -> stuck = bool(name);
                default -> json.skipChildren();
            }
        }
        return new OperationStatus(required(operation, "name"), required(elapsed, "elapsed_ms"), stuck);
    }

    private void baselines(Map<String, OperationBaseline> baselines) throws IOException {
        requireObject("operation_baselines");
        for (String name = nextField(); name != null; name = nextField()) {
            OperationBaseline usual = baseline();
            if (usual != null) {
                baselines.put(name, usual);
            }
        }
    }

    /** {@return what is usual, or {@code null} when it is of no operation at all} */
    private @Nullable OperationBaseline baseline() throws IOException {
        long count = 0;
        Duration p50 = null;
        Duration p99 = null;
        Duration max = null;
        requireObject("a baseline");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "count" -> count = count(name);
                case "p50_ms" -> p50 = duration(name);
                case "p99_ms" -> p99 = duration(name);
                case "max_ms" -> max = duration(name);
                default -> json.skipChildren();
            }
        }
        return count < 1
                ? null
                : new OperationBaseline(
                        count, required(p50, "p50_ms"), required(p99, "p99_ms"), required(max, "max_ms"));
    }

    private CounterWindows counterWindows() throws IOException {
        ContextPath path = null;
        String counter = null;
        long lastSecond = 0;
        long lastMinute = 0;
        long lastHour = 0;
        long lastDay = 0;
        long sinceStart = 0;
        double rate = 0;
        Duration watched = Duration.ZERO;
        requireObject("windows of a counter");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "path" -> path = path(name);
                case "counter" -> counter = string(name);
                case "last_second" -> lastSecond = count(name);
                case "last_minute" -> lastMinute = count(name);
                case "last_hour" -> lastHour = count(name);
                case "last_day" -> lastDay = count(name);
                case "since_start" -> sinceStart = count(name);
                case "rate_per_second" -> rate = doubleValue(name);
                case "watched_ms" -> watched = duration(name);
                default -> json.skipChildren();
            }
        }
        return new CounterWindows(
                required(path, "path"),
                required(counter, "counter"),
                lastSecond,
                lastMinute,
                lastHour,
                lastDay,
                sinceStart,
                rate,
                watched);
    }

    private LockStatus lock() throws IOException {
        String lock = null;
        Long lockId = null;
        LockType type = null;
        LockMode mode = null;
        int permits = 1;
        int totalPermits = 1;
        String holder = null;
        Long holderId = null;
        ContextPath holderPath = null;
        Duration held = null;
        long fence = 0;
        int waiters = 0;
        boolean longHeld = false;
        String heldAt = null;
        boolean told = true;
        requireObject("a lock");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "name" -> lock = string(name);
                case "lock_id" -> lockId = longValue(name);
                case "lock_type" -> type = lockType(name);
                case "mode" -> mode = lockMode(name);
                case "permits" -> permits = smallCount(name);
                case "permits_total" -> totalPermits = smallCount(name);
                case "held_by_context" -> holder = string(name);
                case "holder_id" -> holderId = longValue(name);
                case "holder_path" -> holderPath = path(name);
                case "held_duration_ms" -> held = duration(name);
                case "fence" -> fence = longValue(name);
                case "waiters" -> waiters = smallCount(name);
                case "long_held" -> longHeld = bool(name);
                case "held_at" -> heldAt = string(name);
                case "told" -> told = bool(name);
                default -> json.skipChildren();
            }
        }
        return new LockStatus(
                required(lock, "name"),
                required(lockId, "lock_id"),
                required(type, "lock_type"),
                mode != null ? mode : LockStatus.usualMode(required(type, "lock_type")),
                permits,
                totalPermits,
                required(holder, "held_by_context"),
                required(holderId, "holder_id"),
                required(holderPath, "holder_path"),
                required(held, "held_duration_ms"),
                fence,
                waiters,
                longHeld,
                heldAt,
                told);
    }

    LockType lockType(String name) throws IOException {
        String text = required(string(name), name);
        for (LockType type : LockType.values()) {
            if (type.text().equals(text)) {
                return type;
            }
        }
        throw malformed(name + " is " + quote(text) + ", which is no kind of lock");
    }

    LockMode lockMode(String name) throws IOException {
        String text = required(string(name), name);
        for (LockMode mode : LockMode.values()) {
            if (mode.text().equals(text)) {
                return mode;
            }
        }
        throw malformed(name + " is " + quote(text) + ", which is no way to hold a lock");
    }

    private LockWaiter waiter() throws IOException {
        String context = null;
        Long contextId = null;
        ContextPath path = null;
        String lock = null;
        Long lockId = null;
        LockMode mode = LockMode.EXCLUSIVE;
        int permits = 1;
        int position = 0;
        Duration waiting = null;
        boolean stuck = false;
        String waitsAt = null;
        requireObject("a waiter");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "context_name" -> context = string(name);
                case "context_id" -> contextId = longValue(name);
                case "context_path" -> path = path(name);
                case "lock_name" -> lock = string(name);
                case "lock_id" -> lockId = longValue(name);
                case "mode" -> mode = lockMode(name);
                case "permits" -> permits = smallCount(name);
                case "position" -> position = smallCount(name);
                case "waiting_duration_ms" -> waiting = duration(name);
                case "stuck" -> stuck = bool(name);
                case "waits_at" -> waitsAt = string(name);
                default -> json.skipChildren();
            }
        }
        return new LockWaiter(
                required(context, "context_name"),
                required(contextId, "context_id"),
                required(path, "context_path"),
                required(lock, "lock_name"),
                required(lockId, "lock_id"),
                mode,
                permits,
                position,
                required(waiting, "waiting_duration_ms"),
                stuck,
                waitsAt);
    }

    private StatusWarning warning() throws IOException {
        String id = null;
        WarningSeverity severity = null;
        String message = null;
        String path = null;
        long contextId = 0;
        String next = null;
        Duration since = null;
        requireObject("a warning");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "id" -> id = string(name);
                case "severity" -> severity = oneOf(name, WarningSeverity.values());
                case "message" -> message = string(name);
                case "context_path" -> path = string(name);
                case "context_id" -> contextId = longValue(name);
                case "next" -> next = string(name);
                case "since_ms" -> since = duration(name);
                default -> json.skipChildren();
            }
        }
        return new StatusWarning(
                required(id, "id"),
                required(severity, "severity"),
                required(message, "message"),
                required(path, "context_path"),
                contextId,
                next,
                since);
    }

    private FinishedContext finished() throws IOException {
        Long id = null;
        ContextPath path = null;
        String label = null;
        ContextKind kind = null;
        Instant startedAt = null;
        Instant endedAt = null;
        Duration duration = null;
        String outcome = null;
        String message = null;
        CancelReason reason = null;
        Map<String, Long> totals = Map.of();
        CallerLink caller = null;
        String traceId = null;
        requireObject("a recent context");
        for (String name = nextField(); name != null; name = nextField()) {
            switch (name) {
                case "id" -> id = longValue(name);
                case "path" -> path = path(name);
                case "label" -> label = string(name);
                case "kind" -> kind = kind(required(string(name), name));
                case "started_at" -> startedAt = instant(name);
                case "ended_at" -> endedAt = instant(name);
                case "duration_ms" -> duration = duration(name);
                case "outcome" -> outcome = string(name);
                case "message" -> message = string(name);
                case "cancel_reason" -> reason = isNull() ? null : cancelReason();
                case "path_total_counters" -> totals = values.counters(name);
                case "caller" -> caller = isNull() ? null : caller();
                case "trace_id" -> traceId = string(name);
                default -> json.skipChildren();
            }
        }
        ContextPath where = required(path, "path");
        return new FinishedContext(
                required(id, "id"),
                where,
                label == null ? where.leaf() : label,
                required(kind, "kind"),
                required(startedAt, "started_at"),
                required(endedAt, "ended_at"),
                required(duration, "duration_ms"),
                outcome(required(outcome, "outcome"), message, reason, where),
                totals,
                caller,
                traceId);
    }

    private FinishedContext.Outcome outcome(
            String outcome, @Nullable String message, @Nullable CancelReason reason, ContextPath path) {
        return switch (outcome) {
            case StatusJson.COMPLETED -> new FinishedContext.Completed();
            case StatusJson.FAILED -> new FinishedContext.Failed(message == null ? REASON_NOT_TOLD : message);
            case StatusJson.CANCELLED ->
                new FinishedContext.Cancelled(
                        reason != null
                                ? reason
                                : new CancelReason(CancelReason.Kind.REQUESTED, REASON_NOT_TOLD, path.toString()));
            default -> throw malformed("outcome is " + quote(outcome) + ", which is not known");
        };
    }

    /** A kind that a newer peer made up is shown as something else, which is true. */
    private static ContextKind kind(String text) {
        for (ContextKind known : ContextKind.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(text)) {
                return known;
            }
        }
        return ContextKind.OTHER;
    }

    /** One that a newer peer made up is still one. */
    private static ContextTrouble trouble(@Nullable String text) {
        for (ContextTrouble known : ContextTrouble.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(text)) {
                return known;
            }
        }
        return ContextTrouble.WARNED;
    }

    /** The fields of a context that were read so far. */
    private final class ContextFields {
        private @Nullable Long id;
        private @Nullable String name;
        private @Nullable String label;
        private @Nullable ContextPath path;
        private @Nullable ContextKind kind;
        private @Nullable ContextState state;
        private boolean cancelled;
        private @Nullable CancelReason cancelReason;
        private @Nullable ContextTrouble trouble;
        private @Nullable Duration duration;
        private @Nullable Duration lastActivity;
        private @Nullable String activity;
        private boolean onThread;
        private @Nullable CallerLink caller;
        private final List<OperationStatus> operations = new ArrayList<>();
        private Map<String, MetricValue> metrics = Map.of();
        private Map<String, @Nullable Object> data = Map.of();
        private Map<String, Long> totals = Map.of();
        private Map<String, Long> lives = Map.of();
        private Map<String, Long> subtreeTotals = Map.of();
        private Map<String, Long> subtreeLives = Map.of();
        private final List<ContextStatus> children = new ArrayList<>();
        private long folded;
        private long foldedContexts;
        private Duration foldedOldest = Duration.ZERO;
        private long foldedStuck;
        private boolean inChildren;

        void read(String field) throws IOException {
            switch (field) {
                case "id" -> id = longValue(field);
                case "name" -> name = string(field);
                case "label" -> label = string(field);
                case "path" -> path = path(field);
                case "kind" -> kind = StatusJsonReader.kind(required(string(field), field));
                case "state" -> state = oneOf(field, ContextState.values());
                case "is_cancelled" -> cancelled = bool(field);
                case "cancel_reason" -> cancelReason = isNull() ? null : cancelReason();
                case "trouble" -> trouble = isNull() ? null : StatusJsonReader.trouble(string(field));
                case "duration_ms" -> duration = duration(field);
                case "last_activity_ms" -> lastActivity = duration(field);
                case "activity" -> activity = string(field);
                case "on_thread" -> onThread = bool(field);
                case "caller" -> caller = isNull() ? null : caller();
                case "operations" -> list(field, () -> operations.add(operation()));
                case "metrics" -> metrics = values.metrics();
                case "data" -> data = values.data();
                case "total_counters" -> totals = values.counters(field);
                case "live_counters" -> lives = values.counters(field);
                case "subtree_total_counters" -> subtreeTotals = values.counters(field);
                case "subtree_live_counters" -> subtreeLives = values.counters(field);
                case "folded_children" -> folded = count(field);
                case "folded_contexts" -> foldedContexts = count(field);
                case "folded_oldest_ms" -> foldedOldest = duration(field);
                case "folded_stuck" -> foldedStuck = count(field);
                default -> json.skipChildren();
            }
        }

        private FoldedChildren folded() {
            return folded == 0
                    ? FoldedChildren.NONE
                    : new FoldedChildren(folded, Math.max(folded, foldedContexts), foldedOldest, foldedStuck);
        }

        ContextStatus build() {
            String known = required(name, "name");
            ContextPath where = required(path, "path");
            CancelReason reason = cancelReason == null && cancelled
                    ? new CancelReason(CancelReason.Kind.REQUESTED, REASON_NOT_TOLD, where.toString())
                    : cancelReason;
            return new ContextStatus(
                    required(id, "id"),
                    known,
                    label == null ? known : label,
                    where,
                    required(kind, "kind"),
                    required(state, "state"),
                    reason,
                    trouble,
                    required(duration, "duration_ms"),
                    required(lastActivity, "last_activity_ms"),
                    activity,
                    onThread,
                    caller,
                    operations,
                    metrics,
                    data,
                    totals,
                    lives,
                    subtreeTotals,
                    subtreeLives,
                    children,
                    folded());
        }
    }
}
