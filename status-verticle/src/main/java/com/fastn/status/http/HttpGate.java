package com.fastn.status.http;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Decides whether a request may be answered at all, before anything else looks at it (rules S3, S9 to S12). */
final class HttpGate {
    private final Set<String> allowedHosts = new HashSet<>();
    private final String scheme;
    private final @Nullable AccessToken token;

    /**
     * Makes a gate.
     *
     * @param settings whom to let in
     * @param port the port that listens
     */
    HttpGate(HttpSettings settings, int port) {
        this.scheme = settings.scheme();
        this.token = settings.token();
        String standard = settings.tls() == null ? ":80" : ":443";
        for (String name : List.of("localhost", "127.0.0.1", "[::1]", settings.urlHost())) {
            allow(name + ":" + port);
            if (standard.equals(":" + port)) {
                allow(name);
            }
        }
        settings.allowedHosts().forEach(this::allow);
    }

    private void allow(String host) {
        allowedHosts.add(host.toLowerCase(Locale.ROOT));
    }

    /**
     * Looks at the head of a request.
     *
     * @param request the head
     * @return why it is refused, or {@code null} when it is not
     */
    @Nullable
    Refusal refuse(Head request) {
        if (!request.method().equals("GET") && !request.method().equals("HEAD")) {
            return new Refusal(405, "only GET and HEAD are answered: status changes nothing");
        }
        if (request.hosts().size() != 1
                || !allowedHosts.contains(request.hosts().get(0).toLowerCase(Locale.ROOT))) {
            return new Refusal(
                    421,
                    "this Host is not answered here; use the address that the node wrote into its"
                            + " descriptor, or add the host to allowedHosts");
        }
        String host = request.hosts().get(0);
        for (String origin : request.origins()) {
            if (!origin.equalsIgnoreCase(scheme + "://" + host)) {
                return new Refusal(403, "pages of other origins are not answered");
            }
        }
        if (request.fetchSites().contains("cross-site")) {
            return new Refusal(403, "pages of other sites are not answered");
        }
        if (request.hasBody()) {
            return new Refusal(413, "a request for status has no body");
        }
        if (token == null) {
            return request.forwarded()
                    ? new Refusal(
                            403,
                            "this request came through a proxy, and this node asks for no token; set httpTokenFile, or"
                                    + " ask it directly")
                    : null;
        }
        return request.open() || token.isIn(request.authorizations()) ? null : new Refusal(401, "a token is wanted");
    }

    /**
     * {@return whether a request showed that it may know everything}
     *
     * @param authorizations the values of its header Authorization
     */
    boolean isTrusted(List<String> authorizations) {
        return token == null || token.isIn(authorizations);
    }

    /**
     * The head of a request, with all values of the headers that matter.
     *
     * @param method the method
     * @param hosts the values of Host
     * @param origins the values of Origin
     * @param fetchSites the values of Sec-Fetch-Site
     * @param authorizations the values of Authorization
     * @param forwarded whether a proxy says that it passed the request on
     * @param hasBody whether a body is announced
     * @param open whether what it asks for is told without a token
     */
    record Head(
            String method,
            List<String> hosts,
            List<String> origins,
            List<String> fetchSites,
            List<String> authorizations,
            boolean forwarded,
            boolean hasBody,
            boolean open) {}

    /**
     * A refusal.
     *
     * @param status the status of the response
     * @param sentence why, for whoever asked
     */
    record Refusal(int status, String sentence) {}
}
