package com.fastn.status.http;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a status port listens, and whom it lets in.
 *
 * @param host the address
 * @param port its number, 0 for any free one
 * @param allowedHosts further values of the header Host that are answered
 * @param token what everybody has to send, or {@code null} when nobody has to
 * @param tls the certificate, or {@code null} for cleartext
 */
public record HttpSettings(
        String host,
        int port,
        List<String> allowedHosts,
        @Nullable AccessToken token,
        @Nullable Tls tls) {
    private static final Pattern LOOPBACK = Pattern.compile("127(\\.\\d{1,3}){3}|localhost|\\[?::1]?|0:0:0:0:0:0:0:1");

    /** Copies the list. */
    public HttpSettings {
        requireNonNull(host, "host");
        allowedHosts = List.copyOf(allowedHosts);
    }

    /**
     * {@return whether an address can be reached from its own machine only} Decided by the text alone: a name that must be
     * looked up could lead anywhere tomorrow.
     *
     * @param host the address
     */
    public static boolean isLoopback(String host) {
        return LOOPBACK.matcher(host).matches();
    }

    /** {@return the scheme of the addresses} */
    String scheme() {
        return tls == null ? "http" : "https";
    }

    /** {@return the address as it stands in a URL} */
    String urlHost() {
        boolean bareV6 = host.contains(":") && !host.startsWith("[");
        return bareV6 ? "[" + host + "]" : host;
    }

    /** {@return an address that leads here from this machine} Nothing can connect to "all addresses". */
    String reachableHost() {
        return switch (host) {
            case "0.0.0.0" -> "127.0.0.1";
            case "::", "[::]" -> "[::1]";
            default -> urlHost();
        };
    }

    /**
     * A certificate and its key.
     *
     * @param certificate a file with the chain, as PEM
     * @param key a file with the private key, as PEM
     */
    public record Tls(Path certificate, Path key) {}
}
