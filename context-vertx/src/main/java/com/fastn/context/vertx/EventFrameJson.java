package com.fastn.context.vertx;

import com.fastn.context.event.ContextEvent;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The form in which frames leave their node: whoever hears them there may have no class of ours. */
final class EventFrameJson {
    /** More go in several messages, so that none holds up what else travels between two nodes. */
    static final int MOST_EVENTS = 1_000;

    private EventFrameJson() {}

    /** Events that were dropped are told by the first message. */
    static List<JsonObject> of(EventFrame frame) {
        List<JsonObject> parts = new ArrayList<>();
        List<ContextEvent> events = frame.events();
        int from = 0;
        do {
            int to = Math.min(events.size(), from + MOST_EVENTS);
            JsonArray told = new JsonArray();
            events.subList(from, to).forEach(event -> told.add(of(event)));
            parts.add(new JsonObject()
                    .put("kind", "event_frame")
                    .put("schema", 1)
                    .put("min_schema", 1)
                    .put("node", new JsonObject().put("alias", frame.node()).put("incarnation", frame.incarnation()))
                    .put("first_sequence", frame.firstSequence() + from)
                    .put("dropped", from == 0 ? frame.dropped() : 0)
                    .put("events", told));
            from = to;
        } while (from < events.size());
        return parts;
    }

    private static JsonObject of(ContextEvent event) {
        if (event instanceof ContextEvent.Opened opened) {
            return told("opened", opened).put("parent_id", opened.parentId()).put("context_kind", word(opened.kind()));
        }
        if (event instanceof ContextEvent.Cancelled cancelled) {
            return told("cancelled", cancelled)
                    .put(
                            "reason",
                            new JsonObject()
                                    .put("kind", word(cancelled.reason().kind()))
                                    .put("message", cancelled.reason().message())
                                    .put("source", cancelled.reason().source()));
        }
        if (event instanceof ContextEvent.Closed closed) {
            return told("closed", closed);
        }
        if (event instanceof ContextEvent.Changed changed) {
            return told("changed", changed).put("key", changed.key());
        }
        if (event instanceof ContextEvent.OperationStarted started) {
            return told("operation_started", started).put("operation", started.operation());
        }
        if (event instanceof ContextEvent.OperationEnded ended) {
            return told("operation_ended", ended)
                    .put("operation", ended.operation())
                    .put("elapsed_ms", ended.elapsedNanos() / 1_000_000);
        }
        if (event instanceof ContextEvent.CounterChanged counted) {
            return told("counter_changed", counted)
                    .put("counter", counted.counter())
                    .put("total", counted.total())
                    .put("live", counted.live());
        }
        if (event instanceof ContextEvent.LockHeld held) {
            return lock("lock_held", held).put("fence", held.fence());
        }
        if (event instanceof ContextEvent.LockReleased released) {
            return lock("lock_released", released).put("fence", released.fence());
        }
        return event instanceof ContextEvent.WaitStarted started
                ? lock("wait_started", started)
                : lock("wait_ended", (ContextEvent.WaitEnded) event);
    }

    private static JsonObject lock(String what, ContextEvent.Lock event) {
        return told(what, event)
                .put("lock_id", event.lockId())
                .put("lock_name", event.lockName())
                .put("lock_type", event.lockType().text());
    }

    private static JsonObject told(String what, ContextEvent event) {
        return new JsonObject()
                .put("event", what)
                .put("context_id", event.contextId())
                .put("path", event.path().toString());
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
