package com.fastn.status;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Sends whatever bytes a test wants to send; clients proper refuse to be rude. */
final class RawHttp {
    /** How the error begins where nothing came. */
    static final String NO_RESPONSE = "no response to: ";
    /** How it begins where something else came. */
    static final String NOT_A_RESPONSE = "not a response: ";

    private static final int TIMEOUT_MILLIS = 60_000;

    private RawHttp() {}

    static Response get(String url, String target, String... headers) {
        URI uri = URI.create(url);
        StringBuilder head = new StringBuilder("GET " + target + " HTTP/1.1\r\n");
        boolean host =
                Arrays.stream(headers).anyMatch(h -> h.toLowerCase(Locale.ROOT).startsWith("host"));
        if (!host) {
            head.append("Host: ").append(uri.getAuthority()).append("\r\n");
        }
        for (String header : headers) {
            if (!header.equals("host:none")) {
                head.append(header).append("\r\n");
            }
        }
        return send(url, head.append("Connection: close\r\n\r\n").toString());
    }

    static Response send(String url, String request) {
        return Response.parse(exchange(url, request));
    }

    static String exchange(String url, String request) {
        URI uri = URI.create(url);
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()), TIMEOUT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().flush();
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            socket.getInputStream().transferTo(all);
            return all.toString(StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AssertionError(NO_RESPONSE + request.lines().findFirst(), e);
        }
    }

    record Response(int status, Map<String, String> headers, String body) {
        static Response parse(String text) {
            int split = text.indexOf("\r\n\r\n");
            if (split < 0) {
                throw new AssertionError(NOT_A_RESPONSE + text);
            }
            List<String> lines = text.substring(0, split).lines().toList();
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            for (int i = 1; i < lines.size(); i++) {
                int colon = lines.get(i).indexOf(':');
                headers.put(
                        lines.get(i).substring(0, colon),
                        lines.get(i).substring(colon + 1).trim());
            }
            return new Response(Integer.parseInt(lines.get(0).substring(9, 12)), headers, text.substring(split + 4));
        }
    }
}
