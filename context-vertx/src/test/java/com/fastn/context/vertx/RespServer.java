package com.fastn.context.vertx;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The end of Redis's protocol that a test needs: it answers {@code PING}, refuses what a client asks about versions, and leaves
 * every other command unanswered until the test answers it.
 */
final class RespServer implements AutoCloseable {
    private final ServerSocket server;
    private final List<Asked> open = new CopyOnWriteArrayList<>();

    RespServer() {
        try {
            server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        start(this::accept);
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "resp-server");
        thread.setDaemon(true);
        thread.start();
    }

    int port() {
        return server.getLocalPort();
    }

    /** The command that has not been answered; it is none afterwards. */
    Asked take() {
        Waiting.until(() -> !open.isEmpty());
        return open.remove(0);
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                start(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            for (List<String> words = command(in); !words.isEmpty(); words = command(in)) {
                Asked asked = new Asked(words, socket);
                switch (words.get(0).toUpperCase(java.util.Locale.ROOT)) {
                    case "PING" -> asked.answer("+PONG");
                    case "HELLO", "CLIENT" -> asked.answer("-ERR unknown command");
                    default -> open.add(asked);
                }
            }
        } catch (IOException e) {
            // The client has left.
        }
    }

    /** A command is an array of strings, each with its length before it. */
    private static List<String> command(InputStream in) throws IOException {
        List<String> words = new ArrayList<>();
        String head = line(in);
        int count = head.isEmpty() ? 0 : Integer.parseInt(head.substring(1));
        for (int i = 0; i < count; i++) {
            int length = Integer.parseInt(line(in).substring(1));
            words.add(new String(in.readNBytes(length), StandardCharsets.UTF_8));
            line(in);
        }
        return words;
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    /** A command that a client waits for. */
    record Asked(List<String> words, Socket socket) {
        void answer(String line) throws IOException {
            OutputStream out = socket.getOutputStream();
            out.write((line + "\r\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        }
    }
}
