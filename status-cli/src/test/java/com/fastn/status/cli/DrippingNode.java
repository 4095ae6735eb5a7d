package com.fastn.status.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/** A status port that begins an answer and then says one more byte now and then, for as long as somebody listens. */
final class DrippingNode implements AutoCloseable {
    private static final long PAUSE_NANOS = 20_000_000;

    private final ServerSocket port;
    private final String beginning;
    private final String drop;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();

    /**
     * Makes one.
     *
     * @param beginning is said at once
     * @param drop is said again and again
     */
    DrippingNode(String beginning, String drop) {
        try {
            port = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.beginning = beginning;
        this.drop = drop;
        start(this::accept);
    }

    private static void start(Runnable what) {
        Thread thread = new Thread(what, "dripping-node");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!port.isClosed()) {
            try {
                Socket socket = port.accept();
                sockets.add(socket);
                start(() -> drip(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void drip(Socket socket) {
        try (socket) {
            OutputStream out = socket.getOutputStream();
            out.write(beginning.getBytes(StandardCharsets.ISO_8859_1));
            while (true) {
                out.write(drop.getBytes(StandardCharsets.ISO_8859_1));
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } catch (IOException e) {
            // Nobody listens any more.
        }
    }

    String url() {
        return "http://127.0.0.1:" + port.getLocalPort();
    }

    @Override
    public void close() {
        try {
            port.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
