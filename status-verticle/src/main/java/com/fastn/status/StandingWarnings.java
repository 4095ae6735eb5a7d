package com.fastn.status;

import com.fastn.context.ContextRuntime;
import com.fastn.context.WarningIds;
import com.fastn.context.status.StatusWarning;
import com.fastn.context.status.WarningSeverity;
import java.util.ArrayList;
import java.util.List;

/** What is to be warned of as long as a node lives, because its options say so. */
final class StandingWarnings {
    private StandingWarnings() {}

    static List<StatusWarning> of(StatusOptions options, ContextRuntime runtime) {
        List<StatusWarning> warnings = new ArrayList<>();
        if (options.isCleartextForOthers()) {
            warnings.add(new StatusWarning(
                    WarningIds.HTTP_CLEARTEXT,
                    WarningSeverity.WARNING,
                    "the status port listens on " + Printable.line(options.getHttpHost())
                            + " without TLS, so the token and the status can be read on the way",
                    runtime.root().path().toString(),
                    "set httpTlsCert and httpTlsKey, and take allowCleartext away"));
        }
        return warnings;
    }
}
