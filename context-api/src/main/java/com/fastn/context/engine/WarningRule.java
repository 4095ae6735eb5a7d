package com.fastn.context.engine;

import com.fastn.context.status.WarningSeverity;

/** One thing that a snapshot is looked through for. It has no state, so one serves all snapshots. */
interface WarningRule {
    /** The stable id, one of {@link com.fastn.context.WarningIds}. */
    String id();

    /** How bad it is, unless a setting says otherwise. */
    WarningSeverity severity();

    /** What there are more of, for "+3 more waiters stuck". */
    String plural();

    void judge(Evidence evidence, Findings findings);
}
