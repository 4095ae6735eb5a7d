package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;

import com.fastn.context.status.Sanitizer;
import com.fastn.context.status.StatusRenderer;
import com.fastn.status.cli.ViewOptions.Format;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** {@code fastn replay}: shows a recording again. */
final class ReplayCommand implements Subcommand {
    private static final String BETWEEN = "  ";

    private final Surroundings surroundings;
    private final Syntax syntax;
    private @Nullable Path file;
    private @Nullable Double speed;
    private boolean pause;
    private final ViewOptions view = new ViewOptions();
    private final LookOptions look = new LookOptions();

    ReplayCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
        syntax = new Syntax(
                        "replay",
                        this,
                        "Shows a recording as it was seen: on a terminal with keys to pause, step and change the speed;"
                                + " elsewhere one moment after another.")
                .footer(
                        "",
                        "Keys: space pauses and goes on; right and left step; + and - change the speed; home and end jump; q ends.",
                        "",
                        ExitCode.TOLD)
                .parameter(Path.class, "FILE", "What fastn record wrote.", given -> file = given)
                .option(
                        "--speed",
                        Double.class,
                        "TIMES",
                        "How many times as fast as it was, such as 0.5 or 10; 0 waits for nothing. Default: 1, and 0"
                                + " where no terminal is.",
                        given -> speed = given)
                .flag("--pause", "Begin paused at the first moment; on a terminal.", given -> pause = given)
                .with(view)
                .with(look)
                .common();
    }

    @Override
    public Syntax syntax() {
        return syntax;
    }

    @Override
    public Integer call() throws InterruptedException {
        view.check(syntax);
        look.check(syntax);
        if (view.path != null || view.depth != null || view.recent) {
            throw syntax.misuse("--path, --depth and --recent are asked of a node; a recording holds what it holds");
        }
        if (speed != null && !(speed >= 0 && speed <= 1_000_000)) {
            throw syntax.misuse("--speed is a number from 0 to 1000000, not " + speed);
        }
        Terminal terminal = look.terminal(surroundings);
        boolean keys =
                terminal.interactive() && view.format() == Format.TEXT && !Terminal.isDumb(surroundings.environment());
        if (pause && !keys) {
            throw syntax.misuse("--pause waits for a key, and only a drawing on a terminal has keys; leave it out");
        }
        Recording recording =
                Recording.read(requireNonNull(file, "picocli sets this field before it runs the command"));
        if (recording.torn()) {
            surroundings.note("the last line has no end and is left out; who recorded it was stopped meanwhile");
        }
        return keys ? withKeys(recording, terminal) : oneAfterAnother(recording, terminal);
    }

    private int oneAfterAnother(Recording recording, Terminal terminal) throws InterruptedException {
        StatusRenderer renderer = view.onPaper(terminal.renderer());
        boolean pretty = terminal.interactive() && view.format() == Format.JSON;
        for (int i = 0; i < recording.moments().size(); i++) {
            Answer answer = recording.answer(i).shaped(view.shape());
            surroundings
                    .out()
                    .print(
                            view.format() == Format.TEXT
                                    ? (i == 0 ? "" : "\n") + answer.drawn(renderer)
                                    : Sanitizer.json(answer.json(pretty)) + "\n");
            // Who was piped to has ended, and that is all that it wanted.
            if (surroundings.out().checkError()) {
                return ExitCode.OK;
            }
            double times = speed == null ? 0 : speed;
            if (times > 0) {
                TimeUnit.NANOSECONDS.sleep(nanos(recording.untilNext(i), times));
            }
        }
        return ExitCode.OK;
    }

    private static long nanos(Duration time, double speed) {
        double nanos = time.toMillis() * 1e6 / speed;
        return nanos > Long.MAX_VALUE ? Long.MAX_VALUE : (long) nanos;
    }

    private int withKeys(Recording recording, Terminal terminal) throws InterruptedException {
        Player player = new Player(recording.moments().size(), speed == null ? 1 : speed, pause);
        BlockingQueue<Key> pressed = new LinkedBlockingQueue<>();
        try (Keyboard keyboard = Keyboard.open();
                LiveScreen screen = LiveScreen.alternate(surroundings.out());
                Suspension.Listening unusedStops =
                        surroundings.suspension().tell(Suspension.Holder.of(keyboard, screen))) {
            keyboard.readInto(pressed, key -> key);
            long shownAt = surroundings.ticker().nanos();
            int shown = -1;
            while (true) {
                Size size = keyboard.size();
                screen.show(picture(recording, player, terminal, size), size);
                if (shown != player.at()) {
                    shown = player.at();
                    shownAt = surroundings.ticker().nanos();
                }
                long left = player.isWaiting()
                        ? Long.MAX_VALUE
                        : nanos(recording.untilNext(player.at()), player.speed())
                                - (surroundings.ticker().nanos() - shownAt);
                Key key = pressed.poll(Math.max(0, left), TimeUnit.NANOSECONDS);
                if (key == null) {
                    player.step(1);
                } else if (!player.press(key)) {
                    return key.exitCode();
                }
            }
        }
    }

    private String picture(Recording recording, Player player, Terminal terminal, Size size) {
        Terminal place = new Terminal(
                true, terminal.colours(), terminal.ascii(), look.width != null ? look.width : size.columns());
        List<String> foot = player.told(recording.moments().get(player.at()).at());
        return picture(recording.answer(player.at()).shaped(view.shape()), foot, view, place, size);
    }

    /** {@return a moment as it fits a terminal, with what the keys do in the last line} */
    static String picture(Answer answer, List<String> foot, ViewOptions view, Terminal place, Size size) {
        Size above = new Size(size.columns(), Math.max(0, size.rows() - 1));
        String hint = "a higher terminal shows all";
        String drawn = new FittedPicture(above.rows(), place, view.narrowed(place.renderer()), answer, hint)
                .drawn(!view.locks && !view.warnings);
        return LiveScreen.fitted(drawn, above, hint) + place.fitted(foot, BETWEEN) + "\n";
    }

    /** Where a replay is, and how fast it goes. */
    static final class Player {
        private static final double FASTEST = 1_000;
        private static final double SLOWEST = 1.0 / 64;

        private final int moments;
        private int at;
        private double speed;
        private boolean paused;

        Player(int moments, double speed, boolean paused) {
            this.moments = moments;
            this.speed = speed == 0 ? FASTEST : speed;
            this.paused = paused;
        }

        int at() {
            return at;
        }

        double speed() {
            return speed;
        }

        /** {@return whether only a key goes on} */
        boolean isWaiting() {
            return paused || at == moments - 1;
        }

        /** {@return where it is and what the keys do, those that are needed most first: all have room on a wide terminal alone} */
        List<String> told(Instant moment) {
            boolean over = at == moments - 1;
            String times = speed == Math.rint(speed) ? String.valueOf((long) speed) : String.valueOf(speed);
            return List.of(
                    (at + 1) + " of " + moments + BETWEEN + moment.truncatedTo(ChronoUnit.SECONDS) + BETWEEN
                            + (over ? "end" : paused ? "paused" : "playing") + " at " + times + "x",
                    over ? "home: again" : paused ? "space: play" : "space: pause",
                    "arrows: step",
                    "q: end",
                    "+, -: speed");
        }

        void step(int by) {
            at = Math.max(0, Math.min(moments - 1, at + by));
        }

        /** {@return whether to go on} */
        boolean press(Key key) {
            switch (key.kind()) {
                case GONE, ESCAPE -> {
                    return false;
                }
                case RIGHT -> stepped(1);
                case LEFT -> stepped(-1);
                case HOME -> stepped(-moments);
                case END -> stepped(moments);
                case CHARACTER -> {
                    switch (key.character()) {
                        case 'q', 'Q', Key.CTRL_C, 4 -> {
                            return false;
                        }
                        case ' ', 'p' -> paused = !paused;
                        case '.', 'n', 'l' -> stepped(1);
                        case ',', 'h' -> stepped(-1);
                        case '+', '=' -> speed = Math.min(FASTEST, speed * 2);
                        case '-' -> speed = Math.max(SLOWEST, speed / 2);
                        default -> {}
                    }
                }
                default -> {}
            }
            return true;
        }

        private void stepped(int by) {
            paused = true;
            step(by);
        }
    }
}
