package com.fastn.verification.cluster;

import com.fastn.verification.cluster.Fleet.Member;
import com.fastn.verification.cluster.View.Row;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Takes figures of clusters on this machine and prints them as rows of a table. Its argument is what to measure: {@code detection},
 * {@code latency}, {@code stream} or {@code delta}; the second one, how often, or for how many contexts at most.
 */
final class ClusterFigures {
    private static final long LOOK_MILLIS = 20;
    private static final long MOST_NANOS = 120_000_000_000L;

    private ClusterFigures() {}

    public static void main(String[] arguments) {
        int number = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 0;
        switch (arguments[0]) {
            case "detection" -> detection(number > 0 ? number : 10);
            case "latency" -> latency(number > 0 ? number : 100_000);
            case "stream" -> stream(number > 0 ? number : 100_000);
            case "delta" ->
                delta(number > 0 ? number : 200, arguments.length > 2 ? Integer.parseInt(arguments[2]) : 10_000);
            default ->
                throw new IllegalArgumentException(arguments[0] + " is none of detection, latency, stream and delta");
        }
        System.exit(0);
    }

    // --- how soon the others know

    private static void detection(int times) {
        try (Fleet fleet = new Fleet(3, true)) {
            System.out.println("| fault | what is looked for | median | from | to |");
            System.out.println("|---|---|---|---|---|");
            for (Trouble trouble : Trouble.values()) {
                if (trouble != Trouble.CUT_OFF || fleet.hasNetwork()) {
                    detection(fleet, trouble, times);
                }
            }
        }
    }

    private enum Trouble {
        KILLED("`kill -9`"),
        STOPPED("`SIGSTOP`"),
        CUT_OFF("cut off from all others");

        private final String words;

        Trouble(String words) {
            this.words = words;
        }
    }

