package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A node of this machine, as its descriptor tells.
 *
 * @param alias what its operator calls it
 * @param incarnation which life of it
 * @param pid its process
 * @param url where its status port listens
 * @param started when it started, as text
 * @param descriptor the file that says so
 */
record LocalNode(String alias, String incarnation, long pid, URI url, String started, Path descriptor) {
    private static final JsonFactory JSON = new JsonFactory();
    private static final Pattern LOOPBACK = Pattern.compile("127(\\.\\d{1,3}){3}|localhost|\\[::1]");
    /** Shorter beginnings of incarnations, which all begin with a time, would mean anything. */
    private static final int SHORTEST_PREFIX = 4;

    /**
     * Reads a descriptor.
     *
     * @param file where it stands
     * @param content what it says
     * @return the node
     * @throws IOException if it is no descriptor, or points away from this machine; the message says what is wrong
     */
    static LocalNode read(Path file, byte[] content) throws IOException {
        String alias = null;
        String incarnation = null;
        String url = null;
        String started = "";
        long pid = -1;
        try (JsonParser json = JSON.createParser(content)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("it is no JSON object");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                JsonToken value = json.nextToken();
                switch (field) {
                    case "alias" -> alias = json.getValueAsString();
                    case "incarnation" -> incarnation = json.getValueAsString();
                    case "url" -> url = json.getValueAsString();
                    case "started" -> started = requireNonNull(json.getValueAsString(""));
                    case "pid" -> pid = json.getValueAsLong(-1);
                    default -> {
                        if (value != null && value.isStructStart()) {
                            json.skipChildren();
                        }
                    }
                }
            }
        }
        if (alias == null || incarnation == null || url == null || pid < 0) {
            throw new IOException("it lacks one of alias, incarnation, url and pid");
        }
        return new LocalNode(alias, incarnation, pid, loopback(url), started, file);
    }

    private static URI loopback(String url) throws IOException {
        @Nullable URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            throw new IOException("its url cannot be read", e);
        }
        if (!"http".equals(uri.getScheme())
                || uri.getHost() == null
                || !LOOPBACK.matcher(uri.getHost()).matches()) {
            throw new IOException("its url is not a http address of this machine");
        }
        return uri;
    }

    /** {@return whether the name is this node's alias or the beginning of its incarnation} */
    boolean isNamed(String name) {
        return alias.equals(name) || (name.length() >= SHORTEST_PREFIX && incarnation.startsWith(name));
    }

    /** {@return the node for people: alias, process and address on one line} */
    String described() {
        return Printable.line(alias) + " (pid " + pid + ", " + url + ")";
    }
}
