package com.fastn.context.status;

/**
 * A node in four numbers, small enough to be told again and again.
 *
 * @param contexts open contexts
 * @param locksHeld locks that are held
 * @param lockWaiters contexts that wait for a lock
 * @param warnings warnings of severity warning or critical
 */
public record NodeSummary(long contexts, long locksHeld, long lockWaiters, long warnings) {

    /**
     * Counts a snapshot.
     *
     * @param snapshot what to count
     * @return the summary
     */
    public static NodeSummary of(StatusSnapshot snapshot) {
        long contexts = 0;
        java.util.ArrayDeque<ContextStatus> open = new java.util.ArrayDeque<>();
        open.push(snapshot.globalContext());
        while (!open.isEmpty()) {
            ContextStatus context = open.pop();
            contexts += 1 + context.foldedChildren().contexts();
            context.children().forEach(open::push);
        }
        long warnings = snapshot.warnings().stream()
                .filter(w -> w.severity() != WarningSeverity.INFO)
                .count();
        return new NodeSummary(
                contexts, snapshot.activeLocks().size(), snapshot.lockWaiters().size(), warnings);
    }
}
