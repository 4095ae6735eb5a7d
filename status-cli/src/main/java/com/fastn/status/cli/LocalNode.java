package com.fastn.status.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentHashMap;
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
 * @param tokenFile the file with the secret that its status port asks for, or {@code null} when it asks for none
 * @param ca the certificates that it is trusted by, or {@code null}
 * @param descriptor the file that says so
 */
record LocalNode(
        String alias,
        String incarnation,
        long pid,
        URI url,
        String started,
        @Nullable Path tokenFile,
        @Nullable Path ca,
        Path descriptor)
        implements Endpoint {
    private static final JsonFactory JSON = new JsonFactory();
    private static final Pattern LOOPBACK = Pattern.compile("127(\\.\\d{1,3}){3}|localhost|\\[::1]");
    /** Shorter beginnings of incarnations, which all begin with a time, would mean anything. */
    private static final int SHORTEST_PREFIX = 4;

    private static final int CONNECT_MILLIS = 200;

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
        String tokenFile = null;
        String ca = null;
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
                    case "token_file" -> tokenFile = json.getValueAsString();
                    case "ca_file" -> ca = json.getValueAsString();
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
        return new LocalNode(
                alias, incarnation, pid, checked(url, ca != null), started, path(tokenFile), path(ca), file);
    }

    private static @Nullable Path path(@Nullable String text) throws IOException {
        try {
            return text == null ? null : Path.of(text);
        } catch (InvalidPathException e) {
            throw new IOException("it names a file that there cannot be", e);
        }
    }

    /** In clear text nothing leaves this machine; a certificate of the node's own makes sure that it is the node. */
    private static URI checked(String url, boolean hasCertificate) throws IOException {
        @Nullable URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            throw new IOException("its url cannot be read", e);
        }
        boolean secure = "https".equals(uri.getScheme());
        if ((!secure && !"http".equals(uri.getScheme()))
                || uri.getHost() == null
                || !hasPort(uri)
                || !isHostAndPort(uri)
                || (!(secure && hasCertificate)
                        && !LOOPBACK.matcher(uri.getHost()).matches())) {
            throw new IOException("its url is not a http address of this machine");
        }
        return uri;
    }

    /** {@return whether an address has nothing beside a host and a port, where any text could hide} */
    private static boolean isHostAndPort(URI url) {
        return url.getUserInfo() == null
                && url.getQuery() == null
                && url.getFragment() == null
                && (url.getRawPath().isEmpty() || url.getRawPath().equals("/"));
    }

    /** {@return whether an address has a port that there can be, or none} */
    static boolean hasPort(URI url) {
        return url.getPort() == -1 || (url.getPort() >= 1 && url.getPort() <= 65_535);
    }

    /** {@return whether the name is this node's alias or the beginning of its incarnation} */
    boolean isNamed(String name) {
        return alias.equals(name) || (name.length() >= SHORTEST_PREFIX && incarnation.startsWith(name));
    }

    /** {@return whether something listens at its address, or nobody can tell} */
    boolean listens() {
        try (Socket socket = new Socket(Proxy.NO_PROXY)) {
            InetSocketAddress address = new InetSocketAddress(
                    Exchange.address(url.getHost(), CONNECT_MILLIS, new ConcurrentHashMap<>()), url.getPort());
            socket.connect(address, CONNECT_MILLIS);
            return true;
        } catch (ConnectException e) {
            return false;
        } catch (IOException | IllegalArgumentException e) {
            return true;
        }
    }

    @Override
    public @Nullable String token() {
        return tokenFile == null ? null : TokenFile.read(tokenFile);
    }

    /**
     * A certificate names a node as others reach it, such as {@code status.example}, and hardly ever as this machine does. Here it is
     * enough that it is the very one that the node itself tells of, in a descriptor that nobody else can write.
     */
    @Override
    public boolean isNamedByCertificate() {
        return ca == null;
    }

    @Override
    public String ifUntrusted() {
        if (ca == null) {
            return "name the certificate as ca_file in " + Printable.line(descriptor.toString())
                    + ", or have one that this Java trusts";
        }
        return "see whether " + Printable.line(ca.toString()) + ", which " + Printable.line(descriptor.toString())
                + " names, holds the certificate that the node was started with";
    }

    @Override
    public String expectation() {
        return "its process lives, but ";
    }

    @Override
    public String ifSilent() {
        return "see whether process " + pid + " is stopped or starved (kill -CONT, top), or wait longer with --timeout";
    }

    @Override
    public String ifAbsent() {
        return "the process may be another one by now that has the id of a node that was killed; if so: rm "
                + Shell.quoted(Printable.line(descriptor.toString()));
    }

    @Override
    public String ifStrange() {
        return "see what listens at " + Printable.line(url.toString()) + " (process " + pid + ")";
    }

    @Override
    public String ifRefused() {
        return "see whether the token file that " + Printable.line(descriptor.toString()) + " names is the node's own";
    }

    /** {@return the node for people: alias, process and address on one line} */
    @Override
    public String described() {
        return Printable.line(alias) + " (pid " + pid + ", " + Printable.line(url.toString()) + ")";
    }
}
