package com.fastn.status.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.fastn.context.status.Sanitizer;
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
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code fastn record}: keeps what a watcher would see. */
@Command(
        name = "record",
        sortOptions = false,
        description = "Writes every status that comes into a file, until Ctrl-C; fastn replay shows it again.",
        footer = {
            "",
            "The file is what fastn status -w --json prints: one JSON document on each line. Only its owner can read it.",
            "",
            ExitCode.TOLD
        })
final class RecordCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Spec
    @Nullable
    CommandSpec spec;

    @Parameters(index = "0", paramLabel = "FILE", description = "Where to; it must not be there yet.")
    @Nullable
    Path file;

    @Parameters(index = "1..*", split = ",", paramLabel = "ALIAS", description = "Which nodes; as for fastn status.")
    List<String> names = List.of();

    @Option(
            names = {"--cluster", "--all"},
            description = "Every node of the cluster.")
    boolean cluster;

    @Option(names = "--timeout", paramLabel = "TIME", description = "How long a node has to answer. Default: 3s.")
    java.time.Duration timeout = java.time.Duration.ofSeconds(3);

    @Option(names = "--for", paramLabel = "TIME", description = "End after this time, such as 60s or 10m.")
    java.time.@Nullable Duration duration;

    @Option(names = "--force", description = "Write over a file that is there.")
    boolean force;

    @Mixin
    CommonOptions common = new CommonOptions();

    RecordCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws InterruptedException {
        CommandSpec given = requireNonNull(spec, "picocli sets this field before it runs the command");
        Path target = requireNonNull(file, "picocli sets this field before it runs the command");
        TargetOptions targets = new TargetOptions();
        targets.names = names;
        targets.cluster = cluster;
        targets.timeout = timeout;
        targets.check(given);
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
        try {
            surroundings.note("recording into " + Printable.line(target.toString()) + "; end with Ctrl-C");
            while (true) {
                long left = duration == null
                        ? Long.MAX_VALUE
                        : duration.toNanos() - (surroundings.ticker().nanos() - start);
                News next = news.poll(left, TimeUnit.NANOSECONDS);
                if (next == null) {
                    surroundings.note(
                            count + " moments are recorded; look: fastn replay " + Shell.quoted(target.toString()));
                    return count == 0 ? ExitCode.UNREACHABLE : ExitCode.OK;
                }
                watch.take(next, meant.size());
                Answer answer = next.answer();
                if (answer != null) {
                    out.print(Sanitizer.json(answer.json(false)) + "\n");
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
            }
        } finally {
            feeds.forEach(Thread::interrupt);
        }
    }

    /** Data of contexts may be secret, so nobody else reads it. */
    private OutputStream open(Path target) {
        try {
            if (force) {
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
