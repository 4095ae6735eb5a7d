package com.fastn.context.engine;

import com.fastn.context.status.WarningSeverity;

/** A rule that knows how it is called and how bad it is. */
abstract class NamedRule implements WarningRule {
    private final String id;
    private final WarningSeverity severity;
    private final String plural;

    NamedRule(String id, WarningSeverity severity, String plural) {
        this.id = id;
        this.severity = severity;
        this.plural = plural;
    }

    @Override
    public final String id() {
        return id;
    }

    @Override
    public final WarningSeverity severity() {
        return severity;
    }

    @Override
    public final String plural() {
        return plural;
    }
}
