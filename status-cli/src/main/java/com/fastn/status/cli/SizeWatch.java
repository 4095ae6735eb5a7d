package com.fastn.status.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The size of a terminal, which is asked for again and again on a thread of its own: another process has to be started for it, and
 * where that does not answer nothing else waits for it.
 */
final class SizeWatch implements AutoCloseable {
    private static final long PAUSE_MILLIS = 1_000;
    /** A machine that is busy takes its time for that process, and a picture without a size has to be drawn anew. */
    private static final long FIRST_MILLIS = 3_000;

    private final Supplier<Size> measure;
    private final Listener listener;
    private final CountDownLatch first = new CountDownLatch(1);
    private final Thread thread = new Thread(this::run, "fastn-size");
    private volatile Size size = Size.UNKNOWN;
    private volatile @Nullable Throwable mistake;

    private SizeWatch(Supplier<Size> measure, Listener listener) {
        this.measure = measure;
        this.listener = listener;
    }

    /** Is told of another size. */
    @FunctionalInterface
    interface Listener {
        void resized() throws InterruptedException;
    }

    /**
     * Begins.
     *
     * @param measure tells the size, however late
     * @param listener is told of another size, on the thread that asks for it
     * @return the watch, to be closed
     */
    static SizeWatch begin(Supplier<Size> measure, Listener listener) {
        SizeWatch watch = new SizeWatch(measure, listener);
        watch.thread.setDaemon(true);
        watch.thread.start();
        return watch;
    }

    private void run() {
        try {
            while (true) {
                Size now = measure.get();
                boolean other = !now.equals(Size.UNKNOWN) && !now.equals(size);
                size = other ? now : size;
                first.countDown();
                if (other) {
                    listener.resized();
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            tell(e);
        }
    }

    /** What would be the end of this thread is told by the one that draws, which then gives the terminal back. */
    private void tell(Throwable problem) {
        mistake = problem;
        first.countDown();
        try {
            listener.resized();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * {@return the size that was told last} The first is waited for, once and not for long.
     *
     * @throws IllegalStateException if it cannot be told, for a reason that nobody thought of
     */
    Size size() {
        try {
            if (!first.await(FIRST_MILLIS, TimeUnit.MILLISECONDS)) {
                first.countDown();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Throwable problem = mistake;
        if (problem != null) {
            throw new IllegalStateException("the size of the terminal cannot be told: " + problem, problem);
        }
        return size;
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
