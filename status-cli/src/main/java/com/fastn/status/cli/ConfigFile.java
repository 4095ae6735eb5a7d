package com.fastn.status.cli;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.dataformat.toml.TomlFactory;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the file of the configuration. It and {@link ConfigLines} alone know its syntax, so that who has no such file pays nothing. */
final class ConfigFile {
    private static final int LARGEST = 256 << 10;
    private static final List<String> KEYS = List.of("url", "token_file", "ca");
    private static final Pattern LOOPBACK = Pattern.compile("127(\\.\\d{1,3}){3}|localhost|\\[::1]");
    private static final Pattern ALIAS = Pattern.compile("[^,\\s]{1,256}");

    private final Path file;
    /** What stands in it, once that is read. */
    private String text = "";

    private ConfigFile(Path file) {
        this.file = file;
    }

    /**
     * Reads a configuration.
     *
     * @param file where it stands
     * @return the nodes that it names
     * @throws Trouble if it is wrong; the trouble names the place
     */
    static List<RemoteNode> read(Path file) {
        return new ConfigFile(file).nodes();
    }

    private List<RemoteNode> nodes() {
        Map<String, Map<String, String>> nodes = tables();
        List<RemoteNode> read = new ArrayList<>();
        nodes.forEach((alias, values) -> read.add(node(alias, values)));
        return read;
    }

