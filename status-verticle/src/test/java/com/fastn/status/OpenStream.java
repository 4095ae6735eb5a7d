package com.fastn.status;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A stream of the status port, read line by line like a client does it. */
final class OpenStream implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 60_000;

    private final Socket socket;
    private final BufferedReader lines;
    private final List<String> head = new ArrayList<>();

    OpenStream(String url, String target, String... headers) {
        URI uri = URI.create(url);
        try {
            socket = new Socket(uri.getHost(), uri.getPort());
            socket.setSoTimeout(TIMEOUT_MILLIS);
            StringBuilder request =
                    new StringBuilder("GET " + target + " HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\n");
            for (String header : headers) {
                request.append(header).append("\r\n");
            }
            socket.getOutputStream().write(request.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().flush();
            lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            String line = lines.readLine();
            while (line != null && !line.isEmpty()) {
                head.add(line);
                line = lines.readLine();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int status() {
        return head.isEmpty() ? 0 : Integer.parseInt(head.get(0).substring(9, 12));
    }

    String header(String name) {
        return head.stream()
                .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                .map(line -> line.substring(name.length() + 1).trim())
                .findFirst()
                .orElse("");
    }

    /** {@return the next line of the body that is not the size of a chunk} */
    String line() {
        try {
            while (true) {
                String line = lines.readLine();
                if (line == null) {
                    throw new AssertionError("the stream ended");
                }
                // Sizes of chunks stand alone; JSON and the fields of events never look like one.
                if (!line.matches("[0-9a-fA-F]{1,8}")) {
                    return line;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return the next line that is not empty} */
    String document() {
        String line = line();
        while (line.isEmpty()) {
            line = line();
        }
        return line;
    }

    /** {@return the next event: its fields, comments left out} */
    Map<String, String> event() {
        Map<String, String> fields = new LinkedHashMap<>();
        while (true) {
            String line = line();
            if (line.isEmpty()) {
                if (fields.containsKey("data")) {
                    return fields;
                }
                continue;
            }
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).trim());
            }
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
