package com.fastn.status.cli;

import java.io.IOException;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/**
 * The signal of Ctrl-Z. Whoever holds the terminal gives it back, then the process stops as it would have, and takes it again when it
 * goes on.
 *
 * <p>What hears signals is in a module of the JDK that not every JRE has, so it is found by reflection. Where it is not there, the process
 * stops as it stands.
 */
final class StopSignal implements Suspension.Listening {
    /**
     * Java raises no signal that it does not handle. This stops both us and itself, so that its end is what comes after; in the
     * background its last words stop all of us until we are in front, so that nobody draws over what the shell shows. Where no
     * shell is, nothing stops, and a busy system may deliver our signal only when we hear it again: the one between takes it back.
     */
    private static final String STOP = "kill -TSTP \"$1\" $$; kill -CONT \"$1\"; exec </dev/tty && stty \"$(stty -g)\"";

    private final Suspension.Holder holder;
    private final Class<?> handlers;
    private final Class<?> signals;
    private final Object signal;
    private final Object handler;
    private boolean closed;

    private StopSignal(Suspension.Holder holder) throws ReflectiveOperationException {
        this.holder = holder;
        handlers = Class.forName("sun.misc.SignalHandler");
        signals = Class.forName("sun.misc.Signal");
        signal = signals.getConstructor(String.class).newInstance("TSTP");
        handler = Proxy.newProxyInstance(
                handlers.getClassLoader(), new Class<?>[] {handlers}, (self, method, arguments) -> {
                    return switch (method.getName()) {
                        case "handle" -> {
                            stop();
                            yield null;
                        }
                        case "hashCode" -> System.identityHashCode(self);
                        case "equals" -> self == arguments[0];
                        default -> "fastn-stop";
                    };
                });
    }

    /** {@return what hears the signal until it is closed} Where nobody can, or the signal is to have no effect, it hears nothing. */
    static Suspension.Listening hear(Suspension.Holder holder) {
        try {
            StopSignal stop = new StopSignal(holder);
            Object before = stop.handledBy(stop.handler);
            if (before != stop.named("SIG_IGN")) {
                return stop;
            }
            stop.handledBy(before);
        } catch (ReflectiveOperationException | LinkageError e) {
            // Nobody can be told.
        }
        return () -> {};
    }

    private @Nullable Object named(String name) throws ReflectiveOperationException {
        return handlers.getField(name).get(null);
    }

    /** {@return what handled it before} The virtual machine may leave the signal alone, as by its flag -Xrs. */
    private @Nullable Object handledBy(@Nullable Object by) throws ReflectiveOperationException {
        return signals.getMethod("handle", signals, handlers).invoke(null, signal, by);
    }

    private synchronized void stop() {
        if (closed) {
            return;
        }
        holder.leave();
        try {
            handledBy(named("SIG_DFL"));
            stopped();
            handledBy(handler);
        } catch (ReflectiveOperationException e) {
            // It was heard, so it can be left to the system and be heard again.
        } finally {
            holder.comeBack();
        }
    }

    /** Stops, and returns when a shell has us go on, or at once where no shell is there that could. */
    private static void stopped() {
        try {
            Process shell = new ProcessBuilder(
                            "sh",
                            "-c",
                            STOP,
                            "sh",
                            String.valueOf(ProcessHandle.current().pid()))
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            shell.getOutputStream().close();
            shell.waitFor();
        } catch (IOException e) {
            // Who cannot be stopped goes on.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            handledBy(named("SIG_DFL"));
        } catch (ReflectiveOperationException e) {
            // It was heard, so it can be given back too.
        }
    }
}