    private static void detection(Fleet fleet, Trouble trouble, int times) {
        List<Long> asked = new ArrayList<>();
        List<Long> streamed = new ArrayList<>();
        List<Long> back = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            Member viewer = fleet.at(0);
            Member target = fleet.at(1 + i % 2);
            var unused = untilBoth(viewer, target, ClusterFigures::isUp);
            long began = System.nanoTime();
            switch (trouble) {
                case KILLED -> fleet.kill(target);
                case STOPPED -> fleet.pause(target);
                case CUT_OFF -> cutOff(fleet, target);
            }
            Looks silent = untilBoth(viewer, target, Row::isSilent);
            asked.add(silent.asked - began);
            streamed.add(silent.streamed - began);
            if (trouble == Trouble.KILLED) {
                target = fleet.start(target.alias(), target.place());
            } else {
                // Until the cluster manager has put it out, which takes five seconds here.
                rest(8_000);
            }
            long over = System.nanoTime();
            switch (trouble) {
                case KILLED -> {}
                case STOPPED -> fleet.resume(target);
                case CUT_OFF -> fleet.heal();
            }
            Looks up = untilBoth(viewer, target, ClusterFigures::isUp);
            back.add(Math.max(up.asked, up.streamed) - over);
        }
        print(trouble, "an answer says that it is not up", asked);
        print(trouble, "a stream says so", streamed);
        print(
                trouble,
                trouble == Trouble.KILLED
                        ? "both say up, from the start of the new status verticle"
                        : "both say up, from its end",
                back);
    }

    private static boolean isUp(Row row) {
        return row.state().equals("UP");
    }

    private static void cutOff(Fleet fleet, Member target) {
        for (Member other : fleet.living()) {
            if (other != target) {
                fleet.cut(target.place(), other.place());
                fleet.cut(other.place(), target.place());
            }
        }
    }

    /** When it was seen. */
    private record Looks(long asked, long streamed) {}

    /** Asks one after the other, and looks at the stream meanwhile. */
    private static Looks untilBoth(Member viewer, Member target, Predicate<Row> expected) {
        long asked = 0;
        long streamed = 0;
        long began = System.nanoTime();
        var question = viewer.jvm().asking("fastn.status", null, 2_500);
        while (asked == 0 || streamed == 0) {
            if (asked == 0 && question.isDone()) {
                JsonObject body = question.join().getJsonObject("body");
                asked = body != null && is(View.asked(body), target, expected) ? System.nanoTime() : 0;
                question = viewer.jvm().asking("fastn.status", null, 2_500);
            }
            if (streamed == 0) {
                JsonObject seen = viewer.jvm().command(new JsonObject().put("do", "view"));
                streamed =
                        seen.containsKey("rows") && is(View.streamed(seen), target, expected) ? System.nanoTime() : 0;
            }
            if (System.nanoTime() - began > MOST_NANOS) {
                throw new AssertionError("two minutes later " + viewer + " does not say it of " + target);
            }
            rest(LOOK_MILLIS);
        }
        return new Looks(asked, streamed);
    }

    private static boolean is(View view, Member target, Predicate<Row> expected) {
        Row row = view.of(target.incarnation());
        return row != null && expected.test(row);
    }

    private static void print(Trouble trouble, String what, List<Long> nanos) {
        Collections.sort(nanos);
        System.out.printf(
                Locale.ROOT,
                "| %s | %s | %.1f s | %.1f s | %.1f s |%n",
                trouble.words,
                what,
                nanos.get(nanos.size() / 2) / 1e9,
                nanos.get(0) / 1e9,
                nanos.get(nanos.size() - 1) / 1e9);
    }

    // --- what a question costs

    private static void latency(int most) {
        System.out.println(
                "| nodes | contexts of each | bytes of each other's answer | status p50 | p99 | plain p50 | p99 |");
        System.out.println("|---|---|---|---|---|---|---|");
        for (int nodes : new int[] {3, 6}) {
            try (Fleet fleet = Fleet.large(FigureNode.class, nodes)) {
                for (int contexts = 1_000; contexts <= most; contexts *= 10) {
                    latency(fleet, contexts);
                }
            }
        }
    }

    private static void latency(Fleet fleet, int contexts) {
        List<Member> nodes = fleet.living();
        Member asker = nodes.get(0);
        JsonArray others = new JsonArray();
        int bytes = 0;
        for (Member node : nodes) {
            tell(node, new JsonObject().put("do", "grow").put("contexts", contexts));
        }
        for (Member node : nodes.subList(1, nodes.size())) {
            others.add(node.alias());
            bytes = tell(
                            asker,
                            new JsonObject()
                                    .put("do", "size")
                                    .put("address", "fastn.status.node." + node.incarnation()))
                    .getInteger("bytes");
            tell(node, new JsonObject().put("do", "answer_plain").put("bytes", bytes));
        }
        JsonObject status = new JsonObject().put("do", "ask_status");
        JsonObject plain = new JsonObject().put("do", "ask_plain").put("nodes", others);
        for (JsonObject warm : List.of(status, plain)) {
            micros(asker, warm.copy().put("times", 20));
        }
        // In turns, so that what else the machine does meets both.
        List<Long> statusMicros = new ArrayList<>();
        List<Long> plainMicros = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            statusMicros.addAll(micros(asker, status.copy().put("times", 10)));
            plainMicros.addAll(micros(asker, plain.copy().put("times", 10)));
        }
        System.out.printf(
                Locale.ROOT,
                "| %d | %,d | %,d | %s | %s | %s | %s |%n",
                nodes.size(),
                contexts,
                bytes,
                millis(statusMicros, 50),
                millis(statusMicros, 99),
                millis(plainMicros, 50),
                millis(plainMicros, 99));
    }

    private static List<Long> micros(Member asker, JsonObject question) {
        return tell(asker, question).getJsonArray("micros").stream()
                .map(each -> ((Number) each).longValue())
                .toList();
    }

    private static String millis(List<Long> micros, int percent) {
        List<Long> sorted = micros.stream().sorted().toList();
        int index = (int) Math.ceil(sorted.size() * percent / 100.0) - 1;
        return String.format(Locale.ROOT, "%.1f ms", sorted.get(index) / 1_000.0);
    }

    // --- what a stream costs

    private static void stream(int most) {
        System.out.println(
                "| contexts | changed each second | bytes of the whole | bytes a second | frames a second |");
        System.out.println("|---|---|---|---|---|");
        for (int contexts = 1_000; contexts <= most; contexts *= 10) {
            try (Fleet fleet = Fleet.large(FigureNode.class, 2)) {
                stream(fleet.at(0), fleet.at(1), contexts);
            }
        }
    }

    private static void stream(Member reader, Member writer, int contexts) {
        int seconds = 20;
        tell(writer, new JsonObject().put("do", "grow").put("contexts", contexts));
        tell(reader, new JsonObject().put("do", "read").put("incarnation", writer.incarnation()));
        rest(5_000);
        JsonObject whole = tell(reader, new JsonObject().put("do", "streamed"));
        tell(writer, new JsonObject().put("do", "change").put("share", 0.01));
        rest(2_000);
        JsonObject before = tell(reader, new JsonObject().put("do", "streamed"));
        rest(seconds * 1_000L);
        JsonObject after = tell(reader, new JsonObject().put("do", "streamed"));
        System.out.printf(
                Locale.ROOT,
                "| %,d | %,d | %,d | %,d | %.1f |%n",
                contexts,
                contexts / 100,
                whole.getLong("bytes"),
                (after.getLong("bytes") - before.getLong("bytes")) / seconds,
                (after.getLong("frames") - before.getLong("frames")) / (double) seconds);
    }

    // --- what a delta costs

    private static void delta(int deltas, int contexts) {
        try (Fleet fleet = Fleet.large(FigureNode.class, 2)) {
            Member reader = fleet.at(0);
            Member writer = fleet.at(1);
            JsonObject read = new JsonObject()
                    .put("do", "read")
                    .put("incarnation", writer.incarnation())
                    .put("decode", true);
            tell(writer, new JsonObject().put("do", "grow").put("contexts", contexts));
            tell(writer, new JsonObject().put("do", "change").put("share", 0.01));
            // So that both are compiled before they are measured.
            tell(reader, read);
            untilStreamed(reader, Math.min(deltas, 60));
            tell(reader, new JsonObject().put("do", "close"));
            plain(reader, writer, Math.min(deltas, 20));

            Cpu idle = Cpu.of(reader, writer);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Math.min(deltas, 60));
            until(() -> streamedFrames(reader) >= 0 && System.nanoTime() - end >= 0);
            Cpu second = Cpu.of(reader, writer).since(idle);

            tell(reader, read);
            // The whole, which is not to be measured.
            untilStreamed(reader, 3);
            JsonObject before = tell(reader, new JsonObject().put("do", "streamed"));
            Cpu beforeStream = Cpu.of(reader, writer);
            untilStreamed(reader, deltas);
            Cpu stream = Cpu.of(reader, writer).since(beforeStream);
            JsonObject after = tell(reader, new JsonObject().put("do", "streamed"));
            tell(reader, new JsonObject().put("do", "close"));
            int frames = (int) (after.getLong("frames") - before.getLong("frames"));
            int bytes = (int) ((after.getLong("bytes") - before.getLong("bytes")) / frames);

            tell(writer, new JsonObject().put("do", "answer_plain").put("bytes", bytes));
            Cpu beforePlain = Cpu.of(reader, writer);
            plain(reader, writer, deltas);
            Cpu plain = Cpu.of(reader, writer).since(beforePlain);

            System.out.printf(
                    Locale.ROOT,
                    "%,d contexts, of which %,d are others each second; %d deltas of %,d bytes, and as many replies%n",
                    contexts,
                    contexts / 100,
                    frames,
                    bytes);
            System.out.println("| processor time | publisher, who replies | reader, who asks |");
            System.out.println("|---|---|---|");
            System.out.println(stream.without(second).row("a delta", frames));
            System.out.println(plain.without(second).row("a request with a plain reply", deltas));
            System.out.println(second.row("a second without either, taken off above", second.nanos / 1e9));
        }
    }

    private static void plain(Member reader, Member writer, int times) {
        tell(
                reader,
                new JsonObject()
                        .put("do", "ask_each_second")
                        .put("node", writer.alias())
                        .put("times", times));
        until(() -> tell(reader, new JsonObject().put("do", "asked")).getInteger("answers") >= times);
    }

    private static void untilStreamed(Member reader, int frames) {
        long all = streamedFrames(reader) + frames;
        until(() -> streamedFrames(reader) >= all);
    }

    private static long streamedFrames(Member reader) {
        return tell(reader, new JsonObject().put("do", "streamed")).getLong("frames");
    }

    private static void until(BooleanSupplier done) {
        long began = System.nanoTime();
        while (!done.getAsBoolean()) {
            if (System.nanoTime() - began > 20 * MOST_NANOS) {
                throw new AssertionError("it took too long");
            }
            // Each look costs the reader a little, and the same in all that is measured.
            rest(1_000);
        }
    }

    /** Processor time of two nodes until a moment, or in between. */
    private record Cpu(long nanos, long readerNanos, long writerNanos) {
        static Cpu of(Member reader, Member writer) {
            JsonObject command = new JsonObject().put("do", "cpu");
            return new Cpu(
                    System.nanoTime(),
                    tell(reader, command).getLong("nanos"),
                    tell(writer, command).getLong("nanos"));
        }

        Cpu since(Cpu before) {
            return new Cpu(nanos - before.nanos, readerNanos - before.readerNanos, writerNanos - before.writerNanos);
        }

        /** {@return this but for what as long a time without work takes} */
        Cpu without(Cpu idle) {
            double times = (double) nanos / idle.nanos;
            return new Cpu(
                    nanos,
                    Math.round(readerNanos - times * idle.readerNanos),
                    Math.round(writerNanos - times * idle.writerNanos));
        }

        String row(String what, double times) {
            return String.format(
                    Locale.ROOT,
                    "| %s | %.3f ms | %.3f ms |",
                    what,
                    writerNanos / times / 1e6,
                    readerNanos / times / 1e6);
        }
    }

    private static JsonObject tell(Member member, JsonObject command) {
        return member.jvm().command(command);
    }

    private static void rest(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
