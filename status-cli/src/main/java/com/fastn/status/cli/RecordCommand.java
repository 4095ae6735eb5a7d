package com.fastn.status.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.fastn.status.cli.Feed.News;
import com.fastn.status.cli.ViewOptions.Format;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code fastn record}: keeps what a watcher sees, and when nothing more is heard of a node. */
final class RecordCommand implements Subcommand {
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
                .parameter(Path.class, "FILE", "Where to; it must not be there yet.", given -> file = given)
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
                        "End after this time, such as 60s or 10m.",
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
        List<Meant> meant = Targets.find(surroundings, "record FILE").meant(targets);
        ViewOptions view = new ViewOptions();
        view.format = Format.NDJSON;
        StatusPorts ports = new StatusPorts(timeout, surroundings.ticker());
        LookOptions look = new LookOptions();
        Watch watch = new Watch(surroundings, look.terminal(surroundings), look, view, ports);
        try (PrintStream out = new PrintStream(open(target), false, UTF_8)) {
            return record(watch, meant, out, target);
        }
    }

    private int record(Watch watch, List<Meant> meant, PrintStream out, Path target) throws InterruptedException {
        BlockingQueue<News> news = new ArrayBlockingQueue<>(64);
        List<Thread> feeds = watch.start(meant, news::put);
        long start = surroundings.ticker().nanos();
        int count = 0;
        boolean heard = false;
        try {
            surroundings.note("recording into " + Printable.line(target.toString()) + "; end with Ctrl-C");
            while (true) {
                long left = duration == null
                        ? Long.MAX_VALUE
                        : duration.toNanos() - (surroundings.ticker().nanos() - start);
                News next = news.poll(left, TimeUnit.NANOSECONDS);
                if (next == null) {
                    surroundings.note(
                            heard
                                    ? count + (count == 1 ? " moment is" : " moments are")
                                            + " recorded; look: fastn replay " + Shell.quoted(target.toString())
                                    : "no status was heard");
                    return heard ? ExitCode.OK : ExitCode.UNREACHABLE;
                }
                if (!watch.take(next)) {
                    continue;
                }
                heard |= next.answer() != null;
                out.print(watch.recorded(meant, next) + "\n");
                out.flush();
                count++;
                if (out.checkError()) {
                    throw new Trouble(
                            ExitCode.ERROR,
                            "the recording ends",
                            Printable.line(target.toString()) + " cannot be written any more; the disk may be full",
                            "df " + Shell.quoted(target.toString()));
                }
            }
        } finally {
            feeds.forEach(Thread::interrupt);
        }
    }

    /** Data of contexts may be secret, so nobody else reads it. */
    private OutputStream open(Path target) {
        try {
            if (force) {
                if (Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
                    throw new Trouble(
                            ExitCode.USAGE,
                            "nothing is recorded",
                            Printable.line(target.toString()) + " is a folder",
                            "name a file, such as "
                                    + Shell.quoted(
                                            target.resolve("night.ndjson").toString()));
                }
                Files.deleteIfExists(target);
            }
            boolean posix = target.getFileSystem().supportedFileAttributeViews().contains("posix");
            if (posix) {
                Files.createFile(
                        target, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            } else {
                Files.createFile(target);
            }
            return Files.newOutputStream(target, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        } catch (FileAlreadyExistsException e) {
            throw new Trouble(
                    ExitCode.USAGE,
                    "nothing is recorded",
                    Printable.line(target.toString()) + " is there already",
                    "name another file, or write over it with --force");
        } catch (IOException e) {
            throw new Trouble(
                    ExitCode.ERROR,
                    "nothing is recorded",
                    Printable.line(target.toString()) + " cannot be written (" + Printable.line(e.toString()) + ")",
                    "name a file in a folder of yours");
        }
    }
}