    private Map<String, Map<String, String>> tables() {
        TomlFactory toml = TomlFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(20)
                        .maxStringLength(64 << 10)
                        .maxDocumentLength(LARGEST)
                        .build())
                .build();
        Map<String, Map<String, String>> nodes = new LinkedHashMap<>();
        Deque<String> path = new ArrayDeque<>();
        try {
            // Of a file in a folder that may not be looked into, this says so, and not that there is none.
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            if (!attributes.isRegularFile() || attributes.size() > LARGEST) {
                throw unread(
                        "it is " + (attributes.isDirectory() ? "a folder, and no" : "no") + " file of at most "
                                + (LARGEST >> 10) + " KiB",
                        "put a file there, or name another one: FASTN_CONFIG; docs/command.md shows a whole one");
            }
            text = text(Files.readAllBytes(file));
            try (JsonParser parser = toml.createParser(text)) {
                for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                    switch (token) {
                        case FIELD_NAME -> path.addLast(parser.currentName());
                        case START_OBJECT -> {
                            begin(path, nodes);
                        }
                        case END_OBJECT -> path.pollLast();
                        case START_ARRAY -> throw wrong(path, "is a list, and no list is expected there");
                        default -> {
                            value(List.copyOf(path), token, parser.getText(), nodes);
                            path.removeLast();
                        }
                    }
                }
            }
        } catch (JsonProcessingException e) {
            JsonLocation place = e.getLocation();
            String message = e.getOriginalMessage();
            throw wrong((place == null ? "" : told(place, text))
                    + (message.contains("Premature end of file")
                            ? "the file ends within a line such as key = \"value\""
                            : message));
        } catch (AccessDeniedException e) {
            String unseen = unseen(file);
            throw unseen == null
                    ? unread(Printable.reason(e), "chmod u+r " + quoted(file) + ", or be who it belongs to")
                    : unread(unseen, "be who it belongs to, or name another one: FASTN_CONFIG");
        } catch (IOException e) {
            throw unread("it cannot be read (" + Printable.reason(e) + ")", "look at the file: ls -l " + quoted(file));
        }
        return nodes;
    }

    private String text(byte[] bytes) {
        CharBuffer text = CharBuffer.allocate(bytes.length);
        ByteBuffer read = ByteBuffer.wrap(bytes);
        // What is malformed is where it stops.
        if (StandardCharsets.UTF_8.newDecoder().decode(read, text, true).isError()) {
            int line = 1;
            for (int i = 0; i < read.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw unread(
                    "line " + line + " is no UTF-8",
                    "write it as UTF-8, such as by: iconv -f ISO-8859-1 -t UTF-8 " + quoted(file));
        }
        return text.flip().toString();
    }

    private static String quoted(Path file) {
        return Shell.quoted(Printable.line(file.toString()));
    }

    /** {@return why nobody here knows whether a file is there, or {@code null} when it is known} */
    static @Nullable String unseen(Path file) {
        try {
            Files.readAttributes(file, BasicFileAttributes.class);
            return null;
        } catch (AccessDeniedException e) {
            Path closed = closedFolder(file);
            // A link that is seen may lead through a folder that is not.
            return "you may not look "
                    + (closed == null ? "where it leads" : "into " + Printable.line(closed.toString()));
        } catch (IOException e) {
            return null;
        }
    }

    private static @Nullable Path closedFolder(Path file) {
        Path closed = file.toAbsolutePath();
        for (Path above = closed.getParent(); above != null && !Files.isExecutable(above); above = above.getParent()) {
            closed = above;
        }
        return Files.isDirectory(closed) ? closed : null;
    }

    /** What is wrong with a line may be known only when the next one begins, and between them may be empty ones and remarks. */
    private static String told(JsonLocation place, String text) {
        int line = place.getLineNr();
        if (place.getColumnNr() > 1 || line <= 1) {
            return "line " + line + ", column " + place.getColumnNr() + ": ";
        }
        String[] lines = text.split("\n", -1);
        line = Math.min(line, lines.length + 1) - 1;
        while (line > 1
                && (lines[line - 1].isBlank() || lines[line - 1].stripLeading().startsWith("#"))) {
            line--;
        }
        return "line " + line + ": ";
    }

    private void begin(Deque<String> path, Map<String, Map<String, String>> nodes) {
        List<String> names = List.copyOf(path);
        if (!names.isEmpty() && !names.get(0).equals("nodes")) {
            throw unknown(names.subList(0, 1));
        }
        if (names.size() == 2) {
            if (!ALIAS.matcher(names.get(1)).matches()) {
                throw wrong(names, "is no alias: it has no comma and no space");
            }
            nodes.put(names.get(1), new LinkedHashMap<>());
        } else if (names.size() > 2) {
            throw wrong(names, "is a table, and " + String.join(", ", KEYS) + " are texts");
        }
    }

    private void value(List<String> names, JsonToken token, String value, Map<String, Map<String, String>> nodes) {
        if (names.size() < 3) {
            throw unknown(names);
        }
        String key = names.get(2);
        if (!KEYS.contains(key)) {
            throw wrong(names, "is not known; known are " + String.join(", ", KEYS));
        }
        if (token != JsonToken.VALUE_STRING || value.isBlank()) {
            throw wrong(names, "wants a text in quotes");
        }
        Map<String, String> node = nodes.get(names.get(1));
        if (node != null) {
            node.put(key, value);
        }
    }

    private Trouble unknown(List<String> names) {
        String what = names.get(0).equals("nodes") ? "is no table" : "is not known";
        return wrong(names, what + "; nodes stand in tables such as [nodes.prod]");
    }

    private RemoteNode node(String alias, Map<String, String> values) {
        String address = values.get("url");
        if (address == null) {
            throw wrong(List.of("nodes", alias), "has no url, such as url = \"https://prod.example:8443\"");
        }
        List<String> place = key(alias, "url");
        URI url = url(place, address);
        boolean secure = url.getScheme().equals("https");
        Path token = path(key(alias, "token_file"), values.get("token_file"));
        Path ca = path(key(alias, "ca"), values.get("ca"));
        if (!secure && token != null && !isLoopback(url.getHost())) {
            throw wrong(place, "is http, and the token would be read by anybody on the way; use https");
        }
        if (!secure && ca != null) {
            throw wrong(key(alias, "ca"), "has a meaning for https alone, and the url is http");
        }
        return new RemoteNode(alias, url, token, ca, file);
    }

    private static List<String> key(String alias, String key) {
        return List.of("nodes", alias, key);
    }

    /** {@return whether a host is this machine, by its text alone} */
    static boolean isLoopback(String host) {
        return LOOPBACK.matcher(host).matches();
    }

    private URI url(List<String> place, String address) {
        try {
            URI url = new URI(address);
            boolean web = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
            if (!web || url.getHost() == null) {
                throw wrong(place, "is no address such as https://prod.example:8443");
            }
            if (url.getUserInfo() != null || url.getQuery() != null || url.getFragment() != null) {
                throw wrong(place, "holds more than a host and a port; a secret belongs into token_file");
            }
            if (!LocalNode.hasPort(url)) {
                throw wrong(place, "has the port " + url.getPort() + "; ports are 1 to 65535");
            }
            if (!url.getRawPath().isEmpty() && !url.getRawPath().equals("/")) {
                throw wrong(
                        place,
                        "ends in " + url.getRawPath()
                                + ", and a status port answers at the root of its address; leave that out");
            }
            return url;
        } catch (URISyntaxException e) {
            throw wrong(place, "is no address such as https://prod.example:8443");
        }
    }

    /** Relative to the configuration, so that a folder can be moved. */
    private @Nullable Path path(List<String> place, @Nullable String name) {
        if (name == null) {
            return null;
        }
        String home = System.getProperty("user.home");
        try {
            return name.startsWith("~/") && home != null
                    ? Path.of(home, name.substring(2))
                    : file.toAbsolutePath().resolveSibling(name);
        } catch (InvalidPathException e) {
            throw wrong(place, "names a file that there cannot be");
        }
    }

    private Trouble unread(String why, String next) {
        return new Trouble(
                ExitCode.ERROR, "the configuration " + Printable.line(file.toString()) + " is not read", why, next);
    }

    /** What is wrong with a key or table, with the line where it stands; the line is left out where it is not found. */
    private Trouble wrong(Collection<String> names, String why) {
        int line = ConfigLines.of(text, List.copyOf(names));
        return wrong((line == 0 ? "" : "line " + line + ": ") + String.join(".", names) + " " + why);
    }

    private Trouble wrong(String why) {
        return new Trouble(
                ExitCode.ERROR,
                "the configuration " + Printable.line(file.toString()) + " is not understood",
                Printable.line(why),
                "correct that line; docs/command.md shows a whole one");
    }
}
