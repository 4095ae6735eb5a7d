package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;

import com.fastn.status.cli.Feed.News;
import com.fastn.status.cli.ViewOptions.Format;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code fastn record}: keeps what a watcher sees, and when nothing more is heard of a node. */
final class RecordCommand implements Subcommand {
    private static final Duration LONGEST_RECORDING = Duration.ofDays(365);

    private final Surroundings surroundings;
    private final Syntax syntax;
    private @Nullable Path file;
    private List<String> names = List.of();
    private boolean cluster;
    private Duration timeout = Duration.ofSeconds(3);
    private @Nullable Duration duration;
    private boolean force;

    RecordCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax(
                        "record",
                        this,
                        "Writes every status that comes into a file, until Ctrl-C; fastn replay shows it again.")
                .footer(
                        "",
                        "The file is what fastn status -w --json prints: one JSON document on each line. Where that follows several nodes at",
                        "once, each line is of all of them. Only its owner can read it.",
                        "",
                        ExitCode.TOLD)
                .parameter(
                        Path.class,
                        "FILE",
                        "Where to, from the first status on; it must not be there yet.",
                        given -> file = given)
                .parameters("1..*", "ALIAS", "Which nodes; as for fastn status.", given -> names = given)
                .flag("--cluster, --all", "Every node of the cluster.", given -> cluster = given)
                .option(
                        "--timeout",
                        Duration.class,
                        "TIME",
                        "How long a node has to answer. Default: 3s.",
                        given -> timeout = given)
                .option(
                        "--for",
                        Duration.class,
                        "TIME",
                        "End after this time, such as 60s or 10m; 365d at most.",
                        given -> duration = given)
                .flag("--force", "Write over a file that is there.", given -> force = given)
                .common();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    @Override
    public Integer call() throws InterruptedException {
        Path target = requireNonNull(file, "picocli sets this field before it runs the command");
        TargetOptions targets = new TargetOptions();
        targets.names = names;
        targets.cluster = cluster;
        targets.timeout = timeout;
        targets.check(syntax);
        if (duration != null
                && (duration.isZero() || duration.isNegative() || duration.compareTo(LONGEST_RECORDING) > 0)) {
            throw syntax.misuse("--for is a time from 1ms to 365d, not " + duration.toMillis() + "ms");
        }
        RecordingFile recording = new RecordingFile(target, force);
        List<Meant> meant = Targets.find(surroundings, "record " + Shell.quoted(target.toString()))
                .meant(targets);
        ViewOptions view = new ViewOptions();
        view.format = Format.NDJSON;
        StatusPorts ports = new StatusPorts(timeout, surroundings.ticker());
        LookOptions look = new LookOptions();
        Watch watch = new Watch(surroundings, look.terminal(surroundings), look, view, ports);
        try (recording) {
            return record(watch, meant, recording, target);
        }
    }

    private int record(Watch watch, List<Meant> meant, RecordingFile recording, Path target)
            throws InterruptedException {
        BlockingQueue<News> news = new ArrayBlockingQueue<>(64);
        List<Thread> feeds = watch.start(meant, news::put);
        long start = surroundings.ticker().nanos();
        int count = 0;
        boolean heard = false;
        try {
            surroundings.note("recording into " + Printable.line(target.toString()) + "; end with Ctrl-C");
            while (true) {
                News next = next(
                        news,
                        duration == null
                                ? Long.MAX_VALUE
                                : duration.toNanos() - (surroundings.ticker().nanos() - start));
                if (next == null) {
                    surroundings.note(
                            heard
                                    ? count + (count == 1 ? " moment is" : " moments are")
                                            + " recorded; look: fastn replay " + Shell.quoted(target.toString())
                                    : "no status was heard, and nothing is recorded");
                    return heard ? ExitCode.OK : ExitCode.UNREACHABLE;
                }
                if (!watch.take(next)) {
                    continue;
                }
                heard |= next.answer() != null;
                // The first line is of all, so nothing is lost of what was not heard before it.
                if (heard) {
                    recording.add(watch.recorded(meant, next));
                    count++;
                }
            }
        } finally {
            feeds.forEach(Thread::interrupt);
        }
    }

    /** {@return what is next, or {@code null} when the time is over} Then also where more has come than could be written. */
    static @Nullable News next(BlockingQueue<News> news, long left) throws InterruptedException {
        return left <= 0 ? null : news.poll(left, TimeUnit.NANOSECONDS);
    }
}
