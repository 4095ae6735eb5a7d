package com.fastn.context.status;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Explanations, deadlocks and episodes as JSON tokens. */
final class CauseJsonWriter {
    private final StatusJsonWriter to;
    private final JsonGenerator json;

    CauseJsonWriter(StatusJsonWriter to, JsonGenerator json) {
        this.to = to;
        this.json = json;
    }

    void write(Causes causes) throws IOException {
        json.writeStartObject();
        json.writeArrayFieldStart("deadlocks");
        for (DeadlockReport report : causes.deadlocks()) {
            json.writeStartObject();
            fields(report);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("blocked");
        for (BlockedPlace place : causes.blocked()) {
            write(place);
        }
        json.writeEndArray();
        if (!causes.episodes().isEmpty()) {
            json.writeArrayFieldStart("episodes");
            for (WaitEpisode episode : causes.episodes()) {
                json.writeStartObject();
                fields(episode);
            }
            json.writeEndArray();
        }
        json.writeEndObject();
    }

    void write(Explanation explanation) throws IOException {
        to.begin(StatusJson.EXPLANATION_KIND);
        write("stuck", explanation.stuck());
        json.writeArrayFieldStart("chain");
        for (Cause cause : explanation.chain()) {
            write(cause);
        }
        json.writeEndArray();
        write(explanation.root());
        to.integer("freed", explanation.freed());
        texts("first_freed", explanation.firstFreed());
        to.string("headline", explanation.headline());
        json.writeEndObject();
    }

    void write(DeadlockReport report) throws IOException {
        to.begin(StatusJson.DEADLOCK_KIND);
        fields(report);
    }

    void write(WaitEpisode episode) throws IOException {
        to.begin(StatusJson.EPISODE_KIND);
        fields(episode);
    }

    private void fields(DeadlockReport report) throws IOException {
        to.bool("proven", report.proven());
        to.string("found_at", report.foundAt().toString());
        to.integer("size", report.size());
        to.duration("resolves_within_ms", report.resolvesWithin());
        to.string("cycle", report.cycle());
        json.writeArrayFieldStart("parties");
        for (DeadlockReport.Party party : report.parties()) {
            json.writeStartObject();
            write("context", party.context());
            to.string("waits_for", party.waitsFor());
            to.integer("lock_id", party.lockId());
            to.string("lock_type", party.lockType().text());
            mode(party.mode());
            permits(party.permits(), party.totalPermits());
            to.duration("waited_ms", party.waited());
            to.duration("times_out_in_ms", party.timesOutIn());
            to.string("waits_at", party.waitsAt());
            DeadlockReport.Ahead ahead = party.ahead();
            if (ahead != null) {
                json.writeObjectFieldStart("ahead");
                write("context", ahead.context());
                mode(ahead.mode());
                to.duration("waited_ms", ahead.waited());
                json.writeEndObject();
            }
            json.writeArrayFieldStart("holds");
            for (DeadlockReport.Hold hold : party.holds()) {
                json.writeStartObject();
                to.string("lock_name", hold.lockName());
                to.integer("lock_id", hold.lockId());
                to.string("lock_type", hold.lockType().text());
                mode(hold.mode());
                permits(hold.permits(), hold.totalPermits());
                to.duration("held_ms", hold.held());
                to.bool("scoped", hold.scoped());
                to.string("held_at", hold.heldAt());
                if (hold.by() != null) {
                    write("by", hold.by());
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void mode(@Nullable LockMode mode) throws IOException {
        if (mode != null) {
            to.mode(mode);
        }
    }

    private void permits(int some, int total) throws IOException {
        if (some > 0) {
            to.integer("permits", some);
        }
        if (total > 0) {
            to.integer("total_permits", total);
        }
    }

    private void fields(WaitEpisode episode) throws IOException {
        to.string("start", episode.start().toString());
        to.string("end", episode.end() == null ? null : episode.end().toString());
        to.duration("lasted_ms", episode.lasted());
        to.lowerCase("cause", episode.kind());
        to.string("name", episode.name());
        write("root", episode.root());
        to.string("root_text", episode.rootText());
        to.integer("most_waiters", episode.mostWaiters());
        json.writeEndObject();
    }

    private void write(BlockedPlace place) throws IOException {
        json.writeStartObject();
        to.lowerCase("cause", place.kind());
        to.string("name", place.name());
        to.duration("since_ms", place.since());
        to.string("at", place.at());
        to.ids("busy", place.busy());
        to.ids("waiting", place.waiting());
        to.integer("queued", place.queued());
        if (place.unknown() != 0) {
            to.integer("unknown", place.unknown());
        }
        json.writeEndObject();
    }

    private void write(Cause cause) throws IOException {
        json.writeStartObject();
        to.lowerCase("cause", cause.kind());
        to.string("name", cause.name());
        if (cause.lockId() != 0) {
            to.integer("lock_id", cause.lockId());
        }
        write("waiter", cause.waiter());
        to.duration("waited_ms", cause.waited());
        write("next", cause.next());
        to.duration("held_ms", cause.held());
        to.string("waits", cause.waits());
        to.string("found", cause.found());
        json.writeEndObject();
    }

    private void write(RootCause root) throws IOException {
        json.writeObjectFieldStart("root");
        write("context", root.context());
        to.lowerCase("cause", root.kind());
        to.string("name", root.name());
        to.duration("since_ms", root.since());
        to.string("text", root.text());
        texts("stack", root.stack());
        json.writeEndObject();
    }

    private void write(String name, ContextRef context) throws IOException {
        json.writeObjectFieldStart(name);
        to.write(context.node());
        to.integer("id", context.contextId());
        to.string("path", context.path());
        to.string("label", context.label());
        to.string("short_name", context.shortName());
        json.writeEndObject();
    }

    private void texts(String name, List<String> texts) throws IOException {
        json.writeArrayFieldStart(name);
        for (String text : texts) {
            json.writeString(StatusJsonWriter.wellFormed(text, JsonLimits.STRING_LENGTH));
        }
        json.writeEndArray();
    }
}
