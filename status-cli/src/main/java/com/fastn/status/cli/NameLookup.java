package com.fastn.status.cli;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
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
     * @throws IOException if there is none, or not in time
     */
    static InetAddress of(String host, int millis) throws IOException {
        return of(() -> InetAddress.getByName(host), millis);
    }

    /** The same by another resolver. */
    static InetAddress of(Callable<InetAddress> resolver, int millis) throws IOException {
        FutureTask<InetAddress> lookup = new FutureTask<>(resolver);
        Thread thread = new Thread(lookup, "fastn-lookup");
        // It cannot be ended, and holds up nobody.
        thread.setDaemon(true);
        thread.start();
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
