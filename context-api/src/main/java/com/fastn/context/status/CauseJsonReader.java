package com.fastn.context.status;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Explanations, deadlocks and episodes out of JSON tokens. */
final class CauseJsonReader {
    private final StatusJsonReader from;

    CauseJsonReader(StatusJsonReader from) {
        this.from = from;
    }

    Causes causes() throws IOException {
        List<DeadlockReport> deadlocks = new ArrayList<>();
        List<BlockedPlace> blocked = new ArrayList<>();
        List<WaitEpisode> episodes = new ArrayList<>();
        from.requireObject("causes");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "deadlocks" -> from.list(name, () -> deadlocks.add(deadlock(false)));
                case "blocked" -> from.list(name, () -> blocked.add(place()));
                case "episodes" -> from.list(name, () -> episodes.add(episode(false)));
                default -> from.skip();
            }
        }
        return new Causes(deadlocks, blocked, episodes);
    }

    Explanation explanation() throws IOException {
        ContextRef stuck = null;
        List<Cause> chain = new ArrayList<>();
        RootCause root = null;
        long freed = 0;
        List<String> firstFreed = new ArrayList<>();
        from.requireObject("the document");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "kind" -> from.requireKind(from.string(name));
                case "min_schema" -> StatusJsonReader.requireKnown(from.longValue(name));
                case "stuck" -> stuck = context(name);
                case "chain" -> from.list(name, () -> chain.add(cause()));
                case "root" -> root = root();
                case "freed" -> freed = from.smallCount(name);
                case "first_freed" -> from.list(name, () -> firstFreed.add(text("first_freed")));
                default -> from.skip();
            }
        }
        return new Explanation(from.required(stuck, "stuck"), chain, from.required(root, "root"), freed, firstFreed);
    }

    DeadlockReport deadlock(boolean document) throws IOException {
        Boolean proven = null;
        Instant foundAt = null;
        int size = 0;
        Duration resolves = null;
        List<DeadlockReport.Party> parties = new ArrayList<>();
        from.requireObject("a deadlock");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "kind" -> requireKind(name, document);
                case "min_schema" -> StatusJsonReader.requireKnown(from.longValue(name));
                case "proven" -> proven = from.bool(name);
                case "found_at" -> foundAt = from.instant(name);
                case "size" -> size = from.smallCount(name);
                case "resolves_within_ms" -> resolves = from.duration(name);
                case "parties" -> from.list(name, () -> parties.add(party()));
                default -> from.skip();
            }
        }
        return new DeadlockReport(
                from.required(proven, "proven"), from.required(foundAt, "found_at"), parties, size, resolves);
    }

    private DeadlockReport.Party party() throws IOException {
        ContextRef context = null;
        String waitsFor = null;
        Long lockId = null;
        LockType type = null;
        Duration waited = null;
        LockMode mode = null;
        int permits = 0;
        int total = 0;
        Duration timesOut = null;
        String at = null;
        DeadlockReport.Ahead ahead = null;
        List<DeadlockReport.Hold> holds = new ArrayList<>();
        from.requireObject("a party");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "context" -> context = context(name);
                case "waits_for" -> waitsFor = from.string(name);
                case "lock_id" -> lockId = from.longValue(name);
                case "lock_type" -> type = from.lockType(name);
                case "mode" -> mode = from.lockMode(name);
                case "permits" -> permits = from.smallCount(name);
                case "total_permits" -> total = from.smallCount(name);
                case "waited_ms" -> waited = from.duration(name);
                case "times_out_in_ms" -> timesOut = from.duration(name);
                case "waits_at" -> at = from.string(name);
                case "ahead" -> ahead = ahead();
                case "holds" -> from.list(name, () -> holds.add(hold()));
                default -> from.skip();
            }
        }
        return new DeadlockReport.Party(
                from.required(context, "context"),
                holds,
                from.required(waitsFor, "waits_for"),
                from.required(lockId, "lock_id"),
                from.required(type, "lock_type"),
                mode,
                permits,
                total,
                from.required(waited, "waited_ms"),
                timesOut,
                at,
                ahead);
    }

    private DeadlockReport.Ahead ahead() throws IOException {
        ContextRef context = null;
        LockMode mode = LockMode.EXCLUSIVE;
        Duration waited = null;
        from.requireObject("who is first in line");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "context" -> context = context(name);
                case "mode" -> mode = from.lockMode(name);
                case "waited_ms" -> waited = from.duration(name);
                default -> from.skip();
            }
        }
        return new DeadlockReport.Ahead(from.required(context, "context"), mode, from.required(waited, "waited_ms"));
    }

    private DeadlockReport.Hold hold() throws IOException {
        String lockName = null;
        Long lockId = null;
        LockType type = null;
        LockMode mode = null;
        int permits = 0;
        int total = 0;
        Duration held = null;
        boolean scoped = false;
        String at = null;
        ContextRef by = null;
        from.requireObject("a hold");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "lock_name" -> lockName = from.string(name);
                case "lock_id" -> lockId = from.longValue(name);
                case "lock_type" -> type = from.lockType(name);
                case "mode" -> mode = from.lockMode(name);
                case "permits" -> permits = from.smallCount(name);
                case "total_permits" -> total = from.smallCount(name);
                case "held_ms" -> held = from.duration(name);
                case "scoped" -> scoped = from.bool(name);
                case "held_at" -> at = from.string(name);
                case "by" -> by = context(name);
                default -> from.skip();
            }
        }
        return new DeadlockReport.Hold(
                from.required(lockName, "lock_name"),
                from.required(lockId, "lock_id"),
                from.required(type, "lock_type"),
                mode,
                permits,
                total,
                from.required(held, "held_ms"),
                scoped,
                at,
                by);
    }

    WaitEpisode episode(boolean document) throws IOException {
        Instant start = null;
        Instant end = null;
        Duration lasted = null;
        CauseKind kind = null;
        String of = "";
        ContextRef root = null;
        String rootText = "";
        int most = 0;
        from.requireObject("an episode");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "kind" -> requireKind(name, document);
                case "min_schema" -> StatusJsonReader.requireKnown(from.longValue(name));
                case "start" -> start = from.instant(name);
                case "end" -> end = from.isNull() ? null : from.instant(name);
                case "lasted_ms" -> lasted = from.duration(name);
                case "cause" -> kind = from.oneOf(name, CauseKind.values());
                case "name" -> of = text(name);
                case "root" -> root = context(name);
                case "root_text" -> rootText = text(name);
                case "most_waiters" -> most = from.smallCount(name);
                default -> from.skip();
            }
        }
        return new WaitEpisode(
                from.required(start, "start"),
                end,
                from.required(lasted, "lasted_ms"),
                from.required(kind, "cause"),
                of,
                from.required(root, "root"),
                rootText,
                most);
    }

    private BlockedPlace place() throws IOException {
        CauseKind kind = null;
        String of = null;
        Duration since = null;
        String at = "";
        List<Long> busy = new ArrayList<>();
        List<Long> waiting = new ArrayList<>();
        int queued = 0;
        int unknown = 0;
        from.requireObject("a blocked place");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "cause" -> kind = from.oneOf(name, CauseKind.values());
                case "name" -> of = from.string(name);
                case "since_ms" -> since = from.duration(name);
                case "at" -> at = text(name);
                case "busy" -> from.list(name, () -> busy.add(from.longValue("busy")));
                case "waiting" -> from.list(name, () -> waiting.add(from.longValue("waiting")));
                case "queued" -> queued = from.smallCount(name);
                case "unknown" -> unknown = from.smallCount(name);
                default -> from.skip();
            }
        }
        return new BlockedPlace(
                from.required(kind, "cause"),
                from.required(of, "name"),
                from.required(since, "since_ms"),
                at,
                busy,
                waiting,
                queued,
                unknown);
    }

    private Cause cause() throws IOException {
        CauseKind kind = null;
        String of = "";
        long lockId = 0;
        ContextRef waiter = null;
        Duration waited = Duration.ZERO;
        ContextRef next = null;
        Duration held = Duration.ZERO;
        String waits = "";
        String found = "";
        from.requireObject("a cause");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "cause" -> kind = from.oneOf(name, CauseKind.values());
                case "name" -> of = text(name);
                case "lock_id" -> lockId = from.longValue(name);
                case "waiter" -> waiter = context(name);
                case "waited_ms" -> waited = from.duration(name);
                case "next" -> next = context(name);
                case "held_ms" -> held = from.duration(name);
                case "waits" -> waits = text(name);
                case "found" -> found = text(name);
                default -> from.skip();
            }
        }
        return new Cause(
                from.required(kind, "cause"),
                of,
                lockId,
                from.required(waiter, "waiter"),
                waited,
                from.required(next, "next"),
                held,
                waits,
                found);
    }

    private RootCause root() throws IOException {
        ContextRef context = null;
        CauseKind kind = null;
        String of = "";
        Duration since = Duration.ZERO;
        String text = "";
        List<String> stack = new ArrayList<>();
        from.requireObject("root");
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "context" -> context = context(name);
                case "cause" -> kind = from.oneOf(name, CauseKind.values());
                case "name" -> of = text(name);
                case "since_ms" -> since = from.duration(name);
                case "text" -> text = text(name);
                case "stack" -> from.list(name, () -> stack.add(text("stack")));
                default -> from.skip();
            }
        }
        return new RootCause(from.required(context, "context"), from.required(kind, "cause"), of, since, text, stack);
    }

    private ContextRef context(String what) throws IOException {
        NodeIdentity node = null;
        Long id = null;
        String path = null;
        String label = null;
        String shortName = null;
        from.requireObject(what);
        for (String name = from.nextField(); name != null; name = from.nextField()) {
            switch (name) {
                case "node" -> node = from.identity();
                case "id" -> id = from.longValue(name);
                case "path" -> path = from.string(name);
                case "label" -> label = from.string(name);
                case "short_name" -> shortName = from.string(name);
                default -> from.skip();
            }
        }
        return new ContextRef(
                from.required(node, "node"),
                from.required(id, "id"),
                from.required(path, "path"),
                from.required(label, "label"),
                from.required(shortName, "short_name"));
    }

    private void requireKind(String name, boolean document) throws IOException {
        String kind = from.string(name);
        if (document) {
            from.requireKind(kind);
        }
    }

    private String text(String name) throws IOException {
        @Nullable String text = from.string(name);
        return text == null ? "" : text;
    }
}
