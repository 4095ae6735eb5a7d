package com.fastn.status;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Decides whether a request may be answered at all, before anything else looks at it (rules S9 to S11). */
final class HttpGate {
    private final Set<String> allowedHosts = new HashSet<>();

    /**
     * Makes a gate.
     *
     * @param port the port that listens
     * @param further values of the Host header that are answered beside this machine's own
     */
    HttpGate(int port, List<String> further) {
        for (String name : List.of("localhost", "127.0.0.1", "[::1]")) {
            allowedHosts.add(name + ":" + port);
            if (port == 80) {
                allowedHosts.add(name);
            }
        }
        further.forEach(host -> allowedHosts.add(host.toLowerCase(Locale.ROOT)));
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
            if (!origin.equalsIgnoreCase("http://" + host)) {
                return new Refusal(403, "pages of other origins are not answered");
            }
        }
        if (request.fetchSites().contains("cross-site")) {
            return new Refusal(403, "pages of other sites are not answered");
        }
        if (request.hasBody()) {
            return new Refusal(413, "a request for status has no body");
        }
        return null;
    }

    /**
     * The head of a request, with all values of the headers that matter.
     *
     * @param method the method
     * @param hosts the values of Host
     * @param origins the values of Origin
     * @param fetchSites the values of Sec-Fetch-Site
     * @param hasBody whether a body is announced
     */
    record Head(String method, List<String> hosts, List<String> origins, List<String> fetchSites, boolean hasBody) {}

    /**
     * A refusal.
     *
     * @param status the status of the response
     * @param sentence why, for whoever asked
     */
    record Refusal(int status, String sentence) {}
}
