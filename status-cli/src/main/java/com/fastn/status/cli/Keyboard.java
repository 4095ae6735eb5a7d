package com.fastn.status.cli;

import com.fastn.status.cli.Key.Kind;
import java.io.IOError;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.function.Function;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.NonBlockingReader;

/** The keys of the terminal, one at a time and without an echo. The only class that knows jline. */
final class Keyboard implements Suspension.Holder, AutoCloseable {
    /** What is left of a sequence comes at once; an escape that is alone is the key. */
    private static final long SEQUENCE_MILLIS = 50;

    private static final int TRIES_TO_GIVE_BACK = 3;

    private final Terminal terminal;
    private final Attributes before;
    private volatile Size size;
    private volatile Runnable resized = () -> {};

    /** Measures first: what cannot be measured is left as it was. */
    private Keyboard(Terminal terminal) {
        this.terminal = terminal;
        this.size = measured(terminal);
        this.before = terminal.enterRawMode();
    }

    /**
     * Takes the keyboard.
     *
     * @return the keyboard, to be closed
     * @throws Trouble if there is none
     */
    static Keyboard open() {
        try {
            return of(TerminalBuilder.builder()
                    .system(true)
                    .provider("exec")
                    // Otherwise Ctrl-C ends this process at once, and nothing gives the terminal back as it was.
                    // That it has another size is heard all the same: who listens to that is told of it.
                    .nativeSignals(false)
                    .dumb(false)
                    .build());
        } catch (IOException | IOError | IllegalStateException e) {
            throw new Trouble(
                    ExitCode.USAGE,
                    "no keys can be read",
                    "this is no terminal that stty can set (" + Printable.line(String.valueOf(e.getMessage())) + ")",
                    "run it in a terminal, or use fastn status -w");
        }
    }

    /** {@return the keyboard of a terminal, which is closed where it cannot be set} */
    static Keyboard of(Terminal terminal) throws IOException {
        try {
            return new Keyboard(terminal);
        } catch (IOError | RuntimeException e) {
            terminal.close();
            throw e;
        }
    }

    /** {@return how large the terminal is} */
    Size size() {
        return size;
    }

    /** Starts a process, which is nothing to do for each picture. */
    private static Size measured(Terminal terminal) {
        return new Size(terminal.getWidth(), terminal.getHeight());
    }

    /**
     * Puts every key into a queue, on a thread of its own, until the input ends.
     *
     * @param events the queue
     * @param event what stands for a key in it
     * @param <E> what is in the queue
     */
    <E> void readInto(BlockingQueue<E> events, Function<Key, E> event) {
        resized = () -> events.offer(event.apply(Key.of(Kind.RESIZED)));
        terminal.handle(Signal.WINCH, signal -> measure());
        // A terminal that is closed meanwhile gives none.
        NonBlockingReader in = terminal.reader();
        Thread reading = new Thread(
                () -> {
                    try {
                        Key key;
                        do {
                            key = next(in);
                            events.put(event.apply(key));
                        } while (key.kind() != Kind.GONE);
                    } catch (IOException | IOError | IllegalStateException e) {
                        events.offer(event.apply(Key.of(Kind.GONE)));
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "fastn-keys");
        reading.setDaemon(true);
        reading.start();
    }

    private void measure() {
        try {
            size = measured(terminal);
        } catch (IOError | IllegalStateException e) {
            return; // The size that was known is the best that is, also of a terminal that is closed by now.
        }
        resized.run();
    }

    @Override
    public void leave() {
        giveBack();
    }

    /** Who is stopped is not told of another size. */
    @Override
    public void comeBack() {
        try {
            terminal.enterRawMode();
        } catch (IOError | IllegalStateException e) {
            return; // It is closed, or gone.
        }
        measure();
    }

    private static Key next(NonBlockingReader in) throws IOException {
        int c = in.read();
        return switch (c) {
            case -1 -> Key.of(Kind.GONE);
            case '\r', '\n' -> Key.of(Kind.ENTER);
            case 0x7f, '\b' -> Key.of(Kind.BACKSPACE);
            case 0x1b -> {
                StringBuilder sequence = new StringBuilder();
                for (int next = in.read(SEQUENCE_MILLIS);
                        next >= 0 && sequence.length() < 8;
                        next = in.read(SEQUENCE_MILLIS)) {
                    sequence.append((char) next);
                    if (sequence.length() > 1 && (Character.isLetter(next) || next == '~')) {
                        break;
                    }
                }
                yield Key.of(Key.ofSequence(sequence.toString()));
            }
            default -> Key.of((char) c);
        };
    }

    @Override
    public void close() {
        try {
            giveBack();
        } finally {
            try {
                terminal.close();
            } catch (IOException | IOError | IllegalStateException e) {
                // The terminal is gone, and nobody is left to be told.
            }
        }
    }

    /** A second Ctrl-C ends the stty that does it, but hardly each time. */
    private void giveBack() {
        for (int tries = 0; tries < TRIES_TO_GIVE_BACK; tries++) {
            try {
                terminal.setAttributes(before);
                return;
            } catch (IOError e) {
                // Again, or it is gone.
            } catch (IllegalStateException e) {
                return; // It is closed, which gave it back.
            }
        }
    }
}
