package com.fastn.status.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The files of the web page, by their path. They are the same on every node and tell nothing of any. */
final class PageFiles {
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "svg", "image/svg+xml");
    private static final String[] NAMES = {
        "index.html", "page.css", "page.js", "status-client.js", "tree-view.js", "dom.js", "chart.js", "icon.svg"
    };

    private final Map<String, HttpReply> files = new LinkedHashMap<>();

    /** Reads the files out of the jar. */
    PageFiles() {
        for (String name : NAMES) {
            String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
            HttpReply file = new HttpReply(200, String.valueOf(type), read(name));
            files.put(name.equals("index.html") ? "/" : "/" + name, file);
        }
    }

    private static byte[] read(String name) {
        try (InputStream in = PageFiles.class.getResourceAsStream("page/" + name)) {
            if (in == null) {
                throw new IllegalStateException(
                        "the jar of fastn-status-verticle is not whole: page/" + name + " is missing; take it anew");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return the file of a path, or {@code null} when there is none} */
    @Nullable
    HttpReply at(@Nullable String path) {
        return path == null ? null : files.get(path);
    }
}
