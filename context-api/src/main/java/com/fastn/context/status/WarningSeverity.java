package com.fastn.context.status;

/** How bad a warning is. */
public enum WarningSeverity {
    /** Good to know; also good news. */
    INFO,
    /** A potential issue. */
    WARNING,
    /** A likely problem. */
    CRITICAL
}
