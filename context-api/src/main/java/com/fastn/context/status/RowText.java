package com.fastn.context.status;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What stands behind a context's name in its row of the tree. */
final class RowText {
    private static final Duration IDLE_FROM = Duration.ofSeconds(1);

    private final ContextStatus context;
    private final boolean brief;
    private final List<Fact> facts = new ArrayList<>();

    private RowText(ContextStatus context, boolean brief) {
        this.context = context;
        this.brief = brief;
    }

    /** A fact between the brackets of a row. */
    record Fact(Ink ink, String text) {}

    /** {@return the facts of a row in their order} */
    static List<Fact> facts(ContextStatus context, boolean brief) {
        RowText row = new RowText(context, brief);
        row.addDuration();
        boolean busy = row.addWork();
        if (!brief) {
            row.addActivity(busy);
        }
        row.addEnd();
        if (!brief && context.caller() != null) {
            row.add(Ink.DIM, "called by " + context.caller().shortName());
        }
        return row.facts;
    }

    private void addDuration() {
        String duration = HumanText.duration(context.duration());
        ContextKind kind = context.kind();
        boolean worded = !brief || kind == ContextKind.ROOT || kind == ContextKind.SERVICE;
        if (brief && kind == ContextKind.OTHER && !context.metrics().isEmpty()) {
            return;
        }
        add(worded && !kind.stateWord().isEmpty() ? duration + " " + kind.stateWord() : duration);
    }

    /** Adds what the context works on. {@return whether there was anything to say} */
    private boolean addWork() {
        int before = facts.size();
        if (context.onThread() && !brief) {
            add(Ink.GREEN, "CPU active");
        }
        context.metrics().forEach((key, value) -> add(metric(key, value)));
        String note = note(context.data().get("note"));
        if (note != null) {
            add(note);
        }
        return facts.size() > before;
    }

    private static String metric(String key, MetricValue value) {
        if (value instanceof MetricValue.Counter counter) {
            return HumanText.count(counter.value(), key);
        }
        String words = HumanText.words(key);
        if (value instanceof MetricValue.Bytes bytes) {
            return HumanText.bytes(bytes.value()) + " "
                    + (words.startsWith("bytes ") ? words.substring("bytes ".length()) : words);
        }
        if (value instanceof MetricValue.Gauge gauge) {
            return HumanText.number(gauge.value()) + " " + words;
        }
        if (value instanceof MetricValue.Duration duration) {
            return words + " " + HumanText.duration(duration.value());
        }
        return words + ": " + ((MetricValue.Text) value).value();
    }

    private static @Nullable String note(@Nullable Object note) {
        boolean shown = note instanceof Number || note instanceof Boolean || (note instanceof String s && !s.isBlank());
        return shown ? String.valueOf(note) : null;
    }

    private void addActivity(boolean busy) {
        String since = HumanText.duration(context.lastActivity());
        String verb = context.activity();
        switch (context.kind()) {
            case ROOT, SESSION -> add("active " + since + " ago");
            case SERVICE -> add("last " + (verb == null ? "activity" : HumanText.words(verb)) + " " + since + " ago");
            default -> {
                if (verb != null) {
                    add(HumanText.words(verb) + " " + since + " ago");
                } else if (!busy
                        && context.operations().isEmpty()
                        && context.lastActivity().compareTo(IDLE_FROM) >= 0) {
                    add("idle " + since);
                }
            }
        }
    }

    private void addEnd() {
        CancelReason reason = context.cancelReason();
        if (reason != null) {
            add(Ink.YELLOW, reason.message().isBlank() ? "cancelled" : "cancelled: " + reason.message());
        }
        if (context.state() == ContextState.CLOSING) {
            add(Ink.YELLOW, "closing");
        } else if (context.state() == ContextState.CLOSED) {
            add(Ink.DIM, "closed");
        }
    }

    private void add(String text) {
        add(Ink.PLAIN, text);
    }

    private void add(Ink ink, String text) {
        facts.add(new Fact(ink, Sanitizer.clean(text)));
    }
}
