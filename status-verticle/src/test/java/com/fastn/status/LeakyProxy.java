package com.fastn.status;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A status port with one guard removed: it passes requests on to a real port, after it has cleaned away what that guard looks
 * for, or answers as if there were no guard at all. A check that holds here too proves nothing.
 */
final class LeakyProxy implements AutoCloseable {
    enum Hole {
        HOST,
        ORIGIN,
        METHOD,
        BODY,
        TOKEN,
        FORWARDED,
        HEADERS,
        /** No limit of anything: everybody is answered at once, and nobody is ever sent away. */
        LIMITS
    }

    private final Hole hole;
    private final URI real;
    private final String token;
    private final ServerSocket server;
    private final List<Socket> held = new ArrayList<>();

    LeakyProxy(Hole hole, String realUrl, String token) {
        this.hole = hole;
        this.real = URI.create(realUrl);
        this.token = token;
        try {
            this.server = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread acceptor = new Thread(this::accept, "leaky-proxy");
        acceptor.setDaemon(true);
        acceptor.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                synchronized (held) {
                    held.add(socket);
                }
                Thread thread = new Thread(() -> serve(socket), "leaky-proxy-connection");
                thread.setDaemon(true);
                thread.start();
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try {
            String head = head(socket.getInputStream());
            if (hole == Hole.LIMITS) {
                socket.getOutputStream()
                        .write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".getBytes(StandardCharsets.UTF_8));
                socket.getOutputStream().flush();
                while (socket.getInputStream().read() >= 0) {
                    // Whatever else is asked, until the other end has said all.
                }
                socket.close();
                return;
            }
            String answer = RawHttp.exchange(real.toString(), laundered(head));
            if (hole == Hole.HEADERS) {
                answer = answer.replaceAll("(?i)content-security-policy: [^\r]*\r\n", "");
            }
            socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
            socket.close();
        } catch (IOException e) {
            // The other end is gone.
        }
    }

    private static String head(InputStream in) throws IOException {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        int tail = 0;
        while (tail != 0x0d0a0d0a) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("no head");
            }
            read.write(next);
            tail = (tail << 8) | next;
        }
        return read.toString(StandardCharsets.UTF_8);
    }

    private String laundered(String head) {
        StringBuilder out = new StringBuilder();
        String own = "127.0.0.1:" + server.getLocalPort();
        List<String> lines = head.strip().lines().toList();
        String first = lines.get(0);
        out.append(hole == Hole.METHOD ? first.replaceFirst("^[^ ]+", "GET") : first)
                .append("\r\n");
        for (String line : lines.subList(1, lines.size())) {
            String name = line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT);
            boolean drop = switch (hole) {
                case HOST -> name.equals("host");
                case ORIGIN -> name.equals("origin") || name.equals("sec-fetch-site");
                case BODY -> name.equals("content-length") || name.equals("transfer-encoding");
                case TOKEN -> name.equals("authorization");
                case FORWARDED -> name.equals("x-forwarded-for");
                default -> false;
            };
            if (!drop) {
                out.append(line.replace(own, real.getAuthority())).append("\r\n");
            }
        }
        if (hole == Hole.HOST) {
            out.append("Host: ").append(real.getAuthority()).append("\r\n");
        }
        if (hole == Hole.TOKEN) {
            out.append("Authorization: Bearer ").append(token).append("\r\n");
        }
        return out.append("\r\n").toString();
    }

    @Override
    public void close() {
        try {
            server.close();
            synchronized (held) {
                for (Socket socket : held) {
                    socket.close();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
