package com.fastn.status.http;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A request that was let in.
 *
 * @param parameters the parameters of its query, each once
 * @param accept the header Accept, or an empty text
 * @param local whether it was asked on this machine, and not through a proxy
 * @param trusted whether it carried the token, or none is wanted
 */
public record HttpQuestion(Map<String, String> parameters, String accept, boolean local, boolean trusted) {
    /** Copies the parameters. */
    public HttpQuestion {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }
}
