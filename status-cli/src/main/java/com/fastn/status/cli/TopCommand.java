package com.fastn.status.cli;

import com.fastn.status.cli.Feed.News;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/** {@code fastn top}: a tree to move in. */
final class TopCommand implements Subcommand {
    private final Surroundings surroundings;
    private final Syntax syntax;
    private final TargetOptions targets = new TargetOptions();
    private final LookOptions look = new LookOptions();

    TopCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax(
                        "top",
                        this,
                        "Shows the tree of a node or of several, live, to move in: fold, search, sort, look closer.")
                .footer("", "Its keys are shown at its foot; ? shows all of them.", "", ExitCode.TOLD)
                .with(targets)
                .with(look)
                .common();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    /** Something that happened: a key, or news of a node. */
    private record Event(@Nullable Key key, @Nullable News news) {}

    @Override
    public Integer call() throws InterruptedException {
        targets.check(syntax);
        look.check(syntax);
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
                LiveScreen screen = LiveScreen.alternate(surroundings.out());
                Suspension.Listening unusedStops =
                        surroundings.suspension().tell(Suspension.Holder.of(keyboard, screen))) {
            keyboard.readInto(events, key -> new Event(key, null));
            List<Thread> feeds = watch.start(meant, news -> events.add(new Event(null, news)));
            try {
                while (true) {
                    screen.show(view.drawn(keyboard.size()), keyboard.size());
                    for (Event event = events.take(); event != null; event = events.poll()) {
                        if (event.key != null && !view.press(event.key)) {
                            return event.key.exitCode();
                        }
                        if (event.news != null) {
                            watch.take(event.news);
                            view.news(watch.rows(meant));
                        }
                    }
                }
            } finally {
                feeds.forEach(Thread::interrupt);
            }
        }
    }
}
