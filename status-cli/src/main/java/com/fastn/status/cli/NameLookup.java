package com.fastn.status.cli;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Looks up the name of a host, for no longer than there is time: the JDK waits for as long as the resolver of the system does. */
final class NameLookup {
    private NameLookup() {}

    /** That the name was not looked up in time. */
    static final class LateException extends IOException {
        private static final long serialVersionUID = 1;
    }

    /**
     * {@return the address of a host}
     *
     * @param host its name
     * @param millis how long it may take
     * @param running the look-ups that have not ended yet, by name. One that is late cannot be ended either, so who tries again waits
     *     for it: otherwise a resolver that never answers would have a thread of each try
     * @throws IOException if there is none, or not in time
     */
    static InetAddress of(String host, int millis, Map<String, Future<InetAddress>> running) throws IOException {
        return of(host, () -> InetAddress.getByName(host), millis, running);
    }

    /** The same by another resolver. */
    static InetAddress of(
            String host, Callable<InetAddress> resolver, int millis, Map<String, Future<InetAddress>> running)
            throws IOException {
        FutureTask<InetAddress> own = new FutureTask<>(() -> {
            try {
                return resolver.call();
            } finally {
                // Before it has ended, so that nobody takes what was said to somebody else earlier.
                running.keySet().remove(host);
            }
        });
        Future<InetAddress> before = running.putIfAbsent(host, own);
        if (before == null) {
            Thread thread = new Thread(own, "fastn-lookup");
            // It holds up nobody.
            thread.setDaemon(true);
            thread.start();
        }
        Future<InetAddress> lookup = before == null ? own : before;
        try {
            return lookup.get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new LateException();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
        }
    }
}
