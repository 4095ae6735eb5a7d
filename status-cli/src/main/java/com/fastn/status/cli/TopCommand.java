package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;

import com.fastn.status.cli.Feed.News;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code fastn top}: a tree to move in. */
@Command(
        name = "top",
        sortOptions = false,
        description = "Shows the tree of a node or of several, live, to move in: fold, search, sort, look closer.",
        footer = {"", "Its keys are shown at its foot; ? shows all of them.", "", ExitCode.TOLD})
final class TopCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Spec
    @Nullable
    CommandSpec spec;

    @Mixin
    TargetOptions targets = new TargetOptions();

    @Mixin
    LookOptions look = new LookOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    TopCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** Something that happened: a key, or news of a node. */
    private record Event(@Nullable Key key, @Nullable News news) {}

    @Override
    public Integer call() throws InterruptedException {
        CommandSpec given = requireNonNull(spec, "picocli sets this field before it runs the command");
        targets.check(given);
        look.check(given);
        if (!surroundings.interactive() || Terminal.isDumb(surroundings.environment())) {
            throw new Trouble(
                    ExitCode.USAGE,
                    "fastn top shows nothing here",
                    "the output is no terminal that can move its cursor",
                    "fastn status -w");
        }
        List<Meant> meant = Targets.find(surroundings, "top").meant(targets);
        StatusPorts ports = new StatusPorts(targets.timeout, surroundings.ticker());
        Watch watch = new Watch(surroundings, look.terminal(surroundings), look, new ViewOptions(), ports);
        BlockingQueue<Event> events = new LinkedBlockingQueue<>();
        TopView view = new TopView(look.terminal(surroundings));
        try (Keyboard keyboard = Keyboard.open();
                LiveScreen screen = LiveScreen.alternate(surroundings.out())) {
            keyboard.readInto(events, key -> new Event(key, null));
            List<Thread> feeds = watch.start(meant, news -> events.add(new Event(null, news)));
            try {
                boolean going = true;
                while (going) {
                    screen.show(view.drawn(keyboard.size()), keyboard.size());
                    for (Event event = events.take(); event != null && going; event = events.poll()) {
                        if (event.key != null) {
                            going = view.press(event.key);
                        }
                        if (event.news != null) {
                            watch.take(event.news, meant.size());
                            view.news(watch.rows(meant));
                        }
                    }
                }
                return ExitCode.OK;
            } finally {
                feeds.forEach(Thread::interrupt);
            }
        }
    }
}
