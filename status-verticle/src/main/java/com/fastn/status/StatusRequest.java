package com.fastn.status;

import com.fastn.status.http.HttpQuestion;
import com.fastn.status.http.HttpRefusalException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A question for status as it comes over HTTP.
 *
 * @param query what to ask
 * @param cluster whether other nodes are meant too
 * @param recent whether contexts that ended are wanted
 * @param deltas whether a stream may tell what changed, instead of everything
 */
record StatusRequest(StatusQuery query, boolean cluster, boolean recent, boolean deltas) {

    /**
     * Reads the parameters of a request that is answered once.
     *
     * @param question the request
     * @param further parameters that the route reads itself
     * @return what it asks for
     * @throws HttpRefusalException if it is not understood
     */
    static StatusRequest once(HttpQuestion question, String... further) {
        StatusQuery.Format preferred = question.accept().contains("application/json")
                        && !question.accept().contains("text/html")
                ? StatusQuery.Format.JSON
                : StatusQuery.Format.TEXT;
        Map<String, String> parameters = new LinkedHashMap<>(question.parameters());
        List.of(further).forEach(parameters::remove);
        return of(parameters, preferred);
    }

    /**
     * Reads the parameters of a request that is answered as a stream, whose format is of the stream and not of what it tells.
     *
     * @param question the request
     * @return what it asks for
     * @throws HttpRefusalException if it is not understood
     */
    static StatusRequest stream(HttpQuestion question) {
        Map<String, String> parameters = new LinkedHashMap<>(question.parameters());
        parameters.put("format", StatusQuery.Format.JSON.text());
        StatusRequest request = of(parameters, StatusQuery.Format.JSON);
        if (request.deltas && (request.cluster || request.recent)) {
            throw new HttpRefusalException(
                    400,
                    "deltas are of one node's tree; leave out " + (request.cluster ? "nodes and scope" : "recent")
                            + ", or deltas");
        }
        return request;
    }

    private static StatusRequest of(Map<String, String> parameters, StatusQuery.Format preferred) {
        try {
            StatusQuery query = StatusQuery.ofParameters(parameters, preferred);
            String scope = parameters.getOrDefault("scope", "node");
            if (!scope.equals("node") && !scope.equals("cluster")) {
                throw new BadQueryException(
                        BadQueryException.MALFORMED, NearestNames.unknown("scope", scope, List.of("cluster", "node")));
            }
            boolean cluster = scope.equals("cluster") || !query.nodes().isEmpty();
            return new StatusRequest(query, cluster, flag(parameters, "recent"), flag(parameters, "deltas"));
        } catch (BadQueryException e) {
            throw new HttpRefusalException(e.code(), e.sentence());
        }
    }

    private static boolean flag(Map<String, String> parameters, String key) {
        String value = parameters.getOrDefault(key, "false");
        if (!value.equals("true") && !value.equals("false")) {
            throw new HttpRefusalException(400, "\"" + key + "\" is true or false");
        }
        return value.equals("true");
    }
}
